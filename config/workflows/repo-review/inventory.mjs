import { lstat, realpath } from 'node:fs/promises';
import { basename, join, relative, resolve, sep } from 'node:path';
import { byText, eachItem, inputOf, messageOf, permanent, setting } from './context.mjs';
import { isText, maxFileBytes, readText } from './files.mjs';
import { askGit } from './git.mjs';
import { folderOf, isBinaryName, languageOf, roleOf } from './languages.mjs';
import { listFolder, listTracked } from './listing.mjs';

/**
 * @typedef {import('./context.mjs').TaskContext} TaskContext
 * @typedef {import('./listing.mjs').Entry} Entry
 * @typedef {{ what: string, count: number, why: string, examples: string[] }} Gap Files left out, and why.
 * @typedef {{ kind: 'git' | 'none', head: string, date: string, branch: string, shallow: boolean, modified: number, reason: string }} Version
 *
 * @typedef {object} Inventory
 * @property {string} root Absolute, links resolved.
 * @property {string} out Absolute: where the report goes. Fixed here, so that a run resumed from elsewhere writes the same place.
 * @property {string} name
 * @property {Version} version
 * @property {string[]} files Text files to examine, sorted.
 * @property {string[]} locks
 * @property {number} tracked
 * @property {number} bytes
 * @property {{ language: string, files: number, bytes: number }[]} languages
 * @property {{ folder: string, files: number, bytes: number }[]} folders
 * @property {{ path: string, bytes: number }[]} largest
 * @property {Gap[]} gaps
 * @property {string[]} warnings
 */

/**
 * What there is to review: the tracked files of a git repository, or the files of a folder.
 *
 * @param {TaskContext} ctx
 * @returns {Promise<Inventory>}
 */
export async function inventory(ctx) {
  /** @type {{ path: string, out: string, max_files: number }} */
  const input = inputOf(ctx);
  const limit = limitOf(input.max_files);
  const root = await rootOf(String(input.path));
  const out = resolve(String(input.out));
  const version = await versionOf(root, ctx.signal);
  const listed = await list(root, version, ctx);
  const entries = listed.entries.filter((entry) => !isBelow(join(root, entry.path), out));
  const sorted = await sortOut(ctx, root, entries);
  const { files, gap } = cap(sorted.files, limit);
  return {
    root,
    out,
    name: basename(root) || 'repository',
    version,
    files,
    locks: sorted.locks.slice(0, 200),
    ...totals(entries),
    gaps: [...sorted.gaps, ...listed.gaps, ...gap].sort((a, b) => byText(a.what, b.what)),
    warnings: warningsOf(version),
  };
}

/** @param {unknown} value */
function limitOf(value) {
  const limit = Number(value);
  if (Number.isInteger(limit) && limit > 0) return limit;
  throw permanent(`max_files=${JSON.stringify(value)} is not a whole number above 0.`);
}

/** @param {string} path */
async function rootOf(path) {
  const full = resolve(path);
  const stat = await lstat(await realpath(full).catch(() => full)).catch(() => undefined);
  if (stat === undefined)
    throw permanent(
      `The folder ${JSON.stringify(path)} does not exist. Pass another one with --input path=FOLDER.`,
    );
  if (!stat.isDirectory())
    throw permanent(
      `${JSON.stringify(path)} is not a folder. Pass the folder of a repository with --input path=FOLDER.`,
    );
  return realpath(full);
}

/**
 * @param {string} root
 * @param {AbortSignal} signal
 * @returns {Promise<Version>}
 */
async function versionOf(root, signal) {
  const none = {
    kind: /** @type {const} */ ('none'),
    head: '',
    date: '',
    branch: '',
    shallow: false,
    modified: 0,
  };
  try {
    const shallow =
      (await askGit(root, ['rev-parse', '--is-shallow-repository'], signal)).trim() === 'true';
    if ((await askGit(root, ['rev-parse', '--is-inside-work-tree'], signal)).trim() !== 'true')
      return { ...none, reason: 'a bare repository has no files to read' };
    return { ...none, kind: 'git', shallow, reason: '', ...(await headOf(root, signal)) };
  } catch (thrown) {
    signal.throwIfAborted();
    return { ...none, reason: gitReason(messageOf(thrown)) };
  }
}

/** @param {string} message Git's words, without paths of this machine. */
function gitReason(message) {
  if (/not a git repository/i.test(message)) return 'not a git repository';
  if (/dubious ownership/i.test(message))
    return 'git refuses a repository that belongs to another user (see safe.directory)';
  return /not installed/.test(message) ? message : 'git cannot read it';
}

/**
 * @param {string} root
 * @param {AbortSignal} signal
 */
async function headOf(root, signal) {
  const log = await askGit(root, ['log', '-1', '--format=%H%x00%cI'], signal).catch(() => '');
  const [head = '', date = ''] = log.trim().split('\0');
  const branch = await askGit(root, ['symbolic-ref', '--short', '-q', 'HEAD'], signal).catch(
    () => '',
  );
  const status = await askGit(
    root,
    ['status', '--porcelain', '-z', '-uno', '--ignore-submodules', '--', '.'],
    signal,
  ).catch(() => '');
  return {
    head,
    date,
    branch: branch.trim(),
    modified: status.split('\0').filter((entry) => entry !== '').length,
  };
}

/**
 * @param {string} root
 * @param {Version} version
 * @param {TaskContext} ctx
 */
function list(root, version, ctx) {
  const limit = setting(ctx, 'max_listed', 200_000);
  return version.kind === 'git'
    ? listTracked(root, { limit, signal: ctx.signal })
    : listFolder(root, { limit, signal: ctx.signal });
}

/**
 * @param {string} path
 * @param {string} folder
 */
