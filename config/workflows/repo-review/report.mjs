import { createHash } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { inputOf } from './context.mjs';
import { markdownOf } from './markdown.mjs';

/**
 * @typedef {import('./context.mjs').TaskContext} TaskContext
 * @typedef {import('./synthesis.mjs').Review} Review
 */

/**
 * Writes report.md and report.json. Each is written beside its place and renamed: a reader sees the
 * old file or the new one, never half of one, also when the process is killed in between.
 *
 * @param {TaskContext} ctx
 */
export async function writeReport(ctx) {
  /** @type {{ review: Review, checked: { summary: string } | null, out: string }} */
  const { review, checked, out } = inputOf(ctx);
  const summary = checked?.summary ?? '';
  const markdown = markdownOf(review, summary);
  const json = `${JSON.stringify({ format: 1, checked: summary, ...review }, null, 2)}\n`;
  await mkdir(out, { recursive: true });
  await replaceFile(join(out, 'report.md'), markdown, ctx);
  await replaceFile(join(out, 'report.json'), json, ctx);
  return {
    headline: review.headline,
    report: join(out, 'report.md'),
    data: join(out, 'report.json'),
    findings: review.findings.length,
    counts: review.counts,
    not_examined: review.unexamined.length,
    sha256: createHash('sha256').update(markdown).update(json).digest('hex'),
  };
}

/**
 * @param {string} path
 * @param {string} text
 * @param {TaskContext} ctx
 */
async function replaceFile(path, text, { signal, operation }) {
  signal.throwIfAborted();
  /* Named by the operation: a second attempt replaces what a killed first one left, and two runs do not meet. */
  const draft = `${path}.${createHash('sha256').update(operation).digest('hex').slice(0, 12)}.tmp`;
  try {
    await writeDurably(draft, text);
    await rename(draft, path);
  } finally {
    await rm(draft, { force: true });
  }
}

/**
 * @param {string} path
 * @param {string} text
 */
async function writeDurably(path, text) {
  const handle = await open(path, 'w');
  try {
    await handle.writeFile(text, 'utf8');
    await handle.sync();
  } finally {
    await handle.close();
  }
}
