import { byText } from './context.mjs';
import { redact } from './redact.mjs';

/**
 * @typedef {'critical' | 'high' | 'medium' | 'low'} Severity
 * @typedef {'high' | 'medium' | 'low'} Confidence
 *
 * @typedef {object} Finding Something to act on, with the place that proves it.
 * @property {string} aspect
 * @property {string} rule
 * @property {Severity} severity
 * @property {Confidence} confidence
 * @property {string} title
 * @property {string | null} file Null: the repository as a whole.
 * @property {number | null} line Counted from 1; null: the file as a whole.
 * @property {string} evidence What the line says, redacted.
 * @property {string} fix
 *
 * @typedef {object} Table
 * @property {string} title
 * @property {string[]} columns
 * @property {(string | number)[][]} rows
 *
 * @typedef {object} AspectOutput What every aspect hands to the synthesis.
 * @property {string} aspect
 * @property {string} examined One sentence: how much of what.
 * @property {Finding[]} findings The worst, at most `maxFindings`.
 * @property {number} total Findings before the cut.
 * @property {Table[]} tables
 * @property {{ [name: string]: number }} metrics What scores are computed from.
 * @property {string[]} notes What was not examined, and why.
 */

/** Findings that one aspect hands on; the number before the cut is always told. */
export const maxFindings = 60;

/** @type {readonly Severity[]} */
export const severities = ['critical', 'high', 'medium', 'low'];
/** @type {readonly Confidence[]} */
const confidences = ['high', 'medium', 'low'];

/**
 * Worst first: severity, then confidence, then place.
 *
 * @param {Finding} a
 * @param {Finding} b
 */
export function bySeverity(a, b) {
  return (
    severities.indexOf(a.severity) - severities.indexOf(b.severity) ||
    confidences.indexOf(a.confidence) - confidences.indexOf(b.confidence) ||
    byText(a.file ?? '', b.file ?? '') ||
    (a.line ?? 0) - (b.line ?? 0) ||
    byText(a.rule, b.rule)
  );
}

/**
 * A severity some steps lower, never below `low`.
 *
 * @param {Severity} severity
 * @param {number} steps
 * @returns {Severity}
 */
export function lowered(severity, steps) {
  return severities[Math.min(severities.length - 1, severities.indexOf(severity) + steps)] ?? 'low';
}

/**
 * What an aspect returns: findings ranked and cut, every sentence redacted.
 *
 * @param {string} aspect
 * @param {{ examined: string, findings: Omit<Finding, 'aspect'>[], total?: number, tables?: Table[], metrics?: { [name: string]: number }, notes?: string[] }} parts
 * @returns {AspectOutput}
 */
export function aspectOutput(aspect, parts) {
  const ranked = parts.findings
    .map((finding) => ({ ...finding, aspect, title: redact(finding.title) }))
    .sort(bySeverity);
  return {
    aspect,
    examined: parts.examined,
    findings: ranked.slice(0, maxFindings),
    total: parts.total ?? ranked.length,
    tables: (parts.tables ?? []).filter((table) => table.rows.length > 0),
    metrics: parts.metrics ?? {},
    notes: parts.notes ?? [],
  };
}

/**
 * The name of a finding that survives from one round to the next.
 *
 * @param {Finding} finding
 */
export function keyOf(finding) {
  return `${finding.rule}:${finding.file ?? ''}:${finding.line ?? 0}`;
}

/**
 * "1 file", "2 files".
 *
 * @param {number} count
 * @param {string} noun
 */
export function counted(count, noun) {
  if (count === 1) return `1 ${noun}`;
  return `${count} ${/[^aeiou]y$/.test(noun) ? `${noun.slice(0, -1)}ie` : noun}s`;
}
