import { lstat } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { byText, eachItem, inputOf, rounded } from './context.mjs';
import { cyclesOf, shortestLoop } from './cycles.mjs';
import { isText, readText } from './files.mjs';
import { askGit } from './git.mjs';
import { aspectOutput, counted } from './findings.mjs';
import { candidatesOf, importsIn, isRelative, resolveImport } from './imports.mjs';
import { baseName, folderOf, isSample, isScript, languageOf, roleOf } from './languages.mjs';
import { evidenceOf } from './redact.mjs';
import { scan } from './scan.mjs';

/**
 * @typedef {{ line: number, evidence: string }} Place
 * @typedef {object} Graph
 * @property {Map<string, string[]>} edges Imports that load at start; types and lazy imports do not close a cycle.
 * @property {Map<string, Place>} places By "from to".
 * @property {Map<string, number>} users
 * @property {{ file: string, line: number, specifier: string, evidence: string }[]} lost Imports that mean no known file.
 * @property {number} imports
 *
 * @typedef {{ root: string, files: string[], folders: import('./inventory.mjs').Inventory['folders'], largest: import('./inventory.mjs').Inventory['largest'] }} Input
 */

/**
 * How the files hang together: cycles of imports, the most used modules, the largest folders.
 *
 * @param {import('./context.mjs').TaskContext} ctx
 */
export async function structure(ctx) {
  /** @type {Input} */
  const input = inputOf(ctx);
  const scripts = input.files.filter(isScript);
  const graph = await graphOf(ctx, input, scripts);
  const cycles = cyclesOf(graph.edges);
  return aspectOutput('structure', {
    examined: `${counted(scripts.length, 'JavaScript or TypeScript file')}, ${counted(graph.imports, 'relative import')}`,
    findings: [
      ...cycles.map((part) => cycleFinding(part, graph)),
      ...(await lostFindings(input.root, graph, ctx.signal)),
    ],
    tables: [folderTable(input), largestTable(input), userTable(graph)],
    metrics: {
      cycles: cycles.length,
      files_in_cycles: cycles.flat().length,
      imports: graph.imports,
      scripts: scripts.length,
    },
    notes:
      scripts.length < input.files.length
        ? [
            'Import cycles are looked for in JavaScript and TypeScript only; imports by package name or path alias are not followed.',
          ]
        : [],
  });
}

/**
 * @param {import('./context.mjs').TaskContext} ctx
 * @param {Input} input
 * @param {readonly string[]} scripts
 */
async function graphOf(ctx, { root, files }, scripts) {
  const known = new Set(files);
  /** @type {Graph} */
  const graph = { edges: new Map(), places: new Map(), users: new Map(), lost: [], imports: 0 };
  await eachItem(ctx, scripts, async (path) => {
    const file = await readText(root, path, { signal: ctx.signal });
    if (isText(file))
      addImports(graph, {
        path,
        known,
        scanned: scan(file.text, languageOf(path)?.family ?? 'javascript'),
      });
  });
  return graph;
}

/**
 * @param {Graph} graph
 * @param {{ path: string, known: ReadonlySet<string>, scanned: import('./scan.mjs').Scan }} module
 */
function addImports(graph, { path, known, scanned }) {
  const targets = new Set();
  for (const row of importsIn(scanned).filter((found) => isRelative(found.specifier))) {
    graph.imports += 1;
    const evidence = evidenceOf(scanned.raw[row.line - 1] ?? '');
    const target = resolveImport(path, row.specifier, known);
    if (target === undefined) {
      graph.lost.push({ file: path, line: row.line, specifier: row.specifier, evidence });
      continue;
    }
    graph.users.set(target, (graph.users.get(target) ?? 0) + 1);
    if (row.typeOnly || row.lazy) continue;
    targets.add(target);
    graph.places.set(`${path} ${target}`, { line: row.line, evidence });
  }
  graph.edges.set(path, [...targets].sort(byText));
}

/**
 * @param {readonly string[]} part
 * @param {Graph} graph
 */
function cycleFinding(part, graph) {
  const loop = shortestLoop(part, graph.edges);
  const [first = '', second = ''] = loop;
  const place = graph.places.get(`${first} ${second}`);
  return {
    rule: 'import-cycle',
    severity: part.length > 8 ? /** @type {const} */ ('medium') : /** @type {const} */ ('low'),
    confidence: /** @type {const} */ ('high'),
    title: `Import cycle of ${counted(part.length, 'file')}: ${loop.slice(0, 4).map(baseName).join(' → ')}${loop.length > 4 ? ' → …' : ''}`,
    file: first,
    line: place?.line ?? null,
    evidence: place?.evidence ?? '',
    fix: 'Move what both need into a third module, or turn one import into a parameter.',
  };
}

