import { byText, inputOf, messageOf, rounded, setting } from './context.mjs';
import { streamGit } from './git.mjs';
import { folderOf } from './languages.mjs';

/**
 * @typedef {import('./context.mjs').TaskContext} TaskContext
 * @typedef {{ file: string, commits: number, added: number, deleted: number, authors: number, main: string, share: number }} Churn
 * @typedef {{ name: string, commits: number, lines: number }} Author
 * @typedef {{ folder: string, files: number, lines: number, authors: number, main: string, share: number }} FolderRow
 *
 * @typedef {object} History
 * @property {boolean} available
 * @property {string} reason Why it is not available or partial; empty otherwise.
 * @property {string} window
 * @property {number} commits
 * @property {Churn[]} files Most changed first.
 * @property {Author[]} authors
 * @property {number} authorCount
 * @property {FolderRow[]} folders
 * @property {number} soleFiles Files that a single author changed.
 * @property {number} changedFiles
 * @property {number} busFactor Fewest authors who made more than half of the changes.
 *
 * @typedef {{ commits: number, added: number, deleted: number, by: Map<string, number> }} FileState
 * @typedef {{ files: Map<string, FileState>, authors: Map<string, Author>, commits: number, author: string, known: Set<string> }} State
 */

const keptFiles = 400;

/**
 * Who changed what, how often, within the window. A repository without history gives an answer that
 * says so: hotspots and authors are then told as not available instead of failing.
 *
 * @param {TaskContext} ctx
 * @returns {Promise<History>}
 */
export async function history(ctx) {
  /** @type {{ root: string, version: import('./inventory.mjs').Version, files: string[], since: string }} */
  const input = inputOf(ctx);
  const { version } = input;
  if (version.kind === 'none') return missing(version.reason);
  if (version.head === '') return missing('the repository has no commit yet');
  const since = sinceOf(String(input.since), version.date);
  const limit = setting(ctx, 'max_commits', 20_000);
  const state = await readLog(ctx, input, [
    `-n${limit}`,
    ...(since === '' ? [] : [`--since=${since}`]),
  ]);
  if (typeof state === 'string') return missing(state);
  return {
    ...summary(state),
    window: since === '' ? 'the whole history' : `since ${since.slice(0, 10)}`,
    reason: partialReason(state, version, limit),
  };
}

/**
 * @param {string} reason
 * @returns {History}
 */
function missing(reason) {
  return {
    available: false,
    reason,
    window: '',
    commits: 0,
    files: [],
    authors: [],
    authorCount: 0,
    folders: [],
    soleFiles: 0,
    changedFiles: 0,
    busFactor: 0,
  };
}

const unitDays = { day: 1, week: 7, month: 30, year: 365 };

/**
 * The start of the window as a date. "12 months" is counted back from the newest commit, not from
 * today, so that the same commit always gives the same report.
 *
 * @param {string} window
 * @param {string} head Date of the newest commit.
 */
function sinceOf(window, head) {
  if (window === '' || window === 'all') return '';
  const relative = /^(\d+)\s*(day|week|month|year)s?$/.exec(window.trim());
  if (relative === null) return isoDate(Date.parse(window), window);
  const unit = /** @type {keyof typeof unitDays} */ (relative[2]);
  return isoDate(Date.parse(head) - Number(relative[1]) * unitDays[unit] * 86_400_000, window);
}

/**
 * @param {number} time
 * @param {string} window
 */
function isoDate(time, window) {
  if (Number.isFinite(time)) return new Date(time).toISOString();
  throw Object.assign(
    new Error(
      `since=${JSON.stringify(window)} is neither a date nor a span such as "12 months", nor "all".`,
    ),
    { errorClass: 'permanent' },
  );
}

/**
 * @param {TaskContext} ctx
 * @param {{ root: string, files: string[] }} input
 * @param {readonly string[]} bounds
 * @returns {Promise<State | string>} A string says why there is none.
 */
async function readLog(ctx, { root, files }, bounds) {
  /** @type {State} */
  const state = {
    files: new Map(),
    authors: new Map(),
    commits: 0,
    author: '',
    known: new Set(files),
  };
  let rest = '';
  const onData = (/** @type {string} */ chunk) => {
    const parts = (rest + chunk).split('\0');
    rest = parts.pop() ?? '';
    for (const part of parts) takeEntry(state, part);
    ctx.progress(`${state.commits} commits`);
  };
  const args = [
    'log',
    '--no-merges',
    '--no-renames',
    '--no-ext-diff',
    '--no-textconv',
    '--numstat',
    '-z',
    '--relative',
    '--format=%x01%aN',
    ...bounds,
    'HEAD',
    '--',
    '.',
  ];
  try {
    await streamGit(root, args, { signal: ctx.signal, onData });
    return state;
  } catch (thrown) {
    ctx.signal.throwIfAborted();
    return `git log failed: ${messageOf(thrown)}`;
  }
}

