import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { eachItem, inputOf } from './context.mjs';
import { isText, linesOf, readText } from './files.mjs';
import { counted, keyOf } from './findings.mjs';
import { evidenceOf } from './redact.mjs';

/**
 * @typedef {import('./findings.mjs').Finding} Finding
 * @typedef {{ key: string, reason: string }} Rejection
 */

/**
 * A second pair of eyes: opens every file that the synthesis cites and looks whether the line still
 * says what the finding claims. A finding that does not hold sends the synthesis back, which
 * withdraws it and says so in the report.
 *
 * @param {import('./context.mjs').TaskContext} ctx
 */
export async function crossCheck(ctx) {
  /** @type {{ root: string, findings: Finding[] }} */
  const { root, findings } = inputOf(ctx);
  const cited = findings.filter((finding) => finding.file !== null);
  /** @type {Map<string, string[] | string>} */
  const opened = new Map();
  /** @type {Rejection[]} */
  const rejected = [];
  await eachItem(ctx, cited, async (finding) => {
    const reason = await objection(root, finding, opened);
    if (reason !== undefined) rejected.push({ key: keyOf(finding), reason });
  });
  const checked = cited.length;
  const summary = `${counted(checked, 'citation')} opened again, ${rejected.length} refused`;
  return {
    accepted: rejected.length === 0,
    feedback: rejected.length === 0 ? null : { rejected },
    checked,
    rejected,
    summary,
  };
}

/**
 * @param {string} root
 * @param {Finding} finding
 * @param {Map<string, string[] | string>} opened
 * @returns {Promise<string | undefined>} Why it does not hold; undefined: it does.
 */
async function objection(root, { file, line, evidence }, opened) {
  const path = file ?? '';
  if (line === null)
    return (await lstat(join(root, path)).catch(() => undefined)) === undefined
      ? 'the file is not there'
      : undefined;
  const lines = opened.get(path) ?? (await open(root, path));
  opened.set(path, lines);
  if (typeof lines === 'string') return lines;
  const text = lines[line - 1];
  if (text === undefined) return `the file has only ${counted(lines.length, 'line')}`;
  return evidenceOf(text) === evidence ? undefined : 'the line says something else now';
}

/**
 * @param {string} root
 * @param {string} path
 */
async function open(root, path) {
  const file = await readText(root, path);
  return isText(file) ? linesOf(file.text) : file.reason;
}
