/**
 * Load 7: what sharing fairly brings and costs: four runs in one process, heavy and light, beside the same
 * tasks in one run, where only priority, rank and order count. Simulated time, so the figures are exact.
 *
 * @import { Build } from './build.mjs'
 * @import { Line } from './line.mjs'
 */
import { pathToFileURL } from 'node:url';
import { fourLoads, together } from './four-runs.mjs';
import { line } from './line.mjs';

/**
 * @param {Build} build
 * @returns {AsyncGenerator<Line>}
 */
export async function* fairness(build) {
  const { SimulatedClock } = await import(pathToFileURL(`${build.folder}/testing.js`).href);
  const runtime = { createTroupe: build.createTroupe, SimulatedClock };
  const fair = await together(runtime, fourLoads, 'fair');
  const plain = await together(runtime, fourLoads, 'plain');
  const figures = {
    jain_fair: fair.jain,
    jain_plain: plain.jain,
    worst_slowdown_fair: Math.max(...fair.slowdowns),
    worst_slowdown_plain: Math.max(...plain.slowdowns),
  };
  const n = fourLoads.reduce((sum, { tasks }) => sum + tasks, 0);
  yield line({
    bench: 'fairness',
    case: 'four runs: unevenness',
    n,
    ratio: 1 - fair.jain,
    against: '1 minus the Jain index of the slowdowns; 0 is even',
    target: 0.015,
    fails_at: 0.015,
    figures,
  });
  yield line({
    bench: 'fairness',
    case: 'four runs: makespan',
    n,
    ratio: fair.makespanMs / plain.makespanMs,
    against: 'the same tasks by priority alone',
    target: 1.04,
    fails_at: 1.04,
    figures: { makespan_ms: fair.makespanMs, plain_makespan_ms: plain.makespanMs },
  });
}