/**
 * One entry of `git log -z --numstat`: a commit's author, or a file with its added and deleted lines.
 *
 * @param {State} state
 * @param {string} entry
 */
function takeEntry(state, entry) {
  const text = entry.replace(/^\n+/, '');
  if (text.startsWith('\u0001')) return takeCommit(state, text);
  const match = /^(\d+|-)\t(\d+|-)\t([\s\S]+)$/.exec(text);
  if (match !== null)
    takeChange(state, match[3] ?? '', [Number(match[1]) || 0, Number(match[2]) || 0]);
}

/**
 * @param {State} state
 * @param {string} text
 */
function takeCommit(state, text) {
  state.author = (text.slice(1).split('\n')[0] ?? '').trim() || 'unknown';
  state.commits += 1;
  const author = state.authors.get(state.author) ?? { name: state.author, commits: 0, lines: 0 };
  author.commits += 1;
  state.authors.set(state.author, author);
  /* The first file's numbers follow the format line in the same entry. */
  const tail = text.slice(text.indexOf('\n') + 1);
  if (text.includes('\n')) takeEntry(state, tail);
}

/**
 * @param {State} state
 * @param {string} path
 * @param {[number, number]} lines
 */
function takeChange(state, path, [plus, minus]) {
  if (!state.known.has(path)) return;
  const file = state.files.get(path) ?? { commits: 0, added: 0, deleted: 0, by: new Map() };
  file.commits += 1;
  file.added += plus;
  file.deleted += minus;
  file.by.set(state.author, (file.by.get(state.author) ?? 0) + plus + minus);
  state.files.set(path, file);
  const author = state.authors.get(state.author);
  if (author !== undefined) author.lines += plus + minus;
}

/** @param {State} state */
function summary(state) {
  const authors = [...state.authors.values()].sort(
    (a, b) => b.lines - a.lines || b.commits - a.commits || byText(a.name, b.name),
  );
  const files = [...state.files]
    .map(([file, facts]) => churnOf(file, facts))
    .sort((a, b) => b.commits - a.commits || b.added - a.added || byText(a.file, b.file));
  return {
    available: true,
    commits: state.commits,
    files: files.slice(0, keptFiles),
    authors: authors.slice(0, 30),
    authorCount: authors.length,
    folders: foldersOf(state.files),
    soleFiles: files.filter((file) => file.authors === 1).length,
    changedFiles: files.length,
    busFactor: busFactor(authors),
  };
}

/**
 * @param {string} file
 * @param {FileState} facts
 * @returns {Churn}
 */
function churnOf(file, facts) {
  return {
    file,
    commits: facts.commits,
    added: facts.added,
    deleted: facts.deleted,
    authors: facts.by.size,
    ...mainAuthor(facts.by),
  };
}

/** @param {ReadonlyMap<string, number>} by */
function mainAuthor(by) {
  const total = [...by.values()].reduce((sum, lines) => sum + lines, 0);
  const [name, lines] = [...by].sort(([a, x], [b, y]) => y - x || byText(a, b))[0] ?? ['', 0];
  return { main: name, share: total === 0 ? 1 : rounded(lines / total, 2) };
}

/** @param {ReadonlyMap<string, FileState>} files */
function foldersOf(files) {
  /** @type {Map<string, { files: number, by: Map<string, number> }>} */
  const folders = new Map();
  for (const [path, facts] of files) {
    const folder = folderOf(path).split('/').slice(0, 2).join('/') || '.';
    const row = folders.get(folder) ?? { files: 0, by: new Map() };
    row.files += 1;
    for (const [name, lines] of facts.by) row.by.set(name, (row.by.get(name) ?? 0) + lines);
    folders.set(folder, row);
  }
  return [...folders]
    .map(([folder, { files: count, by }]) => ({
      folder,
      files: count,
      lines: [...by.values()].reduce((sum, lines) => sum + lines, 0),
      authors: by.size,
      ...mainAuthor(by),
    }))
    .sort((a, b) => b.lines - a.lines || byText(a.folder, b.folder))
    .slice(0, 20);
}

/** @param {readonly Author[]} authors Most lines first. */
function busFactor(authors) {
  const half = authors.reduce((sum, author) => sum + author.lines, 0) / 2;
  let covered = 0;
  const needed = authors.findIndex((author) => (covered += author.lines) > half);
  return needed + 1;
}

/**
 * @param {State} state
 * @param {import('./inventory.mjs').Version} version
 * @param {number} limit
 */
function partialReason(state, version, limit) {
  if (version.shallow)
    return 'a shallow clone: commits before the cut are not counted, and the oldest one counts as if it had written everything';
  return state.commits >= limit ? `only the newest ${limit} commits were read` : '';
}
