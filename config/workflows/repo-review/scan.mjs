import { linesOf } from './files.mjs';

/**
 * Telling code from comments and strings without a parser: one expression per family of languages
 * finds comments and strings; they are blanked out, so that what remains can be searched for keywords
 * and braces. Good for measures and hints; not a compiler.
 *
 * @typedef {import('./languages.mjs').Family} Family
 * @typedef {object} Scan
 * @property {string[]} raw
 * @property {string[]} code The lines with comments replaced by `commentMark` and strings by spaces.
 * @property {number} codeLines
 * @property {number} commentLines
 * @property {number} blankLines
 */

/** Stands for one character of a comment. */
export const commentMark = '\u0001';

/* Ends of unterminated tokens: `(?![\s\S])` is the end of the text, since `$` with the m flag is not. */
const lineComment = '(//[^\\n]*)';
const blockComment = '(/\\*[\\s\\S]*?(?:\\*/|(?![\\s\\S])))';
const hashComment = '((?<![\\w$&\'"\\\\{(])#[^\\n]*)';
const quoted = '"(?:[^"\\\\\\n]|\\\\[\\s\\S])*"?';
const single = "'(?:[^'\\\\\\n]|\\\\[\\s\\S])*'?";
/* A quote in Rust or C may be a lifetime or a character: only short, closed ones are strings. */
const character = "'(?:[^'\\\\\\n]|\\\\[^\\n]{1,8})'";
const template = '`(?:[^`\\\\]|\\\\[\\s\\S])*`?';
const regex =
  '(?=/)(?<=(?:[=(,:\\[!&|?{};\\n]|=>|\\breturn)[ \\t]*)/(?![*/])(?:[^/\\\\\\n\\[]|\\\\.|\\[(?:[^\\]\\\\\\n]|\\\\.)*\\])+/[a-z]*';
const docString =
  '(?="""|\'\'\')(?<=^[ \\t]*)("""[\\s\\S]*?(?:"""|(?![\\s\\S]))|\'\'\'[\\s\\S]*?(?:\'\'\'|(?![\\s\\S])))';
const longString = '"""[\\s\\S]*?(?:"""|(?![\\s\\S]))|\'\'\'[\\s\\S]*?(?:\'\'\'|(?![\\s\\S]))';
const never = '(?!)';

/** Groups 1 and 2 are comments; anything else that matches is a string. */
/** @type {{ readonly [family in Family]: RegExp }} */
const tokens = {
  javascript: new RegExp(
    [lineComment, blockComment, template, quoted, single, regex].join('|'),
    'gm',
  ),
  c: new RegExp([lineComment, blockComment, quoted, character].join('|'), 'gm'),
  python: new RegExp([hashComment, docString, longString, quoted, single].join('|'), 'gm'),
  ruby: new RegExp([hashComment, `(${never})`, quoted, single].join('|'), 'gm'),
  hash: new RegExp([hashComment, `(${never})`, quoted, single].join('|'), 'gm'),
  dash: new RegExp(['(--[^\\n]*)', blockComment, quoted, single].join('|'), 'gm'),
  html: new RegExp(['(<!--[\\s\\S]*?(?:-->|(?![\\s\\S])))', `(${never})`].join('|'), 'gm'),
  prose: new RegExp(never, 'g'),
  data: new RegExp(never, 'g'),
};

/**
 * @param {string} text
 * @param {Family} family
 * @returns {Scan}
 */
export function scan(text, family) {
  const normal = text.replace(/\r\n?/g, '\n');
  const code = linesOf(normal.replace(tokens[family], blanked));
  const raw = linesOf(normal);
  if (raw.at(-1) === '') {
    raw.pop();
    code.pop();
  }
  return { raw, code, ...countLines(code) };
}

/**
 * @param {string} token
 * @param {unknown} first
 * @param {unknown} second
 */
function blanked(token, first, second) {
  const comment = typeof first === 'string' || typeof second === 'string';
  if (comment) return token.replace(/[^\n]/g, commentMark);
  return token.split('\n').map(emptied).join('\n');
}

/** @param {string} line Of a string: its length and its quotes stay, so that it still counts as code. */
function emptied(line) {
  return line.length < 2 ? line.replace(/./, '"') : `"${' '.repeat(line.length - 2)}"`;
}

/** @param {readonly string[]} code */
function countLines(code) {
  const counts = { codeLines: 0, commentLines: 0, blankLines: 0 };
  for (const line of code) counts[kindOf(line)] += 1;
  return counts;
}

/**
 * @param {string} line
 * @returns {'codeLines' | 'commentLines' | 'blankLines'}
 */
function kindOf(line) {
  if (line.trim() === '') return 'blankLines';
  return /[^\s\u0001]/.test(line) ? 'codeLines' : 'commentLines';
}

/**
 * True when the character at this place of a line belongs to a comment.
 *
 * @param {Scan} scanned
 * @param {number} index Of the line, from 0.
 * @param {number} column
 */
export function inComment(scanned, index, column) {
  return scanned.code[index]?.[column] === commentMark;
}
