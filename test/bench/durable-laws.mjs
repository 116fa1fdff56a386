/**
 * Load 5b: what the journal may cost at most, as ratios within one run: syncs and bytes per task, a bare loop that
 * appends and syncs in groups, a lone task, and a resume beside reading the file.
 *
 * @import { Build } from './build.mjs'
 * @import { Line } from './line.mjs'
 */
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { forEachDocument, numbers, runToEnd } from './build.mjs';
import { durableResume } from './durable-resume.mjs';
import { line } from './line.mjs';
import { costPer, interleaved, median } from './measure.mjs';

const work = () => null;
const inFlight = 16;

/**
 * @param {Build} build
 * @param {{ quick: boolean }} options
 * @returns {AsyncGenerator<Line>}
 */
export async function* durableLaws(build, { quick }) {
  const syncs = await countedSyncs();
  yield* besideBareLoop(build, { quick });
  yield await loneTask(build, syncs);
  for (const n of quick ? [10, 200] : [10, 10_000]) yield await bytesPerTask(build, n);
  yield* durableResume(build, { quick });
}

/** @param {Build} build @param {{ quick: boolean }} options */
async function* besideBareLoop(build, { quick }) {
  const n = quick ? 200 : 2_000;
  const sides = [powerSide(build, n), bareSide(n, await framesOf(build))];
  const costs = await interleaved(sides, { rounds: quick ? 3 : 9, warmUps: quick ? 1 : 3 });
  const task = costPer(n, costs.get('troupe'));
  const bare = costPer(n, costs.get('bare'));
  yield line({
    bench: 'durable-laws',
    case: `fork-join, power, ${inFlight} in flight`,
    n,
    ratio: task.wallUs / bare.wallUs,
    against: `wall time of a loop that appends the same records in the same frames and syncs once for ${inFlight} tasks`,
    target: 3.5,
    fails_at: quick ? null : 7,
    figures: {
      wall_us_per_task: task.wallUs,
      bare_wall_us_per_task: bare.wallUs,
      cpu_us_per_task: task.cpuUs,
      bare_cpu_us_per_task: bare.cpuUs,
    },
  });
}

/**
 * From the call of `run` to the durable end of its one task, the syncs that it waits for: those of the journal. A folder
 * of a new run, and the claim on it, are made to last before its first record; the figure of all syncs stands beside it.
 * @param {Build} build @param {{ data: number, folders: number }} syncs
 */
async function loneTask(build, syncs) {
  /** @type {number[]} */
  const counted = [];
  /** @type {number[]} */
  const folders = [];
  await withFolder(async (dataDir) => {
    const troupe = await build.createTroupe({ dataDir, control: false, functions: { work } });
    const document = await build.parse(oneTask());
    for (let round = 0; round < 7; round++) {
      const before = { ...syncs };
      const handle = await troupe.run(document);
      for await (const { type } of handle.events()) {
        if (type !== 'task.succeeded') continue;
        counted.push(syncs.data - before.data);
        folders.push(syncs.folders - before.folders);
      }
      await handle.outcome();
    }
    await troupe.close();
  });
  // The first run of a process also begins its journal.
  const syncsPerTask = median(counted.slice(1));
  return line({
    bench: 'durable-laws',
    case: 'a lone task, from the start of its run to its end',
    n: 1,
    ratio: syncsPerTask / 2,
    against: 'two syncs',
    target: 1,
    fails_at: 2,
    figures: {
      syncs: syncsPerTask,
      folder_syncs: median(folders.slice(1)),
      counts: counted.map(String),
    },
  });
}

/** @param {Build} build @param {number} n */
async function bytesPerTask(build, n) {
  const bytes = await withFolder(async (dataDir) => {
    await carryOut(build, dataDir, n);
    return journalFiles(dataDir).reduce((sum, path) => sum + statSync(path).size, 0);
  });
  // What a run of no tasks writes is not the tasks'.
  const empty = await withFolder(async (dataDir) => {
    await carryOut(build, dataDir, 1);
    return journalFiles(dataDir).reduce((sum, path) => sum + statSync(path).size, 0);
  });
  const perTask = (bytes - empty) / (n - 1);
  return line({
    bench: 'durable-laws',
    case: `bytes of the journal per small task, ${n} tasks`,
    n,
    ratio: perTask / 300,
    against: '300 bytes',
    target: 1,
    fails_at: 1,
    figures: { bytes_per_task: perTask },
  });
}