/**
 * One finding per module that is not there, at the first import that asks for it.
 *
 * @param {string} root
 * @param {Graph} graph
 * @param {AbortSignal} signal
 */
async function lostFindings(root, { lost }, signal) {
  /** @type {Map<string, Graph['lost']>} */
  const byTarget = new Map();
  for (const row of lost.toSorted((a, b) => byText(a.file, b.file) || a.line - b.line)) {
    const target = posix.join(folderOf(row.file) || '.', row.specifier);
    byTarget.set(target, [...(byTarget.get(target) ?? []), row]);
  }
  const targets = await Promise.all(
    [...byTarget].map(async ([target, rows]) => ({ rows, path: await existing(root, target) })),
  );
  const fine = await trackedOf(
    root,
    targets.flatMap(({ path }) => path ?? []),
    signal,
  );
  return targets
    .filter(({ rows, path }) => !isBuilt(rows) && (path === undefined || !fine.has(path)))
    .flatMap(({ rows, path }) => lostFinding(rows, path !== undefined));
}

/**
 * Output of a build may be there or not: that says nothing about the repository.
 *
 * @param {Graph['lost']} rows
 */
function isBuilt(rows) {
  return rows.some((row) => roleOf(posix.join(folderOf(row.file), row.specifier)) === 'generated');
}

/**
 * @param {Graph['lost']} rows
 * @param {boolean} there On disk, though git does not know it.
 */
function lostFinding(rows, there) {
  const [first] = rows;
  if (first === undefined) return [];
  const also = rows.length > 1 ? ` (${rows.length} imports)` : '';
  return [
    {
      rule: there ? 'untracked-import' : 'lost-import',
      severity: there ? /** @type {const} */ ('medium') : /** @type {const} */ ('low'),
      confidence: isSample(first.file)
        ? /** @type {const} */ ('low')
        : /** @type {const} */ ('medium'),
      title: `Imports ${first.specifier}, which ${there ? 'is on this disk but not tracked' : 'does not exist'}${also}`,
      file: first.file,
      line: first.line,
      evidence: first.evidence,
      fix: there
        ? 'Add it, or a fresh clone will not run.'
        : 'Fine if a build makes the file; otherwise the import fails.',
    },
  ];
}

/**
 * The file on disk that an import means, though it was not among those examined.
 *
 * @param {string} root
 * @param {string} target
 */
async function existing(root, target) {
  if (target.startsWith('..')) return undefined;
  for (const candidate of candidatesOf(target)) {
    const stat = await lstat(join(root, candidate)).catch(() => undefined);
    if (stat?.isFile() === true) return candidate;
  }
  return undefined;
}

/**
 * Which of these files are tracked: left out by a limit or by their kind, but not forgotten. Without
 * git every file that is there counts.
 *
 * @param {string} root
 * @param {readonly string[]} paths
 * @param {AbortSignal} signal
 */
async function trackedOf(root, paths, signal) {
  const asked = paths.slice(0, 500);
  if (asked.length === 0) return new Set(paths);
  try {
    const listed = await askGit(
      root,
      ['--literal-pathspecs', 'ls-files', '-z', '--', ...asked],
      signal,
    );
    return new Set([...listed.split('\0'), ...paths.slice(500)]);
  } catch {
    signal.throwIfAborted();
    return new Set(paths);
  }
}

/** @param {Input} input */
function folderTable({ folders }) {
  const rows = folders
    .slice(0, 10)
    .map((row) => [row.folder, row.files, `${rounded(row.bytes / 1024)} KiB`]);
  return { title: 'Folders with the most files', columns: ['folder', 'files', 'size'], rows };
}

/** @param {Input} input */
function largestTable({ largest }) {
  return {
    title: 'Largest files',
    columns: ['file', 'size'],
    rows: largest.map((row) => [row.path, `${rounded(row.bytes / 1024)} KiB`]),
  };
}

/** @param {Graph} graph */
function userTable({ users }) {
  const rows = [...users].sort(([a, x], [b, y]) => y - x || byText(a, b)).slice(0, 10);
  return { title: 'Most imported modules', columns: ['module', 'imports'], rows };
}
