/**
 * Load 4: what it costs a host to start, in a fresh process, and what is loaded for it.
 *
 * @import { Build } from './build.mjs'
 * @import { Line } from './line.mjs'
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { line } from './line.mjs';
import { median } from './measure.mjs';

/** Modules that a host pays for only when it uses what they are for. */
const heavy = [
  'zod',
  'yaml',
  'commander',
  'msgpackr',
  'liquidjs',
  'nats',
  'worker_threads',
  'child_process',
];

const probe = fileURLToPath(new URL('./start-probe.mjs', import.meta.url));

/**
 * @param {Build} build
 * @param {{ quick: boolean }} options
 * @returns {AsyncGenerator<Line>}
 */
export async function* startUp(build, { quick }) {
  const rounds = quick ? 3 : 20;
  const door = pathToFileURL(join(build.folder, 'index.js')).href;
  const nothing = ['-e', '0'];
  /** @type {{ bare: number[], troupe: number[], importMs: number[], rssMb: number[] }} */
  const taken = { bare: [], troupe: [], importMs: [], rssMb: [] };
  for (let round = -1; round < rounds; round++) {
    const bare = timed(nothing);
    const troupe = timed([probe, door]);
    if (round < 0) continue;
    const { import_ms, rss_mb } = JSON.parse(troupe.stdout);
    taken.bare.push(bare.wallMs);
    taken.troupe.push(troupe.wallMs);
    taken.importMs.push(import_ms);
    taken.rssMb.push(rss_mb);
  }
  const loaded = loadedModules(door);
  const wallMs = median(taken.troupe);
  const bareMs = median(taken.bare);
  yield line({
    bench: 'start-up',
    case: 'import until createTroupe resolves',
    n: rounds,
    ratio: wallMs / bareMs,
    against: 'node -e 0',
    target: 3,
    fails_at: 4.5,
    figures: {
      wall_ms: wallMs,
      bare_wall_ms: bareMs,
      inside_ms: median(taken.importMs),
      rss_mb: median(taken.rssMb),
      files: loaded.files,
    },
  });
  yield line({
    bench: 'start-up',
    case: 'heavy modules loaded',
    n: heavy.length,
    ratio: loaded.heavy.length,
    against: 'none of them',
    target: 0,
    fails_at: 0,
    figures: { looked_for: heavy, loaded: loaded.heavy },
  });
}

/** @param {readonly string[]} args */
function timed(args) {
  const start = performance.now();
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`node ${args.join(' ')} ended with ${status}: ${stderr}`);
  return { wallMs: performance.now() - start, stdout };
}

/**
 * What a start loads, by V8's list of scripts (NODE_V8_COVERAGE) and Node's list of its own modules.
 * @param {string} door
 */
function loadedModules(door) {
  const folder = mkdtempSync(join(tmpdir(), 'troupe-bench-'));
  try {
    const env = { ...process.env, NODE_V8_COVERAGE: folder };
    const options = /** @type {const} */ ({ encoding: 'utf8', env });
    const { stdout } = spawnSync(process.execPath, [probe, door], options);
    const { builtin } = JSON.parse(stdout);
    const urls = scriptsIn(folder);
    const names = heavy.filter(
      (name) =>
        builtin.includes(name) || urls.some((url) => url.includes(`/node_modules/${name}/`)),
    );
    return { heavy: names, files: urls.length };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * @param {string} folder
 * @returns {string[]} addresses of the files that were run
 */
function scriptsIn(folder) {
  return readdirSync(folder).flatMap((name) => {
    const { result } = JSON.parse(readFileSync(join(folder, name), 'utf8'));
    const urls = result.map((/** @type {{ url: string }} */ { url }) => url);
    return urls.filter((/** @type {string} */ url) => url.startsWith('file:'));
  });
}