/** @param {Build} build @param {number} n */
function powerSide(build, n) {
  let folder = '';
  /** @type {Awaited<ReturnType<Build['createTroupe']>> | undefined} */
  let troupe;
  return {
    name: 'troupe',
    prepare: async () => {
      const workflow = await build.parse(forEachDocument());
      folder = mkdtempSync(join(tmpdir(), 'troupe-bench-'));
      const functions = { work };
      const opened = await build.createTroupe({
        dataDir: folder,
        control: false,
        concurrency: inFlight,
        functions,
      });
      troupe = opened;
      return () => runToEnd(opened, workflow, { input: { items: numbers(n) }, tasks: n + 1 });
    },
    after: async () => {
      await troupe?.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** @typedef {(first: number, tasks: number, offset: number) => Buffer} Frames the frame of some tasks at an offset */

/** A start and an end per task, encoded, framed and with a checksum as the journal does it.
 * @param {Build} build @returns {Promise<Frames>} */
async function framesOf(build) {
  const folder = pathToFileURL(`${build.folder}/journal/stores/file-store/`).href;
  const { recordsPayload } = await import(`${folder}segment.js`);
  const { frameHeadBytes, putFrame, segmentSeed } = await import(`${folder}frame.js`);
  const seed = segmentSeed('bare', 1);
  return (first, tasks, offset) => {
    const records = Array.from({ length: tasks }, (_, index) => recordsOf(first + index)).flat();
    const payload = recordsPayload('run-bare', 1, records);
    const frame = Buffer.allocUnsafe(frameHeadBytes + payload.length);
    putFrame(frame, 0, { payload, offset, seed });
    return frame;
  };
}

/** @param {number} index */
function recordsOf(index) {
  const about = { task: `all[${index}]`, attempt: 1, at: Date.now() };
  return [
    { ...about, type: 'task.started', iteration: 1, seq: 2 * index },
    { ...about, type: 'task.succeeded', output: null, seq: 2 * index + 1 },
  ];
}

/** @param {number} n @param {Frames} frames */
function bareSide(n, frames) {
  let folder = '';
  /** @type {import('node:fs/promises').FileHandle | undefined} */
  let file;
  return {
    name: 'bare',
    prepare: async () => {
      folder = mkdtempSync(join(tmpdir(), 'troupe-bench-'));
      const opened = await open(join(folder, 'log'), 'wx');
      file = opened;
      return () => appendAll(opened, n, frames);
    },
    after: async () => {
      await file?.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Each group is written and synced, and only then followed by the next one.
 * @param {import('node:fs/promises').FileHandle} file @param {number} n @param {Frames} frames */
async function appendAll(file, n, frames) {
  let end = 0;
  for (let done = 0; done < n;) {
    const group = Math.min(inFlight, n - done);
    const bytes = frames(done, group, end);
    await file.write(bytes, 0, bytes.length, end);
    await file.datasync();
    end += bytes.length;
    done += group;
  }
}

function oneTask() {
  const agents = { worker: { uses: 'function', module: 'host:work' } };
  return { version: 1, name: 'one', agents, tasks: { only: { agent: 'worker' } } };
}

/** @param {Build} build @param {string} dataDir @param {number} n */
async function carryOut(build, dataDir, n) {
  const troupe = await build.createTroupe({ dataDir, control: false, functions: { work } });
  const workflow = await build.parse(forEachDocument());
  await runToEnd(troupe, workflow, { input: { items: numbers(n) }, tasks: n + 1 });
  await troupe.close();
}

/** @param {string} folder */
function journalFiles(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.log'))
    .map(({ parentPath, name }) => join(parentPath, name));
}

/** @template T @param {(folder: string) => Promise<T>} use */
async function withFolder(use) {
  const folder = mkdtempSync(join(tmpdir(), 'troupe-bench-'));
  try {
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Counts every fdatasync of this process from now on, and every fsync, which folders get. */
async function countedSyncs() {
  const counter = { data: 0, folders: 0 };
  const handle = await open(tmpdir(), 'r');
  const methods = Object.getPrototypeOf(handle);
  for (const [name, key] of /** @type {const} */ ([
    ['datasync', 'data'],
    ['sync', 'folders'],
  ])) {
    const original = methods[name];
    methods[name] = function counted() {
      counter[key]++;
      return original.call(this);
    };
  }
  await handle.close();
  return counter;
}
