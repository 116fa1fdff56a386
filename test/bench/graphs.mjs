/**
 * Load 3: how closely a graph of timed steps keeps to its critical path.
 *
 * @import { Build } from './build.mjs'
 * @import { Line } from './line.mjs'
 */
import { runSteps } from './bare-promises.mjs';
import { runToEnd, stepsDocument } from './build.mjs';
import { line } from './line.mjs';
import { interleaved } from './measure.mjs';

/** @typedef {{ id: string, ms: number, needs: readonly string[] }} Step */

const seed = 20_260_701;

/** Two chains of a short and a long step, in opposite order: a scheduler that works in layers needs 200 ms. */
const diamond = [
  { id: 'a1', ms: 10, needs: [] },
  { id: 'b1', ms: 100, needs: [] },
  { id: 'a2', ms: 100, needs: ['a1'] },
  { id: 'b2', ms: 10, needs: ['b1'] },
  { id: 'join', ms: 0, needs: ['a2', 'b2'] },
];

/**
 * @param {Build} build
 * @param {{ quick: boolean }} options
 * @returns {AsyncGenerator<Line>}
 */
export async function* graphs(build, { quick }) {
  // The engine compiles what a task runs through only after some thousands of them.
  const times = quick ? { rounds: 3, warmUps: 1 } : { rounds: 15, warmUps: 25 };
  const layered = layeredSteps(quick ? 60 : 200, 6);
  yield await pathLine(build, {
    name: 'seeded DAG in 6 layers',
    steps: layered,
    times,
    aim: 1.02,
  });
  yield await pathLine(build, { name: 'diamond', steps: diamond, times, aim: 1.05 });
}

/**
 * @param {Build} build
 * @param {{ name: string, steps: readonly Step[], times: { rounds: number, warmUps: number }, aim: number }} load
 */
async function pathLine(build, { name, steps, times, aim }) {
  const workflow = await build.parse(stepsDocument(steps));
  const work = (/** @type {{ input: { ms: number } }} */ { input }) => sleep(input.ms);
  const troupe = await build.createTroupe({
    concurrency: 256,
    functions: { work: /** @type {never} */ (work) },
  });
  const costs = await interleaved(
    [
      { name: 'promises', prepare: async () => () => runSteps(steps, sleep) },
      {
        name: 'troupe',
        prepare: async () => () => runToEnd(troupe, workflow, { tasks: steps.length }),
      },
    ],
    times,
  );
  await troupe.close();
  const pathMs = criticalPathMs(steps);
  const wallMs = (costs.get('troupe')?.wallUs ?? NaN) / 1000;
  const bareMs = (costs.get('promises')?.wallUs ?? NaN) / 1000;
  return line({
    bench: 'graphs',
    case: name,
    n: steps.length,
    ratio: wallMs / bareMs,
    against: 'wall time of the same steps with bare promises',
    target: aim,
    fails_at: 1.5,
    figures: {
      wall_ms: wallMs,
      bare_wall_ms: bareMs,
      critical_path_ms: pathMs,
      over_path_percent: (wallMs / pathMs - 1) * 100,
      bare_over_path_percent: (bareMs / pathMs - 1) * 100,
    },
  });
}

/**
 * Steps of 1 to 20 ms in layers; each needs one to three steps of the layer before.
 * @param {number} count
 * @param {number} layers
 * @returns {Step[]}
 */
function layeredSteps(count, layers) {
  const random = seeded(seed);
  const below = (/** @type {number} */ end) => Math.floor(random() * end);
  const width = Math.ceil(count / layers);
  return Array.from({ length: count }, (_, index) => {
    const layer = Math.floor(index / width);
    const wanted = layer === 0 ? 0 : 1 + below(3);
    const needs = Array.from({ length: wanted }, () => `s${(layer - 1) * width + below(width)}`);
    return { id: `s${index}`, ms: 1 + below(20), needs: [...new Set(needs)] };
  });
}

/**
 * @param {readonly Step[]} steps each after its needs
 */
function criticalPathMs(steps) {
  /** @type {Map<string, number>} */
  const ends = new Map();
  for (const { id, ms, needs } of steps) {
    ends.set(id, ms + Math.max(0, ...needs.map((need) => ends.get(need) ?? 0)));
  }
  return Math.max(...ends.values());
}

/**
 * @param {number} ms
 * @returns {Promise<null>}
 */
function sleep(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms, null));
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
