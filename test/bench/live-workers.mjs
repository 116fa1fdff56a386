/**
 * Load 2: what a live worker keeps on the heap while its function waits.
 *
 * @import { Build } from './build.mjs'
 * @import { Line } from './line.mjs'
 */
import { forEachDocument, numbers } from './build.mjs';
import { runBarePool } from './bare-pool.mjs';
import { line } from './line.mjs';
import { liveHeapBytes } from './measure.mjs';

const aimBytes = 3072;

/**
 * @param {Build} build
 * @param {{ quick: boolean }} options
 * @returns {AsyncGenerator<Line>}
 */
export async function* liveWorkers(build, { quick }) {
  const n = quick ? 1000 : 10_000;
  // The first run fills caches and compiles; what it leaves is not a worker's.
  await troupeBytes(build, 500);
  const troupe = await troupeBytes(build, n);
  const pool = await poolBytes(n);
  const own = await ownBytes(build, n);
  const worker = troupe - own;
  yield line({
    bench: 'live workers',
    case: 'heap of a worker whose function waits',
    n,
    ratio: worker / aimBytes,
    against: `${aimBytes} bytes`,
    target: 1,
    ...(quick ? {} : { fails_at: 2.5 }),
    figures: {
      bytes_per_task: troupe,
      own_data_bytes_per_task: own,
      bytes_per_worker: worker,
      pool_bytes_per_worker: pool,
    },
  });
}

/**
 * @param {Build} build
 * @param {number} n
 */
async function troupeBytes(build, n) {
  const gate = newGate(n);
  const troupe = await build.createTroupe({ concurrency: n, functions: { work: gate.wait } });
  const workflow = await build.parse(forEachDocument());
  const before = await liveHeapBytes();
  const handle = await troupe.run(workflow, { items: numbers(n) });
  await gate.full;
  const bytes = (await liveHeapBytes()) - before;
  gate.open();
  await handle.outcome();
  await troupe.close();
  return bytes / n;
}

/** @param {number} n */
async function poolBytes(n) {
  const gate = newGate(n);
  const before = await liveHeapBytes();
  const over = runBarePool({ n, width: n, work: gate.wait });
  await gate.full;
  const bytes = (await liveHeapBytes()) - before;
  gate.open();
  await over;
  return bytes / n;
}

/**
 * What a task would keep without any worker: its input, its row in the run's state and the record of its start.
 * @param {Build} build
 * @param {number} n
 */
async function ownBytes(build, n) {
  const { apply } = await import(`${build.folder}/journal/fold.js`);
  const { emptyRunState } = await import(`${build.folder}/journal/run-state.js`);
  const before = await liveHeapBytes();
  const state = emptyRunState();
  const records = Array.from({ length: n }, (_, index) => {
    const task = `all[${index}]`;
    return {
      type: 'task.started',
      task,
      attempt: 1,
      iteration: 1,
      seq: index + 2,
      at: Date.now(),
    };
  });
  const inputs = numbers(n);
  for (const record of records) apply(state, record);
  const bytes = (await liveHeapBytes()) - before;
  // Keeps all of it alive until here.
  if (state.tasks.size !== n || inputs.length !== records.length)
    throw new Error('rows are missing');
  return bytes / n;
}

/**
 * A function that waits until it is let go, and a promise for the moment when n calls wait. All of them
 * share one promise: what the function itself keeps is not what is measured.
 * @param {number} n
 */
function newGate(n) {
  let waiting = 0;
  let open = () => {};
  let reached = () => {};
  /** @type {Promise<null>} */
  const opened = new Promise((resolve) => {
    open = () => resolve(null);
  });
  /** @type {Promise<void>} */
  const full = new Promise((resolve) => {
    reached = resolve;
  });
  const wait = () => {
    waiting++;
    if (waiting === n) reached();
    return opened;
  };
  return { wait, full, open: () => open() };
}
