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
import { line } from './line.mjs';
import { costOf, costPer, interleaved, median } from './measure.mjs';

const work = () => null;
const inFlight = 16;

/** Bytes that a bare loop appends for one task: as many as a small task needs in the journal. */
const bareBytes = 300;

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
  yield await resumed(build, { n: quick ? 200 : 10_000, quick });
}

/** @param {Build} build @param {{ quick: boolean }} options */
async function* besideBareLoop(build, { quick }) {
  const n = quick ? 200 : 2_000;
  const sides = [powerSide(build, n), bareSide(n)];
  const costs = await interleaved(sides, { rounds: quick ? 3 : 9, warmUps: quick ? 1 : 3 });
  const task = costPer(n, costs.get('troupe'));
  const bare = costPer(n, costs.get('bare'));
  yield line({
    bench: 'durable-laws',
    case: `fork-join, power, ${inFlight} in flight`,
    n,
    ratio: task.wallUs / bare.wallUs,
    against: `a loop that appends ${bareBytes} bytes and syncs in groups, ${inFlight} in flight`,
    target: 3.5,
    fails_at: quick ? null : 7,
    figures: { wall_us_per_task: task.wallUs, bare_wall_us_per_append: bare.wallUs },
  });
}

/** A task that nothing else runs beside waits for its start and for its end, and the run for no more.
 * @param {Build} build @param {{ count: number }} syncs */
async function loneTask(build, syncs) {
  /** @type {number[]} */
  const counted = [];
  await withFolder(async (dataDir) => {
    const troupe = await build.createTroupe({ dataDir, control: false, functions: { work } });
    const document = await build.parse(oneTask());
    for (let round = 0; round < 5; round++) {
      let began = syncs.count;
      const handle = await troupe.run(document);
      for await (const { type } of handle.events()) {
        if (type === 'task.started') began = syncs.count;
        if (type === 'task.succeeded') counted.push(syncs.count - began);
      }
      await handle.outcome();
    }
    await troupe.close();
  });
  return line({
    bench: 'durable-laws',
    case: 'a lone task, from its start to its end',
    n: 1,
    ratio: median(counted) / 2,
    against: 'two syncs',
    target: 1,
    fails_at: 1,
    figures: { syncs: median(counted) },
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

/** @param {Build} build @param {{ n: number, quick: boolean }} options */
async function resumed(build, { n, quick }) {
  const { openFileStore } = await import(
    pathToFileURL(`${build.folder}/journal/stores/file-store/file-store.js`).href
  );
  const figures = await withFolder(async (dataDir) => {
    const run = await interrupted(build, dataDir, n);
    const reads = [];
    const resumes = [];
    for (let round = 0; round < (quick ? 2 : 5); round++) {
      const store = await openFileStore({ dataDir, level: 'power', now: Date.now });
      reads.push((await costOf(() => store.read(run))).wallUs);
      await store.close();
      const hold = deferred();
      const troupe = await build.createTroupe({
        dataDir,
        control: false,
        functions: { work: () => hold.promise },
      });
      resumes.push((await costOf(() => troupe.resume(run))).wallUs);
      const closing = troupe.close();
      hold.resolve(null);
      await closing;
    }
    return { read: median(reads), resume: median(resumes) };
  });
  return line({
    bench: 'durable-laws',
    case: `resume of a run with ${n} finished tasks`,
    n,
    ratio: figures.resume / figures.read,
    against: 'reading and decoding its journal',
    target: 2,
    fails_at: quick ? null : 4,
    figures: { resume_us: figures.resume, read_us: figures.read },
  });
}

/** A run of n finished tasks and one that was under way when its process went.
 * @param {Build} build @param {string} dataDir @param {number} n */
async function interrupted(build, dataDir, n) {
  const hold = deferred();
  /** @param {{ input: unknown }} context */
  const held = ({ input }) => (input === n ? hold.promise : null);
  const functions = { work: held };
  const troupe = await build.createTroupe({ dataDir, control: false, functions, concurrency: 256 });
  const handle = await troupe.run(await build.parse(forEachDocument()), { items: numbers(n + 1) });
  let done = 0;
  for await (const { type } of handle.events())
    if (type === 'task.succeeded' && ++done === n) break;
  const closing = troupe.close();
  hold.resolve(null);
  await closing;
  return handle.id;
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

/** @param {number} n */
function bareSide(n) {
  let folder = '';
  /** @type {import('node:fs/promises').FileHandle | undefined} */
  let file;
  return {
    name: 'bare',
    prepare: async () => {
      folder = mkdtempSync(join(tmpdir(), 'troupe-bench-'));
      const opened = await open(join(folder, 'log'), 'wx');
      file = opened;
      return () => appendAll(opened, n);
    },
    after: async () => {
      await file?.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Each append is written and synced with those that wait beside it, once per turn.
 * @param {import('node:fs/promises').FileHandle} file @param {number} n */
async function appendAll(file, n) {
  const record = Buffer.alloc(bareBytes, 1);
  let end = 0;
  for (let done = 0; done < n;) {
    const group = Math.min(inFlight, n - done);
    const bytes = Buffer.concat(Array.from({ length: group }, () => record));
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

function deferred() {
  /** @type {(value: unknown) => void} */
  let resolve = () => undefined;
  const promise = new Promise((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

/** Counts every fdatasync of this process from now on. */
async function countedSyncs() {
  const counter = { count: 0 };
  const handle = await open(tmpdir(), 'r');
  const methods = Object.getPrototypeOf(handle);
  const original = methods.datasync;
  methods.datasync = function counted() {
    counter.count++;
    return original.call(this);
  };
  await handle.close();
  return counter;
}
