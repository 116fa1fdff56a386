/**
 * Load: what supervision costs. Stopping many live workers beside starting them, and a task that does nothing
 * under the policies that a document has, beside the same task under none.
 *
 * @import { Build } from './build.mjs'
 * @import { Line } from './line.mjs'
 * @import { Side } from './measure.mjs'
 * @import { TaskFunction } from '../../src/actors/behaviours/behaviour.ts'
 */
import { forEachDocument, numbers, runToEnd } from './build.mjs';
import { line } from './line.mjs';
import { costOf, costPer, interleaved, median, sweepYoung } from './measure.mjs';

/**
 * @param {Build} build
 * @param {{ quick: boolean }} options
 * @returns {AsyncGenerator<Line>}
 */
export async function* supervision(build, { quick }) {
  yield await stopping(build, quick);
  yield await policies(build, quick);
}

/**
 * @param {Build} build
 * @param {boolean} quick
 */
async function stopping(build, quick) {
  const n = quick ? 500 : 10_000;
  // What is compiled on the way is no part of either side.
  await startAndStop(build, Math.min(n, 2000));
  const starts = [];
  const stops = [];
  const ratios = [];
  for (let round = 0; round < (quick ? 1 : 9); round++) {
    sweepYoung();
    const { start, stop } = await startAndStop(build, n);
    starts.push(start.cpuUs / n);
    stops.push(stop.cpuUs / n);
    ratios.push(stop.cpuUs / start.cpuUs);
  }
  const start = median(starts);
  const stop = median(stops);
  return line({
    bench: 'supervision',
    case: 'stopping live workers',
    n,
    // Of the two sides of one round: what the machine does meanwhile meets both.
    ratio: median(ratios),
    against: 'starting them',
    target: 1,
    ...(quick ? {} : { fails_at: 1.1 }),
    figures: { start_cpu_us_per_worker: start, stop_cpu_us_per_worker: stop },
  });
}

/**
 * @param {Build} build
 * @param {number} n
 */
async function startAndStop(build, n) {
  let waiting = 0;
  let reached = () => {};
  /** @type {Promise<void>} */
  const full = new Promise((resolve) => {
    reached = resolve;
  });
  /** @type {TaskFunction} */
  const work = ({ signal }) => {
    waiting++;
    if (waiting === n) reached();
    return new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason));
    });
  };
  const troupe = await build.createTroupe({ concurrency: n, functions: { work } });
  const workflow = await build.parse(forEachDocument());
  const items = numbers(n);
  /** @type {Awaited<ReturnType<typeof troupe.run>> | undefined} */
  let handle;
  const start = await costOf(async () => {
    handle = await troupe.run(workflow, { items });
    await full;
  });
  const stop = await costOf(async () => {
    const report = await handle?.cancel();
    if (report?.status !== 'cancelled') throw new Error(`the run has ended as ${report?.status}`);
  });
  await troupe.close();
  return { start, stop };
}

/**
 * @param {Build} build
 * @param {boolean} quick
 */
async function policies(build, quick) {
  const n = quick ? 200 : 2000;
  const on = side(build, 'on', {
    n,
    task: { timeout: '10m', deadline: '1h' },
    agent: { breaker: {} },
  });
  const off = side(build, 'off', { n, task: { retry: 1 }, agent: {} });
  const costs = await interleaved([on, off], { rounds: quick ? 3 : 5, warmUps: quick ? 1 : 2 });
  const onUs = costPer(n, costs.get('on')).cpuUs;
  const offUs = costPer(n, costs.get('off')).cpuUs;
  return line({
    bench: 'supervision',
    case: 'a task that does nothing, under policies',
    n,
    ratio: onUs / offUs,
    against: 'the same task under none',
    target: 1.3,
    ...(quick ? {} : { fails_at: 1.3 }),
    figures: { on_cpu_us_per_task: onUs, off_cpu_us_per_task: offUs },
  });
}

/**
 * @param {Build} build
 * @param {string} name
 * @param {{ n: number, task: object, agent: object }} options
 * @returns {Side}
 */
function side(build, name, { n, task, agent }) {
  const document = {
    version: 1,
    name: `policies-${name}`,
    agents: { worker: { uses: 'function', module: 'host:work', ...agent } },
    tasks: { all: { agent: 'worker', for_each: '${input.items}', ...task } },
  };
  const items = numbers(n);
  return {
    name,
    prepare: async () => {
      const troupe = await build.createTroupe({ concurrency: 16, functions: { work: () => null } });
      const workflow = await build.parse(document);
      return async () => {
        await runToEnd(troupe, workflow, { input: { items }, tasks: n + 1 });
        await troupe.close();
      };
    },
  };
}
