/**
 * Load 5: what durability adds to a task, by level, beside the same run in memory.
 *
 * @import { Build } from './build.mjs'
 * @import { Line } from './line.mjs'
 */
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { forEachDocument, numbers, runToEnd } from './build.mjs';
import { line } from './line.mjs';
import { costPer, interleaved } from './measure.mjs';

const levels = /** @type {const} */ (['power', 'process', 'memory']);
const work = () => null;

/**
 * @param {Build} build
 * @param {{ quick: boolean }} options
 * @returns {AsyncGenerator<Line>}
 */
export async function* durable(build, { quick }) {
  const n = quick ? 200 : 1000;
  const rounds = quick ? 3 : 9;
  // Under one fan-out, four fifths of the throughput that memory has.
  const gateOf = (/** @type {number} */ width) => ({
    target: width === 256 ? 1.25 : 1.5,
    fails_at: quick ? null : 3,
  });
  const syncs = await countedSyncs();
  for (const width of [16, 256]) {
    const sides = levels.map((level) => sideFor(build, { level, n, width, syncs }));
    const costs = await interleaved(sides, { rounds, warmUps: quick ? 1 : 5 });
    const memory = costPer(n, costs.get('memory'));
    for (const { name, written } of sides) {
      if (name === 'memory') continue;
      const { cpuUs, wallUs } = costPer(n, costs.get(name));
      if (name === 'power' && width === 256) yield syncsLine(written.syncs / n, n);
      yield line({
        bench: 'durable',
        case: `fork-join, ${name}, concurrency ${width}`,
        n,
        ratio: wallUs / memory.wallUs,
        against: 'wall time of the same run at level memory',
        ...gateOf(width),
        figures: {
          wall_us_per_task: wallUs,
          cpu_us_per_task: cpuUs,
          memory_wall_us_per_task: memory.wallUs,
          added_us_per_task: wallUs - memory.wallUs,
          syncs_per_task: written.syncs / n,
          journal_bytes_per_task: written.bytes / n,
        },
      });
    }
  }
}

/**
 * Where many tasks are under way, one sync serves all that wait for it.
 * @param {number} perTask @param {number} n
 */
function syncsLine(perTask, n) {
  return line({
    bench: 'durable',
    case: 'syncs per task, power, concurrency 256',
    n,
    ratio: perTask / 0.1,
    against: 'one sync for ten tasks',
    target: 1,
    fails_at: 1,
    figures: { syncs_per_task: perTask },
  });
}

/**
 * @param {Build} build
 * @param {{ level: (typeof levels)[number], n: number, width: number, syncs: { count: number } }} load
 */
function sideFor(build, { level, n, width, syncs }) {
  const written = { syncs: 0, bytes: 0 };
  let folder = '';
  /** @type {Awaited<ReturnType<Build['createTroupe']>> | undefined} */
  let troupe;
  return {
    name: level,
    written,
    prepare: async () => {
      const workflow = await build.parse(forEachDocument());
      folder = mkdtempSync(join(tmpdir(), 'troupe-bench-'));
      const stored = level === 'memory' ? {} : { dataDir: folder, level, control: false };
      const opened = await build.createTroupe({
        concurrency: width,
        functions: { work },
        ...stored,
      });
      troupe = opened;
      const before = syncs.count;
      return async () => {
        await runToEnd(opened, workflow, { input: { items: numbers(n) }, tasks: n + 1 });
        written.syncs = syncs.count - before;
      };
    },
    after: async () => {
      await troupe?.close();
      written.bytes = bytesUnder(folder);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Counts every fdatasync and fsync of this process from now on. */
async function countedSyncs() {
  const counter = { count: 0 };
  const handle = await open(tmpdir(), 'r');
  const methods = Object.getPrototypeOf(handle);
  for (const name of ['datasync', 'sync']) {
    const original = methods[name];
    methods[name] = function counted() {
      counter.count++;
      return original.call(this);
    };
  }
  await handle.close();
  return counter;
}

/** @param {string} folder */
function bytesUnder(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0);
}
