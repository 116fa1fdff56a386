import { inputOf } from './context.mjs';
import { bySeverity, counted, keyOf, severities } from './findings.mjs';
import { scoresOf } from './scores.mjs';

/**
 * @typedef {import('./findings.mjs').AspectOutput} AspectOutput
 * @typedef {import('./findings.mjs').Finding} Finding
 * @typedef {import('./inventory.mjs').Inventory} Inventory
 * @typedef {Omit<Inventory, 'root' | 'out' | 'files' | 'locks' | 'folders' | 'largest'>} Subject What the report says of the repository; no path of this machine.
 * @typedef {{ succeeded: number, failed: number, timed_out: number, cancelled: number, skipped: number }} Census
 * @typedef {{ rejected?: { key: string, reason: string }[] }[] | null} Feedback One entry per validation that objected.
 *
 * @typedef {object} Review
 * @property {Subject & { examined: number }} subject
 * @property {string} headline
 * @property {import('./scores.mjs').Score[]} scores
 * @property {(Finding & { id: string })[]} findings
 * @property {{ [severity: string]: number }} counts
 * @property {{ aspect: string, shown: number, total: number }[]} cut
 * @property {{ aspect: string, examined: string, tables: import('./findings.mjs').Table[] }[]} aspects
 * @property {{ what: string, why: string }[]} unexamined
 * @property {{ key: string, reason: string }[]} withdrawn Findings that the cross-check could not confirm.
 */

/**
 * Puts the aspects together. Everything comes through the input, which the journal holds: a resumed
 * run synthesises from what was found, without looking at the repository again.
 *
 * @param {import('./context.mjs').TaskContext} ctx
 * @returns {Review}
 */
export function synthesise(ctx) {
  /** @type {{ inventory: Inventory, aspects: (AspectOutput | null)[] | null, expected: string[], census: Census | null }} */
  const input = inputOf(ctx);
  const aspects = (input.aspects ?? []).filter((aspect) => aspect !== null);
  const withdrawn = rejectedBy(/** @type {Feedback} */ (/** @type {unknown} */ (ctx.feedback)));
  const findings = rankedFindings(aspects, new Set(withdrawn.map((row) => row.key)));
  const scores = scoresOf(aspects);
  return {
    subject: subjectOf(input.inventory),
    headline: headline(input.inventory, findings, scores),
    scores,
    findings,
    counts: Object.fromEntries(
      severities.map((severity) => [
        severity,
        findings.filter((finding) => finding.severity === severity).length,
      ]),
    ),
    cut: aspects
      .filter((aspect) => aspect.total > aspect.findings.length)
      .map((aspect) => ({
        aspect: aspect.aspect,
        shown: aspect.findings.length,
        total: aspect.total,
      })),
    aspects: aspects.map(({ aspect, examined, tables }) => ({ aspect, examined, tables })),
    unexamined: [
      ...missingAspects(aspects, input),
      ...gapsOf(input.inventory),
      ...notesOf(aspects),
    ],
    withdrawn,
  };
}

/** @param {Feedback} feedback */
function rejectedBy(feedback) {
  return (feedback ?? []).flatMap((objection) => objection.rejected ?? []);
}

/** @param {Inventory} inventory */
function subjectOf(inventory) {
  const { name, version, tracked, bytes, languages, gaps, warnings, files } = inventory;
  return { name, version, tracked, bytes, languages, gaps, warnings, examined: files.length };
}

/**
 * @param {readonly AspectOutput[]} aspects
 * @param {ReadonlySet<string>} withdrawn
 */
function rankedFindings(aspects, withdrawn) {
  const kept = aspects
    .flatMap((aspect) => aspect.findings)
    .filter((finding) => !withdrawn.has(keyOf(finding)));
  return kept
    .sort(bySeverity)
    .map((finding, index) => ({ id: `F${String(index + 1).padStart(3, '0')}`, ...finding }));
}

/**
 * @param {Inventory} inventory
 * @param {readonly Finding[]} findings
 * @param {readonly import('./scores.mjs').Score[]} scores
 */
function headline(inventory, findings, scores) {
  if (inventory.tracked === 0) return 'There is nothing to review: no files.';
  const urgent = findings.filter(
    (finding) => finding.severity === 'critical' || finding.severity === 'high',
  );
  const weakest = scores
    .filter((score) => score.score !== null)
    .sort((a, b) => (a.score ?? 0) - (b.score ?? 0))[0];
  const first =
    urgent.length === 0
      ? 'Nothing critical or high was found'
      : `${counted(urgent.length, 'finding')} of critical or high severity`;
  const second =
    weakest === undefined
      ? ''
      : ` The weakest area is ${weakest.area.toLowerCase()} (${weakest.score} of 100).`;
  return `${coverage(inventory)}${first}; ${counted(findings.length, 'finding')} in all.${second}`;
}

/** @param {Inventory} inventory A review that saw less than half of the files must not read like one of them all. */
function coverage({ files, tracked }) {
  if (files.length * 2 >= tracked) return '';
  const all = counted(tracked, 'file');
  if (files.length === 0) return `None of ${all} was examined. `;
  return `Only ${files.length} of ${all} ${files.length === 1 ? 'was' : 'were'} examined. `;
}

/**
 * Aspects that the barrier went on without. The census says how they ended; the group's output has
 * a gap in their place.
 *
 * @param {readonly AspectOutput[]} aspects
 * @param {{ expected: string[], census: Census | null }} input
 */
function missingAspects(aspects, { expected, census }) {
  const there = new Set(aspects.map((aspect) => aspect.aspect));
  const ends = Object.entries(census ?? {}).filter(
    ([name, count]) => name !== 'succeeded' && name !== 'late' && count > 0,
  );
  const how =
    ends.map(([name, count]) => `${count} ${name.replace('_', ' ')}`).join(', ') ||
    'it did not finish';
  return expected
    .filter((name) => !there.has(name))
    .map((name) => ({
      what: `The aspect "${name}"`,
      why: `no result (of the group: ${how}). \`troupe show\` tells the error`,
    }));
}

/** @param {Inventory} inventory */
function gapsOf({ gaps }) {
  return gaps.map((gap) => ({
    what: `${gap.count} ${gap.what}`,
    why: `${gap.why}${gap.examples.length > 0 ? ` (${gap.examples.join(', ')}${gap.count > gap.examples.length ? ', …' : ''})` : ''}`,
  }));
}

/** @param {readonly AspectOutput[]} aspects */
function notesOf(aspects) {
  const notes = aspects.flatMap((aspect) =>
    aspect.notes.map((note) => ({ what: `In "${aspect.aspect}"`, why: note })),
  );
  const seen = new Set();
  return notes.filter((note) => !seen.has(note.why) && seen.add(note.why));
}
