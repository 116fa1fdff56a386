/**
 * Four runs that share a process under the simulated clock, two of heavy tasks and two of light ones, and what
 * becomes of each of them: as runs of their own, or with all tasks in one run, where only priority, rank and
 * order count.
 *
 * @import { Troupe, TroupeOptions } from '../../src/runtime/api.ts'
 * @import { SimulatedClock } from '../../src/core/simulated-clock.ts'
 */

/**
 * @typedef {object} Runtime
 * @property {(options?: TroupeOptions) => Promise<Troupe>} createTroupe
 * @property {new () => SimulatedClock} SimulatedClock
 */

/** @typedef {{ name: string, tasks: number, durationMs: number, cpu: number }} Load */

/** @type {readonly Load[]} */
export const fourLoads = [
  { name: 'heavy-1', tasks: 80, durationMs: 30_000, cpu: 20 },
  { name: 'heavy-2', tasks: 80, durationMs: 30_000, cpu: 20 },
  { name: 'light-1', tasks: 240, durationMs: 10_000, cpu: 5 },
  { name: 'light-2', tasks: 240, durationMs: 10_000, cpu: 5 },
];

const shared = { concurrency: 16, resources: { cpu: 100 } };

/**
 * How much longer each load takes beside the others than alone, how even that is (Jain's index: 1 when all
 * are slowed down alike, 1/n when one has everything), and when all are done.
 * @param {Runtime} runtime
 * @param {readonly Load[]} loads
 * @param {'fair' | 'plain'} rule
 */
export async function together(runtime, loads, rule) {
  const alone = await Promise.all(loads.map((load) => endsOf(runtime, [[load]])));
  const ends = await endsOf(runtime, rule === 'fair' ? loads.map((load) => [load]) : [loads]);
  const slowdowns = loads.map(({ name }, index) => at(ends, name) / at(alone[index], name));
  return { slowdowns, jain: jain(slowdowns), makespanMs: Math.max(...ends.values()) };
}

/** @param {readonly number[]} values */
function jain(values) {
  const sum = values.reduce((total, value) => total + value, 0);
  return sum ** 2 / (values.length * values.reduce((total, value) => total + value ** 2, 0));
}

/**
 * @param {ReadonlyMap<string, number> | undefined} ends
 * @param {string} name
 */
function at(ends, name) {
  const end = ends?.get(name);
  if (end === undefined) throw new Error(`${name} did not end`);
  return end;
}

/**
 * When each load ends, in milliseconds of the simulated clock.
 * @param {Runtime} runtime
 * @param {readonly (readonly Load[])[]} runs the loads of each run
 * @returns {Promise<Map<string, number>>}
 */
async function endsOf({ createTroupe, SimulatedClock }, runs) {
  const clock = new SimulatedClock();
  const troupe = await createTroupe({ ...shared, clock });
  const handles = await Promise.all(runs.map((loads) => troupe.run(documentOf(loads))));
  let ended = false;
  const reports = Promise.all(handles.map((handle) => handle.outcome())).finally(() => {
    ended = true;
  });
  await clock.runUntil(() => ended);
  /** @type {Map<string, number>} */
  const ends = new Map();
  for (const { tasks } of await reports) {
    for (const { id, finished_ms: end } of tasks) {
      const name = id.replace(/_\d+$/, '');
      ends.set(name, Math.max(ends.get(name) ?? 0, end ?? Infinity));
    }
  }
  await troupe.close();
  return ends;
}

/** @param {readonly Load[]} loads */
function documentOf(loads) {
  const tasks = loads.flatMap(({ name, tasks: count, durationMs, cpu }) =>
    Array.from({ length: count }, (_, index) => [
      `${name}_${index}`,
      {
        uses: 'simulate',
        with: { duration: durationMs },
        estimate: durationMs,
        priority: 5,
        resources: { cpu },
      },
    ]),
  );
  return {
    version: 1,
    name: loads.map(({ name }) => name).join('-'),
    tasks: Object.fromEntries(tasks),
  };
}
