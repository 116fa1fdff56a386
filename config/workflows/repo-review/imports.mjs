import { posix } from 'node:path';
import { folderOf } from './languages.mjs';
import { inComment } from './scan.mjs';

/**
 * Relative imports of JavaScript and TypeScript, and the files that they mean.
 *
 * @typedef {{ readonly specifier: string, readonly line: number, readonly typeOnly: boolean, readonly lazy: boolean }} ImportRow
 */

const statement =
  /\b(?:import|export)\s+(type\s)?(?:[^'"`;]{0,2000}?\sfrom\s*)?["']([^"'\n]+)["']|\b(?:require|import)\s*\(\s*["']([^"'\n]+)["']\s*\)/g;

/**
 * @param {import('./scan.mjs').Scan} scanned
 * @returns {ImportRow[]}
 */
export function importsIn(scanned) {
  const text = scanned.raw.join('\n');
  const starts = lineStarts(scanned.raw);
  return [...text.matchAll(statement)].flatMap((match) => {
    const line = lineAt(starts, match.index);
    if (inComment(scanned, line - 1, match.index - (starts[line - 1] ?? 0))) return [];
    /* Within a string the quotes of an import are blanked: only real statements keep their first word. */
    const word = scanned.code[line - 1]?.slice(match.index - (starts[line - 1] ?? 0)) ?? '';
    if (!/^(?:import|export|require)/.test(word)) return [];
    const specifier = match[2] ?? match[3] ?? '';
    return [
      {
        specifier,
        line: quoteLine(starts, match),
        typeOnly: match[1] !== undefined,
        lazy: match[3] !== undefined && word.startsWith('import'),
      },
    ];
  });
}

/**
 * The line that holds the specifier: an import may spread over several.
 *
 * @param {readonly number[]} starts
 * @param {RegExpExecArray} match
 */
function quoteLine(starts, match) {
  return lineAt(starts, match.index + match[0].length - 1);
}

/** @param {readonly string[]} lines */
function lineStarts(lines) {
  let at = 0;
  return lines.map((line) => (at += line.length + 1) - line.length - 1);
}

/**
 * The line, from 1, of a place in the text, by bisection.
 *
 * @param {readonly number[]} starts
 * @param {number} index
 */
function lineAt(starts, index) {
  let low = 0;
  let high = starts.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((starts[middle] ?? 0) <= index) low = middle;
    else high = middle;
  }
  return low + 1;
}

const extensions = [
  '',
  '.ts',
  '.tsx',
  '.mts',
  '.cts',
  '.d.ts',
  '.js',
  '.jsx',
  '.mjs',
  '.cjs',
  '.json',
  '.vue',
  '.svelte',
  '/index.ts',
  '/index.tsx',
  '/index.js',
  '/index.mjs',
  '/index.jsx',
];
/** TypeScript sources are imported under the name of what they become. */
const renamed = /** @type {const} */ ([
  [/\.js$/, '.ts'],
  [/\.js$/, '.tsx'],
  [/\.jsx$/, '.tsx'],
  [/\.mjs$/, '.mts'],
  [/\.cjs$/, '.cts'],
  [/\.js$/, '.d.ts'],
]);

/**
 * The file that a relative specifier means; undefined when no known file fits.
 *
 * @param {string} from
 * @param {string} specifier
 * @param {ReadonlySet<string>} known
 */
export function resolveImport(from, specifier, known) {
  return candidatesOf(posix.join(folderOf(from) || '.', specifier)).find((candidate) =>
    known.has(candidate),
  );
}

/**
 * The files that an import of this path may mean, in the order in which tools look for them.
 *
 * @param {string} path
 */
export function candidatesOf(path) {
  const target = path.replace(/[?#].*$/, '');
  return [
    ...extensions.map((extension) => target + extension),
    ...renamed.map(([ending, source]) => target.replace(ending, source)),
  ];
}

/** @param {string} specifier */
export function isRelative(specifier) {
  return (
    specifier.startsWith('./') ||
    specifier.startsWith('../') ||
    specifier === '.' ||
    specifier === '..'
  );
}
