/**
 * Load 1: what a task costs that does nothing, as a chain and as a fork-join, beside bare promises and a
 * bare pool of XState machines.
 *
 * @import { Build } from './build.mjs'
 * @import { Cost } from './measure.mjs'
 * @import { Line } from './line.mjs'
 */
import { runBarePool } from './bare-pool.mjs';
import { runLanes } from './bare-promises.mjs';
import { chainDocument, forEachDocument, groupDocument, numbers, runToEnd } from './build.mjs';
import { line } from './line.mjs';
import { costOf, costPer, growthExponent, interleaved } from './measure.mjs';

const width = 16;
const work = () => null;

/**
 * The shapes: a document of n tasks, how many tasks the run then counts, and how wide it can run.
 * @type {readonly { name: string, document: (n: number) => object, counted: (n: number) => number, width: number }[]}
 */
const shapes = [
  { name: 'fork-join, for_each', document: forEachDocument, counted: (n) => n + 1, width },
  { name: 'fork-join, declared', document: groupDocument, counted: (n) => n + 1, width },
  { name: 'chain, declared', document: chainDocument, counted: (n) => n, width: 1 },
];

/**
 * @param {Build} build
 * @param {{ quick: boolean }} options
 * @returns {AsyncGenerator<Line>}
 */
export async function* tasks(build, { quick }) {
  const sizes = quick ? [10, 100, 1000] : [10, 100, 1000, 10_000, 100_000];
  for (const shape of shapes) {
    /** @type {Map<number, number>} */
    const cpuUs = new Map();
    for (const n of sizes) {
      const { sides, repeats, parseUs } = await sidesFor(build, shape, { n, quick });
      const costs = await interleaved(sides, {
        rounds: roundsFor(n, quick),
        warmUps: quick ? 1 : warmUpsFor(n),
      });
      const perTask = (/** @type {string} */ name) => costPer(n * repeats, costs.get(name));
      cpuUs.set(n, perTask('troupe').cpuUs * n);
      yield taskLine(shape.name, { n, perTask, parseUs });
    }
    yield growthLine(shape.name, cpuUs, quick);
  }
}

/**
 * The engine compiles what a task runs through only after some thousands of them.
 * @param {number} n
 */
function warmUpsFor(n) {
  if (n >= 100_000) return 0;
  return n >= 10_000 ? 1 : 5;
}

/**
 * @param {number} n
 * @param {boolean} quick
 */
function roundsFor(n, quick) {
  if (quick) return 3;
  if (n >= 100_000) return 2;
  return n >= 10_000 ? 5 : 9;
}

/**
 * @param {Build} build
 * @param {(typeof shapes)[number]} shape
 * @param {{ n: number, quick: boolean }} options
 */
async function sidesFor(build, shape, { n, quick }) {
  const document = shape.document(n);
  /** @type {import('../../src/workflow/model.ts').Workflow | undefined} */
  let parsed;
  const parsing = await costOf(async () => {
    parsed = await build.parse(document);
  });
  const workflow = /** @type {NonNullable<typeof parsed>} */ (parsed);
  const input = shape.document === forEachDocument ? { items: numbers(n) } : {};
  const repeats = quick ? 1 : Math.max(1, Math.round(1000 / n));
  const job = { n, width: shape.width, work };
  const expected = { input, tasks: shape.counted(n) };
  /** @param {() => Promise<unknown>} once */
  const repeated = (once) => async () => {
    for (let i = 0; i < repeats; i++) await once();
  };
  let troupe = await build.createTroupe();
  const sides = [
    { name: 'promises', prepare: async () => repeated(() => runLanes(job)) },
    { name: 'pool', prepare: async () => repeated(() => runBarePool(job)) },
    {
      name: 'troupe',
      // A Troupe without a data folder keeps the journals of its runs, so every round gets a new one.
      prepare: async () => {
        troupe = await build.createTroupe({ concurrency: width, functions: { work } });
        return repeated(() => runToEnd(troupe, workflow, expected));
      },
      after: () => troupe.close(),
    },
  ];
  await troupe.close();
  return { sides, repeats, parseUs: parsing.cpuUs / n };
}

/**
 * @param {string} shape
 * @param {{ n: number, perTask: (name: string) => Cost, parseUs: number }} taken
 */
function taskLine(shape, { n, perTask, parseUs }) {
  const troupe = perTask('troupe');
  const pool = perTask('pool');
  const gate = n === 10_000 ? { target: 2, fails_at: 4.5 } : {};
  return line({
    bench: 'tasks',
    case: shape,
    n,
    ratio: troupe.cpuUs / pool.cpuUs,
    against: 'CPU of a bare XState pool',
    ...gate,
    figures: {
      cpu_us_per_task: troupe.cpuUs,
      wall_us_per_task: troupe.wallUs,
      pool_cpu_us_per_task: pool.cpuUs,
      promises_cpu_us_per_task: perTask('promises').cpuUs,
      parse_cpu_us_per_task: parseUs,
    },
  });
}

/**
 * @param {string} shape
 * @param {ReadonlyMap<number, number>} cpuUs by size
 * @param {boolean} quick
 */
function growthLine(shape, cpuUs, quick) {
  const [from, to] = quick ? [100, 1000] : [1000, 100_000];
  const at = (/** @type {number} */ n) => ({ n, cost: cpuUs.get(n) ?? NaN });
  return line({
    bench: 'tasks',
    case: `${shape}: growth`,
    n: to,
    ratio: growthExponent(at(from), at(to)),
    against: `exponent of CPU from ${from} to ${to} tasks; 1 is linear`,
    ...(quick ? {} : { target: 1.05, fails_at: 1.2 }),
    figures: { last_decade: growthExponent(at(to / 10), at(to)) },
  });
}
