/**
 * What taking a run over costs beside reading and decoding its journal, in CPU time: without a checkpoint, as after a
 * crash, and with the one that an interrupted run leaves behind.
 *
 * @import { Build } from './build.mjs'
 * @import { Line } from './line.mjs'
 */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { numbers } from './build.mjs';
import { line } from './line.mjs';
import { interleaved } from './measure.mjs';

const never = () => new Promise(() => undefined);

/**
 * Both sides begin with nothing in memory. The reading side does what `troupe show` begins with: the same files, the
 * same frames, checked and decoded; nothing is folded.
 * @param {Build} build
 * @param {{ quick: boolean }} options
 * @returns {AsyncGenerator<Line>}
 */
export async function* durableResume(build, { quick }) {
  const n = quick ? 200 : 10_000;
  const dataDir = mkdtempSync(join(tmpdir(), 'troupe-bench-'));
  try {
    const run = await interrupted(build, dataDir, n);
    const place = { dataDir, run };
    const sides = [
      await readSide(build, place),
      resumeSide(build, { ...place, name: 'crashed', copy: true }),
      resumeSide(build, { ...place, name: 'interrupted', copy: false }),
    ];
    const costs = await interleaved(sides, { rounds: quick ? 2 : 9, warmUps: quick ? 1 : 4 });
    const read = costs.get('read')?.cpuUs ?? NaN;
    for (const name of /** @type {const} */ (['crashed', 'interrupted'])) {
      const { cpuUs = NaN, wallUs = NaN } = costs.get(name) ?? {};
      yield line({
        bench: 'durable-laws',
        case: `resume of ${n} finished tasks, ${name}`,
        n,
        ratio: cpuUs / read,
        against: 'CPU time of reading and decoding its journal',
        target: 2,
        // Above the target after a crash: known, told in docs/benchmarks.md, and not to grow.
        fails_at: quick ? null : { crashed: 6, interrupted: 3 }[name],
        figures: { resume_cpu_us: cpuUs, read_cpu_us: read, resume_wall_us: wallUs },
      });
    }
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
}

/** A run of n finished tasks and one that was under way when its process stopped.
 * @param {Build} build @param {string} dataDir @param {number} n */
async function interrupted(build, dataDir, n) {
  /** @param {{ input: unknown }} context */
  const held = ({ input }) => (input === n ? never() : null);
  const functions = { work: held };
  const troupe = await build.createTroupe({ dataDir, control: false, functions, concurrency: 256 });
  const handle = await troupe.run(await build.parse(document()), { items: numbers(n + 1) });
  let done = 0;
  for await (const { type } of handle.events())
    if (type === 'task.succeeded' && ++done === n) break;
  await troupe.close();
  return handle.id;
}

/** @param {Build} build @param {{ dataDir: string, run: string }} place */
async function readSide(build, { dataDir, run }) {
  const { openFileStore } = await import(
    pathToFileURL(`${build.folder}/journal/stores/file-store/file-store.js`).href
  );
  /** @type {{ read(run: string): Promise<unknown>, close(): Promise<void> } | undefined} */
  let store;
  return {
    name: 'read',
    prepare: async () => {
      const opened = await openFileStore({ dataDir, level: 'power', now: Date.now });
      store = opened;
      return () => opened.read(run);
    },
    after: async () => store?.close(),
  };
}

/**
 * A copied journal has no checkpoint that fits: the fold begins at the first record, as when the process was killed
 * before it wrote one.
 * @param {Build} build
 * @param {{ dataDir: string, run: string, name: string, copy: boolean }} options
 */
function resumeSide(build, { dataDir, run, name, copy }) {
  let folder = dataDir;
  /** @type {Awaited<ReturnType<Build['createTroupe']>> | undefined} */
  let troupe;
  return {
    name,
    prepare: async () => {
      if (copy) {
        folder = mkdtempSync(join(tmpdir(), 'troupe-bench-'));
        cpSync(dataDir, folder, { recursive: true });
      }
      const functions = { work: never };
      const opened = await build.createTroupe({ dataDir: folder, control: false, functions });
      troupe = opened;
      return () => opened.resume(run);
    },
    after: async () => {
      await troupe?.close();
      if (copy) rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** What never ends is given up at once. */
function document() {
  const agents = {
    worker: { uses: 'function', module: 'host:work', limits: { kill_after: '10ms' } },
  };
  const tasks = { all: { agent: 'worker', for_each: '${input.items}' } };
  return { version: 1, name: 'for-each', agents, tasks };
}
