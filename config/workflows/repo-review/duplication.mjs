import { byText, eachItem, inputOf, rounded, setting } from './context.mjs';
import { isText, readText } from './files.mjs';
import { aspectOutput, counted } from './findings.mjs';
import { extensionOf, languageOf, roleOf } from './languages.mjs';
import { evidenceOf } from './redact.mjs';
import { commentMark, scan } from './scan.mjs';

/**
 * @typedef {{ path: string, hashes: number[], lines: number[], shown: string[] }} Body The telling lines of a file.
 * @typedef {{ a: Body, b: Body, at: number, from: number, length: number }} Repeat
 * @typedef {{ bodies: Body[], windows: Map<number, [number, number]>, repeats: Repeat[], lines: number, repeated: number, twins: number, full: boolean }} Index
 */

/** As many telling lines in a row have to be equal. */
const windowLines = 8;

/**
 * Blocks of code that stand in more than one place. Every window of eight telling lines is hashed;
 * a hash seen before is extended as far as the lines agree.
 *
 * @param {import('./context.mjs').TaskContext} ctx
 */
export async function duplication(ctx) {
  /** @type {{ root: string, files: string[] }} */
  const { root, files } = inputOf(ctx);
  const sources = files.filter((path) => roleOf(path) === 'source');
  const limit = setting(ctx, 'max_windows', 400_000);
  /** @type {Index} */
  const index = {
    bodies: [],
    windows: new Map(),
    repeats: [],
    lines: 0,
    repeated: 0,
    twins: 0,
    full: false,
  };
  await eachItem(ctx, sources, async (path) => {
    if (index.windows.size > limit) return void (index.full = true);
    const file = await readText(root, path, { signal: ctx.signal });
    if (isText(file)) addBody(index, bodyOf(path, file.text));
  });
  return report(index, sources.length, limit);
}

/**
 * @param {string} path
 * @param {string} text
 * @returns {Body}
 */
function bodyOf(path, text) {
  const scanned = scan(text, languageOf(path)?.family ?? 'prose');
  /** @type {Body} */
  const body = { path, hashes: [], lines: [], shown: [] };
  for (const [index, line] of scanned.raw.entries()) {
    if (!isTelling(scanned.code[index] ?? '')) continue;
    body.hashes.push(hashOf(line.trim().replace(/\s+/g, ' ')));
    body.lines.push(index + 1);
    body.shown.push(line);
  }
  return body;
}

/** @param {string} code Brackets, imports and comments repeat everywhere and mean nothing. */
function isTelling(code) {
  const line = code.replaceAll(commentMark, '').trim();
  return (
    /[A-Za-z0-9]{2}/.test(line) &&
    !/^(?:import|from|export \*|package|using|#include|use)\b/.test(line)
  );
}

/** @param {string} text FNV-1a over 32 bits. */
function hashOf(text) {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1)
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return hash >>> 0;
}

/**
 * @param {Index} index
 * @param {Body} body
 */
function addBody(index, body) {
  const number = index.bodies.push(body) - 1;
  index.lines += body.hashes.length;
  for (let at = 0; at + windowLines <= body.hashes.length; at += 1) {
    const key = windowKey(body.hashes, at);
    const seen = index.windows.get(key);
    const repeat = seen === undefined ? undefined : repeatAt(index, { seen, body, at, number });
    if (repeat === undefined) {
      if (seen === undefined) index.windows.set(key, [number, at]);
      continue;
    }
    at += repeat.length - 1;
    if (areTwins(repeat.a.path, repeat.b.path)) {
      index.twins += 1;
      continue;
    }
    index.repeats.push(repeat);
    index.repeated += repeat.length;
  }
}

/**
 * Files of one name with different endings are builds of one source: `a.js`, `a.cjs`, `src/a.ts`.
 *
 * @param {string} a
 * @param {string} b
 */
function areTwins(a, b) {
  const [x, y] = [`/${stemOf(a)}`, `/${stemOf(b)}`];
  return a !== b && (x.endsWith(y) || y.endsWith(x)) && extensionOf(a) !== extensionOf(b);
}

/** @param {string} path */
function stemOf(path) {
  return path.replace(/(?:\.d)?\.\w+$/, '');
}

/**
 * @param {readonly number[]} hashes
 * @param {number} at
 */
function windowKey(hashes, at) {
  let high = 17;
  let low = 0x811c9dc5;
  for (let index = at; index < at + windowLines; index += 1) {
    high = (Math.imul(high, 31) + (hashes[index] ?? 0)) | 0;
    low = Math.imul(low ^ (hashes[index] ?? 0), 0x01000193);
  }
  return (high >>> 12) * 2 ** 32 + (low >>> 0);
}

/**
 * @param {Index} index
 * @param {{ seen: [number, number], body: Body, at: number, number: number }} found
 * @returns {Repeat | undefined}
 */
function repeatAt(index, { seen: [other, from], body, at, number }) {
  const first = index.bodies[other];
  if (first === undefined) return undefined;
  let length = 0;
  while (
    first.hashes[from + length] !== undefined &&
    first.hashes[from + length] === body.hashes[at + length]
  ) {
    if (other === number && from + length >= at) break;
    length += 1;
  }
  return length < windowLines ? undefined : { a: first, b: body, at, from, length };
}

/**
 * @param {Index} index
 * @param {number} files
 * @param {number} limit
 */
function report(index, files, limit) {
  const repeats = index.repeats.sort(
    (x, y) => y.length - x.length || byText(x.b.path, y.b.path) || x.at - y.at,
  );
  const share = rounded((100 * index.repeated) / Math.max(1, index.lines));
  return aspectOutput('duplication', {
    examined: `${counted(files, 'source file')}, ${counted(index.lines, 'telling line')}`,
    findings: repeats.filter((repeat) => repeat.length >= 15).map(repeatFinding),
    tables: [
      {
        title: 'Longest repeated blocks',
        columns: ['lines', 'here', 'and there'],
        rows: repeats
          .slice(0, 10)
          .map((repeat) => [
            repeat.length,
            place(repeat.b, repeat.at),
            place(repeat.a, repeat.from),
          ]),
      },
    ],
    metrics: { repeated_lines: index.repeated, lines: index.lines, share },
    notes: [
      ...(index.full
        ? [`Looking for repeats stopped after ${limit} windows; later files were not compared.`]
        : []),
      ...(index.twins > 0
        ? [
            `${counted(index.twins, 'block')} between files of one name with different endings were taken for builds of one source and not counted.`,
          ]
        : []),
    ],
  });
}

/** @param {Repeat} repeat */
function repeatFinding(repeat) {
  return {
    rule: 'repeated-block',
    severity: repeat.length >= 60 ? /** @type {const} */ ('medium') : /** @type {const} */ ('low'),
    confidence: /** @type {const} */ ('high'),
    title: `${repeat.length} lines repeat ${place(repeat.a, repeat.from)}`,
    file: repeat.b.path,
    line: repeat.b.lines[repeat.at] ?? 1,
    evidence: evidenceOf(repeat.b.shown[repeat.at] ?? ''),
    fix: 'Keep one; or say in a comment why two are right.',
  };
}

/**
 * @param {Body} body
 * @param {number} at
 */
function place(body, at) {
  return `${body.path}:${body.lines[at] ?? 1}`;
}
