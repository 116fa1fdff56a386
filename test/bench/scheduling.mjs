/**
 * How close plans, and runs that are dispatched by them, come to the best known schedules.
 *
 * Part of `npm run bench`; by itself `node test/bench/scheduling.mjs [FOLDER] [--build dist]` takes every JSON file of a
 * folder: lists of instances `{ name, tasks, capacity, lower, best }`, or `{ makespan: [...] }` of instances with
 * `optimum`, or lists of `{ id, steps, total_minutes }`. One JSON line per file and way; exit code 1 when a schedule
 * is not valid.
 *
 * @import { Build } from './build.mjs'
 * @import { Line } from './line.mjs'
 * @import { Instance, Span } from './schedule-faults.mjs'
 */
import { readFileSync, readdirSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { loadBuild } from './build.mjs';
import { line } from './line.mjs';
import { scheduleFaults } from './schedule-faults.mjs';

/** @typedef {Instance & { best: number }} Known */

const ours = fileURLToPath(new URL('../planning/data', import.meta.url));

/** One unit of an instance's time in a run: seconds, as agents take. */
const unitMs = 1000;

/** Durations of the third way are off by up to this share, either way. */
const offShare = 0.3;

const seed = 20_260_703;

/** What the mean may be over the best known, in percent: what we aim at, and what is a failure. By file and way. */
const aims = {
  'task-graphs': { plan: [0.15, 0.5], live: [0.4, 1] },
  'resource-projects': { plan: [1, 3], live: [3, 5] },
  plans: { plan: [0, 0], live: [0, 0] },
  analytic: { plan: [0, 0], live: [0, 5] },
};

/**
 * @param {Build} build
 * @param {{ quick: boolean }} options
 * @returns {AsyncGenerator<Line>}
 */
export async function* scheduling(build, { quick }) {
  yield* overFolder(build, ours, quick ? 4 : Infinity);
}

/**
 * @param {Build} build
 * @param {string} folder
 * @param {number} most instances of each file
 * @returns {AsyncGenerator<Line>}
 */
async function* overFolder(build, folder, most) {
  const ways = await waysOf(build);
  const files = readdirSync(folder).filter((file) => file.endsWith('.json'));
  for (const file of files.sort()) {
    const instances = instancesIn(join(folder, file)).slice(0, most);
    if (instances.length === 0) continue;
    const name = basename(file, '.json');
    yield await lineOf(name, 'plan', instances, ways.plan);
    yield await lineOf(name, 'live', instances, ways.live);
    yield await lineOf(name, 'live, durations off by 30 %', instances, ways.off);
  }
}

/**
 * @param {string} name
 * @param {string} way
 * @param {readonly Known[]} instances
 * @param {(instance: Known, index: number) => Promise<{ made: number, best: number }>} makespan
 */
async function lineOf(name, way, instances, makespan) {
  const began = performance.now();
  const over = [];
  for (const [index, instance] of instances.entries()) {
    const { made, best } = await makespan(instance, index);
    over.push({ percent: 100 * (made / best - 1), name: instance.name });
  }
  const mean = over.reduce((sum, { percent }) => sum + percent, 0) / over.length;
  const worst = over.reduce((a, b) => (b.percent > a.percent ? b : a));
  const [aim, most] = aimOf(name, way);
  return line({
    bench: 'scheduling',
    case: `${name}: ${way}`,
    n: instances.length,
    ratio: 1 + mean / 100,
    against: way.includes('off')
      ? 'a plan that knew how long everything would take'
      : 'the best known makespan',
    target: aim === undefined ? null : 1 + aim / 100,
    fails_at: most === undefined ? null : 1 + most / 100 + 1e-9,
    figures: {
      mean_percent: mean,
      worst_percent: worst.percent,
      worst: worst.name,
      at_best: over.filter(({ percent }) => percent < 1e-9).length,
      ms_per_instance: (performance.now() - began) / instances.length,
    },
  });
}

/** @param {string} name @param {string} way @returns {readonly (number | undefined)[]} */
function aimOf(name, way) {
  const known = /** @type {Record<string, Record<string, readonly number[]>>} */ (aims)[name];
  return known?.[way] ?? [];
}

/** @param {Build} build */
async function waysOf(build) {
  /** @param {string} path */
  const load = (path) => import(pathToFileURL(`${build.folder}/${path}`).href);
  const { planWorkflow } = await load('planning/plan.js');
  const { runSimulated } = await load('testing.js');
  /** @param {Known} instance */
  const plan = async (instance) => {
    const { tasks } = planWorkflow(await build.parse(documentOf(instance, instance)));
    return madeOf(
      instance,
      tasks.map((/** @type {{ id: string, start_ms: number, finish_ms: number }} */ task) => ({
        id: task.id,
        start: task.start_ms / unitMs,
        finish: task.finish_ms / unitMs,
      })),
    );
  };
  /** @param {Instance} planned @param {Instance} actual */
  const live = async (planned, actual) => {
    const { report } = await runSimulated(documentOf(planned, actual));
    return madeOf(
      actual,
      report.tasks.map(
        (/** @type {{ id: string, started_ms: number, finished_ms: number }} */ task) => ({
          id: task.id,
          start: task.started_ms / unitMs,
          finish: task.finished_ms / unitMs,
        }),
      ),
    );
  };
  return {
    plan: async (/** @type {Known} */ one) => ({ made: await plan(one), best: one.best }),
    live: async (/** @type {Known} */ one) => ({ made: await live(one, one), best: one.best }),
    off: async (/** @type {Known} */ one, /** @type {number} */ index) => {
      const actual = { ...one, tasks: offBy(one.tasks, seeded(seed + index)) };
      return { made: await live(one, actual), best: await plan(actual) };
    },
  };
}

/**
 * Simulated agents that take what `actual` says while the document estimates what `planned` says.
 * @param {Instance} planned
 * @param {Instance} actual
 */
function documentOf(planned, actual) {
  const tasks = planned.tasks.map(({ id, duration, deps, resources }, index) => [
    id,
    {
      agent: 'worker',
      estimate: duration * unitMs,
      with: { duration: (actual.tasks[index]?.duration ?? 0) * unitMs },
      needs: deps,
      resources,
    },
  ]);
  return {
    version: 1,
    name: planned.name,
    agents: { worker: { uses: 'simulate' } },
    tasks: Object.fromEntries(tasks),
    ...(Object.keys(planned.capacity).length > 0 && { resources: planned.capacity }),
  };
}

/**
 * @param {Instance} instance
 * @param {readonly Span[]} spans
 * @returns {number} the makespan
 * @throws an error that names the first faults
 */
function madeOf(instance, spans) {
  const faults = scheduleFaults(instance, spans);
  if (faults.length > 0) throw new Error(`${instance.name}: ${faults.slice(0, 3).join('; ')}`);
  return Math.max(...spans.map(({ finish }) => finish));
}

/** @param {Instance['tasks']} tasks @param {() => number} random */
function offBy(tasks, random) {
  return tasks.map((task) => {
    const ms = task.duration * unitMs * (1 + offShare * (2 * random() - 1));
    return { ...task, duration: Math.round(ms) / unitMs };
  });
}

/** @param {string} path @returns {Known[]} */
function instancesIn(path) {
  const read = JSON.parse(readFileSync(path, 'utf8'));
  const list = Array.isArray(read) ? read : (read.makespan ?? []);
  return list.map((/** @type {any} */ item) => {
    if (!item.steps) return { ...item, best: item.best ?? item.optimum };
    const tasks = item.steps.map((/** @type {any} */ { id, minutes, deps }) => ({
      id,
      duration: minutes * 60,
      deps,
      resources: {},
    }));
    return { name: item.id, tasks, capacity: {}, best: item.total_minutes * 60 };
  });
}

/**
 * Mulberry32, by Tommy Ettinger (public domain).
 * @param {number} state
 */
function seeded(state) {
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      build: { type: 'string', default: fileURLToPath(new URL('../../dist', import.meta.url)) },
    },
  });
  const build = await loadBuild(resolve(values.build));
  for await (const figure of overFolder(build, resolve(positionals[0] ?? ours), Infinity)) {
    process.stdout.write(`${JSON.stringify(figure)}\n`);
  }
}
