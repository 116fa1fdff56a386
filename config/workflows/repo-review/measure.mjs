import { byText, eachItem, inputOf } from './context.mjs';
import { isText, readText } from './files.mjs';
import { functionsIn } from './functions.mjs';
import { languageOf, roleOf } from './languages.mjs';
import { evidenceOf } from './redact.mjs';
import { inComment, scan } from './scan.mjs';

/**
 * @typedef {import('./context.mjs').TaskContext} TaskContext
 * @typedef {{ files: number, code: number, comment: number, blank: number, functions: number }} Lines
 * @typedef {{ file: string, line: number, name: string, lines: number, complexity: number, nesting: number, test: boolean, evidence: string }} FunctionRow
 * @typedef {{ file: string, code: number, complexity: number, functions: number, worst: FunctionRow | null }} FileRow
 * @typedef {{ file: string, line: number, word: string, evidence: string }} Marker
 *
 * @typedef {object} Measures One shard's measures: totals of everything, rows of the worst.
 * @property {number} examined
 * @property {{ file: string, reason: string }[]} unread
 * @property {string[]} broken Files whose text is not valid in its encoding.
 * @property {{ [language: string]: Lines }} languages
 * @property {{ source: Lines, test: Lines }} roles
 * @property {{ long: number, complex: number, nested: number }} over Functions of source files over a threshold.
 * @property {FunctionRow[]} functions
 * @property {FileRow[]} files
 * @property {{ count: number, rows: Marker[] }} markers
 */

/** From here on a function is called long, complex or deeply nested. */
export const thresholds = { lines: 70, complexity: 15, nesting: 4 };
const keptFunctions = 40;
const keptFiles = 120;
const keptMarkers = 40;
const keptUnread = 20;

/**
 * Lines, functions, complexity and markers of one shard of the files.
 *
 * @param {TaskContext} ctx
 * @returns {Promise<Measures>}
 */
export async function measure(ctx) {
  /** @type {{ root: string, files: string[] | null }} */
  const { root, files } = inputOf(ctx);
  const measures = empty();
  await eachItem(ctx, files ?? [], async (path) => {
    const file = await readText(root, path, { signal: ctx.signal });
    if (!isText(file)) return void measures.unread.push({ file: path, reason: file.reason });
    if (file.broken) measures.broken.push(path);
    measures.examined += 1;
    measureText(measures, path, file.text);
  });
  return cut(measures);
}

/** @returns {Measures} */
function empty() {
  return {
    examined: 0,
    unread: [],
    broken: [],
    languages: {},
    roles: { source: noLines(), test: noLines() },
    over: { long: 0, complex: 0, nested: 0 },
    functions: [],
    files: [],
    markers: { count: 0, rows: [] },
  };
}

/** @returns {Lines} */
export function noLines() {
  return { files: 0, code: 0, comment: 0, blank: 0, functions: 0 };
}

/**
 * @param {Measures} measures
 * @param {string} path
 * @param {string} text
 */
function measureText(measures, path, text) {
  const language = languageOf(path) ?? { name: 'other', family: /** @type {const} */ ('prose') };
  const scanned = scan(text, language.family);
  const role = roleOf(path);
  const behaves = role === 'source' || role === 'test';
  /* Declarations of types have signatures, not functions. */
  const found =
    behaves && !/\.d\.[mc]?ts$/.test(path)
      ? functionsIn(scanned.code, language.family)
      : { functions: [], loose: 0 };
  const lines = {
    files: 1,
    code: scanned.codeLines,
    comment: scanned.commentLines,
    blank: scanned.blankLines,
    functions: found.functions.length,
  };
  measures.languages[language.name] = added(measures.languages[language.name] ?? noLines(), lines);
  if (!behaves) return;
  measures.roles[role] = added(measures.roles[role], lines);
  addFunctions(measures, path, { scanned, found });
  addMarkers(measures, path, scanned);
}

/**
 * @param {Lines} a
 * @param {Lines} b
 * @returns {Lines}
 */
export function added(a, b) {
  return {
    files: a.files + b.files,
    code: a.code + b.code,
    comment: a.comment + b.comment,
    blank: a.blank + b.blank,
    functions: a.functions + b.functions,
  };
}

/**
 * @param {Measures} measures
 * @param {string} path
 * @param {{ scanned: import('./scan.mjs').Scan, found: ReturnType<typeof functionsIn> }} facts
 */
function addFunctions(measures, path, { scanned, found }) {
  const test = roleOf(path) === 'test';
  const rows = found.functions.map((facts) => ({
    file: path,
    ...facts,
    test,
    evidence: evidenceOf(scanned.raw[facts.line - 1] ?? ''),
  }));
  const complexity = found.loose + rows.reduce((sum, row) => sum + row.complexity, 0);
  const worst = rows.toSorted(byComplexity)[0] ?? null;
  if (!test) {
    measures.files.push({
      file: path,
      code: scanned.codeLines,
      complexity,
      functions: rows.length,
      worst,
    });
    measures.over.long += rows.filter((row) => row.lines > thresholds.lines).length;
    measures.over.complex += rows.filter((row) => row.complexity > thresholds.complexity).length;
    measures.over.nested += rows.filter((row) => row.nesting > thresholds.nesting).length;
  }
  measures.functions.push(...rows.filter((row) => isNotable(row)));
}

/** @param {FunctionRow} row */
function isNotable(row) {
  return !row.test && (row.lines > 25 || row.complexity > 8 || row.nesting > 3);
}

/**
 * @param {FunctionRow} a
 * @param {FunctionRow} b
 */
export function byComplexity(a, b) {
  return (
    b.complexity - a.complexity || b.lines - a.lines || byText(a.file, b.file) || a.line - b.line
  );
}

/* As people write them: the word, then a colon, a name in brackets or a sentence; not in quotes. */
const marker = /(?<!['"`\w-])(TODO|FIXME|HACK|XXX)(?=[\s:(]|$)/;

/**
 * @param {Measures} measures
 * @param {string} path
 * @param {import('./scan.mjs').Scan} scanned
 */
function addMarkers(measures, path, scanned) {
  for (const [index, line] of scanned.raw.entries()) {
    const match = marker.exec(line);
    if (match === null || !inComment(scanned, index, match.index)) continue;
    measures.markers.count += 1;
    if (measures.markers.rows.length >= keptMarkers) continue;
    measures.markers.rows.push({
      file: path,
      line: index + 1,
      word: match[1] ?? '',
      evidence: evidenceOf(line),
    });
  }
}

/**
 * @param {Measures} measures
 * @returns {Measures}
 */
function cut(measures) {
  const longest = measures.functions
    .toSorted((a, b) => b.lines - a.lines || byComplexity(a, b))
    .slice(0, keptFunctions / 2);
  const hardest = measures.functions.toSorted(byComplexity).slice(0, keptFunctions);
  return {
    ...measures,
    unread: measures.unread.slice(0, keptUnread),
    broken: measures.broken.slice(0, keptUnread),
    functions: [...new Set([...hardest, ...longest])],
    files: measures.files
      .sort((a, b) => b.complexity - a.complexity || byText(a.file, b.file))
      .slice(0, keptFiles),
  };
}
