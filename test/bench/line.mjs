/**
 * One figure of the suite, as it is printed. A gate is a ratio to a baseline of the same process run.
 * @typedef {object} Line
 * @property {string} bench
 * @property {string} case
 * @property {number} n tasks, workers or rounds that the figure was taken over
 * @property {number | null} ratio what is judged: ours over the baseline, or a growth exponent
 * @property {string | null} against what the ratio is to
 * @property {number | null} target what we aim at
 * @property {number | null} fails_at above it the run of the suite fails; null: the figure is only reported
 * @property {boolean} ok
 * @property {{ readonly [name: string]: number | string | readonly string[] }} figures with units in their names
 */

import { rounded } from './measure.mjs';

/**
 * @param {Pick<Line, 'bench' | 'case' | 'n'> & Partial<Line>} parts
 * @returns {Line}
 */
export function line({ bench, case: name, n, ...rest }) {
  const { ratio = null, against = null, target = null, fails_at = null, figures = {} } = rest;
  return {
    bench,
    case: name,
    n,
    ratio: ratio === null ? null : Math.round(ratio * 1000) / 1000,
    against,
    target,
    fails_at,
    ok: fails_at === null || (ratio !== null && ratio <= fails_at),
    figures: Object.fromEntries(Object.entries(figures).map(([key, value]) => [key, tidy(value)])),
  };
}

/** @param {number | string | readonly string[]} value */
function tidy(value) {
  return typeof value === 'number' ? rounded(value) : value;
}
