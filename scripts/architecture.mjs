/**
 * The shape of src as data: which folder may import which, and who may touch what of the outside.
 * The lint plugin beside this file enforces it; ARCHITECTURE.md tells it to people.
 */
import { dirname, posix } from 'node:path';

/** Folders of src from the bottom up. A row imports the rows before it; never its own row or a later one. */
export const rows = [
  ['core'],
  ['workflow'],
  ['planning', 'policies', 'results'],
  ['bus'],
  ['journal'],
  ['memory'],
  ['cache', 'telemetry'],
  ['actors'],
  ['supervisors'],
  ['runtime'],
  ['simulation'],
  ['inspector', 'mcp', 'cli'],
];

/** Files at the root of src, the public doors: they import every folder, and no folder imports them. */
const doors = 'the doors';

/** Who may import what is not ours: a package or a builtin module (without `node:`) to path prefixes in src. */
export const fences = {
  xstate: ['actors/xstate.ts'],
  '@xstate/*': ['actors/xstate.ts'],
  nats: ['bus/nats/'],
  '@nats-io/*': ['bus/nats/'],
  msgpackr: ['bus/codec.ts'],
  'node-diff3': ['results/text.ts'],
  zod: ['workflow/'],
  yaml: ['workflow/'],
  commander: ['cli/'],
  picocolors: ['cli/'],
  fs: [
    'bus/nats/',
    'journal/',
    'workflow/load',
    'runtime/control/',
    'runtime/history',
    'runtime/retention',
    'runtime/workspaces/',
    'cli/',
  ],
  child_process: ['actors/behaviours/', 'bus/nats/local-server', 'cli/'],
  worker_threads: ['actors/behaviours/', 'runtime/control/', 'cli/'],
  module: ['actors/behaviours/', 'bus/codec.ts'],
  net: ['bus/nats/local-server', 'bus/nats/encryption', 'runtime/', 'cli/'],
  tls: ['bus/nats/encryption'],
  // Health endpoints.
  http: ['runtime/serve/'],
  timers: ['core/clock.ts', 'core/simulated-clock.ts', 'runtime/', 'cli/'],
  perf_hooks: ['core/clock.ts', 'runtime/', 'cli/'],
  // How full the heap is, beside its limit; and how a fold is written down.
  v8: ['runtime/', 'journal/checkpoint'],
  process: ['runtime/', 'cli/'],
};

/** Builtin modules that hold no clock, no files and no sockets: free for all. */
const freeBuiltins = [
  'assert',
  'buffer',
  'crypto',
  'events',
  'os',
  'path',
  'stream',
  'string_decoder',
  'url',
  'util',
  'zlib',
];

/**
 * What is wrong with one import, or undefined.
 * @param {string} file importing file, relative to src, with forward slashes
 * @param {string} specifier as written
 * @returns {string | undefined} the sentence to show
 */
export function importFault(file, specifier) {
  return specifier.startsWith('.') ? directionFault(file, specifier) : fenceFault(file, specifier);
}

/** @param {string} file @param {string} specifier */
function directionFault(file, specifier) {
  const target = posix.normalize(posix.join(dirname(file), specifier));
  if (target.startsWith('..')) return `${specifier} leaves src.`;
  const [from, to] = [folderOf(file), folderOf(target)];
  if (from === to) return undefined;
  const [fromRow, toRow] = [rowOf(from), rowOf(to)];
  if (fromRow === -1) return `The folder ${from} is in no row of scripts/architecture.mjs.`;
  if (toRow === -1) return `The folder ${to} is in no row of scripts/architecture.mjs.`;
  if (toRow < fromRow) return undefined;
  return `${from} may not import ${to}: a folder imports only the rows above it (scripts/architecture.mjs).`;
}

/** @param {string} path */
function folderOf(path) {
  return path.includes('/') ? path.slice(0, path.indexOf('/')) : doors;
}

/** @param {string} folder */
function rowOf(folder) {
  return folder === doors ? rows.length : rows.findIndex((row) => row.includes(folder));
}

/** @param {string} file @param {string} specifier */
function fenceFault(file, specifier) {
  const [scope = ''] = specifier.replace('node:', '').split('/');
  if (specifier.startsWith('node:') && freeBuiltins.includes(scope)) return undefined;
  const name = scope.startsWith('@') ? `${scope}/*` : scope;
  const allowed = /** @type {Record<string, string[]>} */ (fences)[name];
  if (!allowed)
    return `${specifier} has no place in scripts/architecture.mjs: give it one, with a reason.`;
  if (allowed.some((prefix) => file.startsWith(prefix))) return undefined;
  return `${specifier} is for ${allowed.map((prefix) => `src/${prefix}`).join(', ')} only.`;
}
