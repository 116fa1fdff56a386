import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { byText } from './context.mjs';
import { askGit } from './git.mjs';

/**
 * @typedef {{ readonly path: string, readonly bytes: number, readonly kind: 'file' | 'link' | 'submodule' | 'missing' | 'special' }} Entry
 * @typedef {{ readonly limit: number, readonly signal: AbortSignal }} Bounds
 * @typedef {{ entries: Entry[], gaps: import('./inventory.mjs').Gap[] }} Listing
 */

/** Folders that no one means when they say "this folder"; git leaves them out by its ignore file. */
const skippedFolders = new Set([
  '.git',
  '.hg',
  '.svn',
  '.troupe',
  'node_modules',
  '__pycache__',
  '.venv',
  '.idea',
  '.cache',
]);

/**
 * What git tracks below the folder.
 *
 * @param {string} root
 * @param {Bounds} bounds
 * @returns {Promise<Listing>}
 */
export async function listTracked(root, { limit, signal }) {
  const stages = (await askGit(root, ['ls-files', '-z', '-s', '--', '.'], signal))
    .split('\0')
    .filter((row) => row !== '');
  /* During a merge a path stands there once per side. */
  const rows = new Map(stages.map((row) => [row.slice(row.indexOf('\t') + 1), row.slice(0, 6)]));
  const paths = [...rows.keys()].sort(byText);
  /** @type {Entry[]} */
  const entries = [];
  for (const path of paths.slice(0, limit)) {
    signal.throwIfAborted();
    entries.push(await trackedEntry(root, path, rows.get(path) ?? ''));
  }
  return { entries, gaps: overLimit(paths.length, limit) };
}

/**
 * @param {string} root
 * @param {string} path
 * @param {string} mode As git writes it: 120000 is a link, 160000 a submodule.
 * @returns {Promise<Entry>}
 */
async function trackedEntry(root, path, mode) {
  if (mode === '160000') return { path, bytes: 0, kind: 'submodule' };
  return statEntry(root, path);
}

/**
 * @param {string} root
 * @param {string} path
 * @returns {Promise<Entry>}
 */
async function statEntry(root, path) {
  const stat = await lstat(join(root, path)).catch(() => undefined);
  if (stat === undefined) return { path, bytes: 0, kind: 'missing' };
  if (stat.isSymbolicLink()) return { path, bytes: 0, kind: 'link' };
  return stat.isFile()
    ? { path, bytes: stat.size, kind: 'file' }
    : { path, bytes: 0, kind: 'special' };
}

/**
 * The files of a folder without git, folder by folder, links never followed.
 *
 * @param {string} root
 * @param {Bounds} bounds
 * @returns {Promise<Listing>}
 */
export async function listFolder(root, { limit, signal }) {
  /** @type {Entry[]} */
  const entries = [];
  /** @type {string[]} */
  const closed = [];
  const folders = [''];
  for (
    let folder = folders.shift();
    folder !== undefined && entries.length < limit;
    folder = folders.shift()
  ) {
    signal.throwIfAborted();
    const items = await readdir(join(root, folder), { withFileTypes: true }).catch(() => undefined);
    if (items === undefined) closed.push(folder);
    else await take(root, { folder, items, folders, entries });
  }
  entries.sort((a, b) => byText(a.path, b.path));
  const count = folders.length > 0 ? entries.length + 1 : entries.length;
  return { entries, gaps: [...overLimit(count, limit), ...unreadable(closed)] };
}

/**
 * @param {string} root
 * @param {{ folder: string, items: import('node:fs').Dirent[], folders: string[], entries: Entry[] }} at
 */
async function take(root, { folder, items, folders, entries }) {
  for (const item of items.sort((a, b) => byText(a.name, b.name))) {
    const path = folder === '' ? item.name : `${folder}/${item.name}`;
    if (!item.isDirectory()) entries.push(await statEntry(root, path));
    else if (!skippedFolders.has(item.name)) folders.push(path);
  }
}

/**
 * @param {readonly string[]} folders
 * @returns {import('./inventory.mjs').Gap[]}
 */
function unreadable(folders) {
  if (folders.length === 0) return [];
  return [
    {
      what: 'unreadable folders',
      count: folders.length,
      why: 'no permission to list them',
      examples: folders.slice(0, 3),
    },
  ];
}

/**
 * @param {number} count
 * @param {number} limit
 * @returns {import('./inventory.mjs').Gap[]}
 */
function overLimit(count, limit) {
  if (count <= limit) return [];
  return [
    {
      what: 'files beyond the list',
      count: count - limit,
      why: `only the first ${limit} files by name were listed`,
      examples: [],
    },
  ];
}
