/**
 * Load 8: what the governor's queue costs per task, asking, admitting and giving back, in one run and in a
 * thousand that wait at one time, beside a heap that only sorts.
 *
 * @import { Build } from './build.mjs'
 * @import { Line } from './line.mjs'
 * @import { AdmissionQueue } from '../../src/policies/admission.ts'
 * @import { Heap } from '../../src/core/heap.ts'
 */
import { pathToFileURL } from 'node:url';
import { line } from './line.mjs';
import { costPer, growthExponent, interleaved } from './measure.mjs';

const slots = 16;

/**
 * @typedef {object} Queues
 * @property {typeof AdmissionQueue} AdmissionQueue
 * @property {typeof Heap} Heap
 */

/**
 * @param {Build} build
 * @param {{ quick: boolean }} options
 * @returns {AsyncGenerator<Line>}
 */
export async function* admission({ folder }, { quick }) {
  /** @param {string} path */
  const load = (path) => import(pathToFileURL(`${folder}/${path}`).href);
  /** @type {Queues} */
  const queues = { ...(await load('policies/admission.js')), ...(await load('core/heap.js')) };
  const sizes = quick ? [10, 1000, 10_000] : [10, 100, 1000, 10_000, 100_000];
  for (const runs of [1, 1000]) {
    /** @type {Map<number, number>} */
    const cpuUs = new Map();
    for (const n of sizes.filter((size) => size >= runs)) {
      const taken = await costs(queues, { n, runs, quick });
      cpuUs.set(n, taken.queueUs * n);
      yield line({
        bench: 'admission',
        case: runs === 1 ? 'one run' : `${runs} runs`,
        n,
        ratio: taken.queueUs / taken.heapUs,
        against: 'CPU of a heap with the same entries',
        figures: { cpu_us_per_task: taken.queueUs, heap_cpu_us_per_task: taken.heapUs },
      });
    }
    yield growth(runs, cpuUs);
  }
}

/**
 * @param {number} runs
 * @param {ReadonlyMap<number, number>} cpuUs by size
 */
function growth(runs, cpuUs) {
  const sizes = [...cpuUs.keys()].filter((size) => size >= 1000);
  const [from = NaN, to = NaN] = [sizes[0], sizes.at(-1)];
  const cost = (/** @type {number} */ n) => ({ n, cost: cpuUs.get(n) ?? NaN });
  return line({
    bench: 'admission',
    case: `${runs === 1 ? 'one run' : `${runs} runs`}: growth`,
    n: to,
    ratio: growthExponent(cost(from), cost(to)),
    against: `exponent of CPU from ${from} to ${to} tasks; 1 is linear`,
    target: 1.15,
    fails_at: 1.4,
  });
}

/**
 * @param {Queues} queues
 * @param {{ n: number, runs: number, quick: boolean }} options
 */
async function costs(queues, { n, runs, quick }) {
  const repeats = Math.max(1, Math.round((quick ? 5000 : 20_000) / n));
  /** @param {() => void} once */
  const side = (once) => async () => async () => {
    for (let i = 0; i < repeats; i++) once();
  };
  const taken = await interleaved(
    [
      { name: 'queue', prepare: side(() => throughQueue(queues, n, runs)) },
      { name: 'heap', prepare: side(() => throughHeap(queues, n)) },
    ],
    { rounds: quick ? 3 : 5, warmUps: 1 },
  );
  const perTask = (/** @type {string} */ name) => costPer(n * repeats, taken.get(name)).cpuUs;
  return { queueUs: perTask('queue'), heapUs: perTask('heap') };
}

/**
 * @param {Queues} queues
 * @param {number} n
 * @param {number} runs
 */
function throughQueue({ AdmissionQueue: Queue }, n, runs) {
  const queue = new Queue({ capacity: { concurrency: slots }, agePeriodMs: 30_000 });
  for (let run = 0; run < runs; run++) queue.setScope(`r${run}`, {});
  for (let index = 0; index < n; index++) {
    const request = { id: `t${index}`, scope: `r${index % runs}`, demand: {} };
    queue.request({ ...request, priority: 5 + (index % 3), rank: index % 97, at: 0 });
  }
  const admitted = queue.admit(0);
  for (let next = 0; next < admitted.length; next++) {
    const { scope = '', id = '' } = admitted[next] ?? {};
    queue.release(scope, id);
    admitted.push(...queue.admit(next));
  }
  if (admitted.length !== n) throw new Error(`${admitted.length} of ${n} were admitted`);
}

/**
 * @param {Queues} queues
 * @param {number} n
 */
function throughHeap({ Heap: Queue }, n) {
  /** @typedef {{ id: string, priority: number, rank: number, sequence: number }} Entry */
  /** @type {Heap<Entry>} */
  const heap = new Queue((a, b) =>
    a.priority !== b.priority
      ? a.priority > b.priority
      : a.rank !== b.rank
        ? a.rank > b.rank
        : a.sequence < b.sequence,
  );
  for (let index = 0; index < n; index++)
    heap.push({ id: `t${index}`, priority: 5 + (index % 3), rank: index % 97, sequence: index });
  /** @type {Set<string>} */
  const held = new Set();
  for (let entry = heap.pop(); entry; entry = heap.pop()) {
    held.add(entry.id);
    held.delete(entry.id);
  }
}
