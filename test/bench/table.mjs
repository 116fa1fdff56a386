/**
 * Turns the lines of a run (standard input) into the table of docs/benchmarks.md (standard output), so that
 * no figure there is typed by hand.
 *
 * @import { Line } from './line.mjs'
 */
import { readFileSync } from 'node:fs';

const printed = readFileSync(0, 'utf8')
  .trim()
  .split('\n')
  .filter((text) => text.startsWith('{'))
  .map((text) => JSON.parse(text));
/** @type {Line[]} */
const lines = printed.filter(({ bench }) => bench !== 'summary');

const rows = lines.map(({ bench, case: name, n, ratio, target, fails_at, figures }) => {
  const told = Object.entries(figures).map(([key, value]) => `${key} ${shown(value)}`);
  return [bench, name, n, ratio, target ?? '-', fails_at ?? '-', told.join(', ')];
});
const head = ['load', 'case', 'n', 'ratio', 'aim', 'fails at', 'figures'];
for (const row of [head, head.map(() => '---'), ...rows]) {
  process.stdout.write(`| ${row.join(' | ')} |\n`);
}

/** @param {unknown} value */
function shown(value) {
  return Array.isArray(value) ? value.join(' ') || 'none' : String(value);
}