function isBelow(path, folder) {
  const way = relative(folder, path);
  return way === '' || !(way === '..' || way.startsWith(`..${sep}`) || resolve(way) === way);
}

/**
 * Splits the entries into files to examine and files left out, each with its reason.
 *
 * @param {TaskContext} ctx
 * @param {string} root
 * @param {readonly Entry[]} entries
 */
async function sortOut(ctx, root, entries) {
  /** @type {string[]} */
  const files = [];
  /** @type {string[]} */
  const locks = [];
  /** @type {Map<string, Gap>} */
  const gaps = new Map();
  await eachItem(ctx, entries, async (entry) => {
    const why = await exclusion(root, entry);
    if (why !== undefined) addGap(gaps, why, entry.path);
    else if (roleOf(entry.path) === 'lock') locks.push(entry.path);
    else files.push(entry.path);
  });
  return { files: files.sort(byText), locks: locks.sort(byText), gaps: [...gaps.values()] };
}

/** @type {{ readonly [kind: string]: [string, string] }} */
const exclusions = {
  link: ['symbolic links', 'links are not followed: they may lead out of the repository'],
  submodule: ['submodules', 'they are repositories of their own: review them one by one'],
  missing: ['missing files', 'tracked, but not in the working tree'],
  special: ['special files', 'neither files nor folders'],
  vendored: ['vendored files', 'the code of others'],
  generated: ['generated files', 'made by a program: built output, bundles, snapshots'],
  large: [`files over ${maxFileBytes / 1024} KiB`, 'too large for source text'],
  binary: ['binary files', 'not text'],
};

/**
 * @param {string} root
 * @param {Entry} entry
 * @returns {Promise<string | undefined>} A key of `exclusions`.
 */
async function exclusion(root, entry) {
  if (entry.kind !== 'file') return entry.kind;
  const role = roleOf(entry.path);
  if (role === 'vendored' || role === 'generated') return role;
  if (isBinaryName(entry.path)) return 'binary';
  if (role === 'lock') return undefined;
  if (entry.bytes > maxFileBytes) return 'large';
  return languageOf(entry.path) === undefined && !(await looksLikeText(root, entry.path))
    ? 'binary'
    : undefined;
}

/**
 * @param {string} root
 * @param {string} path
 */
async function looksLikeText(root, path) {
  const head = await readText(root, path, { limit: 4096 });
  return isText(head) || head.reason !== 'binary content';
}

/**
 * @param {Map<string, Gap>} gaps
 * @param {string} kind
 * @param {string} path
 */
function addGap(gaps, kind, path) {
  const [what, why] = exclusions[kind] ?? [kind, kind];
  const gap = gaps.get(kind) ?? { what, count: 0, why, examples: [] };
  gap.count += 1;
  if (gap.examples.length < 3) gap.examples.push(path);
  gaps.set(kind, gap);
}

const rank = {
  source: 0,
  test: 1,
  docs: 2,
  config: 3,
  other: 4,
  lock: 5,
  generated: 6,
  vendored: 7,
};

/**
 * Keeps the most telling files when there are too many: source before tests before the rest.
 *
 * @param {readonly string[]} files Sorted.
 * @param {number} limit
 * @returns {{ files: string[], gap: Gap[] }}
 */
function cap(files, limit) {
  if (files.length <= limit) return { files: [...files], gap: [] };
  const ranked = files.toSorted((a, b) => rank[roleOf(a)] - rank[roleOf(b)] || byText(a, b));
  const left = ranked.slice(limit);
  const why = `more than max_files (${limit}); source files went first. Raise it with --input max_files=N`;
  return {
    files: ranked.slice(0, limit).sort(byText),
    gap: [{ what: 'files over the limit', count: left.length, why, examples: left.slice(0, 3) }],
  };
}

/** @param {readonly Entry[]} entries */
function totals(entries) {
  const files = entries.filter((entry) => entry.kind === 'file');
  return {
    tracked: entries.length,
    bytes: files.reduce((sum, entry) => sum + entry.bytes, 0),
    languages: tally(files, (entry) => languageOf(entry.path)?.name ?? 'other').map(
      ({ key, ...rest }) => ({ language: key, ...rest }),
    ),
    folders: tally(files, (entry) => folderOf(entry.path) || '.').map(({ key, ...rest }) => ({
      folder: key,
      ...rest,
    })),
    largest: files
      .toSorted((a, b) => b.bytes - a.bytes || byText(a.path, b.path))
      .slice(0, 10)
      .map(({ path, bytes }) => ({ path, bytes })),
  };
}

/**
 * @param {readonly Entry[]} files
 * @param {(entry: Entry) => string} keyOf
 */
function tally(files, keyOf) {
  /** @type {Map<string, { key: string, files: number, bytes: number }>} */
  const rows = new Map();
  for (const entry of files) {
    const key = keyOf(entry);
    const row = rows.get(key) ?? { key, files: 0, bytes: 0 };
    row.files += 1;
    row.bytes += entry.bytes;
    rows.set(key, row);
  }
  return [...rows.values()].sort((a, b) => b.files - a.files || byText(a.key, b.key)).slice(0, 20);
}

/** @param {Version} version */
function warningsOf(version) {
  if (version.kind === 'none')
    return [`No history: ${version.reason}. The files of the folder were reviewed instead.`];
  const warnings = version.head === '' ? ['The repository has no commit yet.'] : [];
  if (version.shallow)
    warnings.push(
      'A shallow clone: its history is cut off, so churn, hotspots and authors are partial. `git fetch --unshallow` gets the rest.',
    );
  if (version.modified > 0)
    warnings.push(
      `The working tree differs from the commit in ${version.modified} tracked files; the working tree was reviewed.`,
    );
  return warnings;
}
