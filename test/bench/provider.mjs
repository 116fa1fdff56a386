/**
 * What a gate costs, beside calling directly; and how near to its quota a provider is used by a hundred
 * branches, in simulated time, so that this figure is exact.
 *
 * @import { SimulatedClock } from '../../src/core/simulated-clock.ts'
 * @import { Build } from './build.mjs'
 * @import { Line } from './line.mjs'
 */
import { pathToFileURL } from 'node:url';
import { line } from './line.mjs';
import { median } from './measure.mjs';

const perMinute = 20;

/**
 * @param {Build} build
 * @param {{ quick: boolean }} options
 * @returns {AsyncGenerator<Line>}
 */
export async function* provider(build, { quick }) {
  const calls = quick ? 2_000 : 20_000;
  const { gateUs, directUs } = await callCost(build, calls);
  yield line({
    bench: 'provider',
    case: 'a call through a gate that nobody waits at',
    n: calls,
    ratio: gateUs - directUs,
    against: 'microseconds above an awaited function',
    target: 20,
    fails_at: 100,
    figures: { gate_us: gateUs, direct_us: directUs },
  });
  const branches = 100;
  const wallMs = await quotaBound(build, branches);
  const boundMs = (Math.ceil(branches / perMinute) - 1) * 60_000;
  yield line({
    bench: 'provider',
    case: 'a hundred branches of a limited provider: time',
    n: branches,
    ratio: wallMs / boundMs,
    against: 'the least time that the quota allows',
    target: 1.05,
    fails_at: 1.3,
    figures: { wall_ms: wallMs, bound_ms: boundMs },
  });
}

/** @param {object} limits @param {number} branches */
function documentOf(limits, branches) {
  const tasks = Array.from({ length: branches }, (_, index) => [`t${index}`, { agent: 'caller' }]);
  return {
    version: 1,
    agents: { caller: { module: 'host:call', provider: 'llm' } },
    providers: { llm: limits },
    tasks: Object.fromEntries(tasks),
  };
}

/**
 * @param {Build} build
 * @param {number} calls
 */
async function callCost(build, calls) {
  /** @type {{ gate: number[], direct: number[] }} */
  const times = { gate: [], direct: [] };
  const answer = async () => ({ value: 1 });
  /** @param {number[]} into @param {() => Promise<unknown>} call */
  const timed = async (into, call) => {
    const started = performance.now();
    for (let count = 0; count < calls; count++) await call();
    into.push(((performance.now() - started) * 1_000) / calls);
  };
  const troupe = await build.createTroupe({
    functions: {
      call: async (context) => {
        const way = context.provider();
        for (let round = 0; round < 5; round++) {
          await timed(times.direct, answer);
          await timed(times.gate, () => way.call({ tokens: 10 }, answer));
        }
      },
    },
  });
  const limits = { requests_per_minute: 10_000_000, tokens_per_minute: 100_000_000 };
  const run = await troupe.run(documentOf(limits, 1));
  const { status } = await run.outcome();
  await troupe.close();
  if (status !== 'succeeded') throw new Error(`the run ended ${status}`);
  return { gateUs: median(times.gate), directUs: median(times.direct) };
}

/**
 * @param {Build} build
 * @param {number} branches
 */
async function quotaBound(build, branches) {
  const { SimulatedClock: Clock } = await import(pathToFileURL(`${build.folder}/testing.js`).href);
  /** @type {SimulatedClock} */
  const clock = new Clock();
  const troupe = await build.createTroupe({
    clock,
    concurrency: branches,
    functions: { call: ({ provider: way }) => way().call({}, () => ({ value: 1 })) },
  });
  const run = await troupe.run(documentOf({ requests_per_minute: perMinute }, branches));
  let ended = false;
  const outcome = run.outcome().finally(() => (ended = true));
  await clock.runUntil(() => ended);
  const { metrics } = await outcome;
  await troupe.close();
  return metrics.wall_ms;
}
