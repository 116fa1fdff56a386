import type { Census } from '../../core/outcome.ts';
import type { Plain } from '../../core/plain.ts';
import type { RunReport } from '../../runtime/report.ts';
import { jsonText } from '../../runtime/control/json.ts';
import { providerFacts } from './provider-facts.ts';
import { reliabilityFacts } from './reliability-facts.ts';
import { recoveryFacts, recoverySteps } from './recovery-facts.ts';
import { spendFacts } from './spend-facts.ts';
import { failureLines } from './failed-tasks.ts';
import { groupFacts } from './group-facts.ts';
import { adaptationFacts, parallelFacts } from './parallel-facts.ts';
import { byStanding } from './painter.ts';
import type { Painter, Standing } from './painter.ts';
import { counted, countedTasks, elapsed } from './shapes.ts';
import { fit, flowed, oneLine, widthOf, wrapped } from './width.ts';
import type { Coloured } from './width.ts';

/** Outputs that a summary shows; the rest is counted. Outputs that are null are left out. */
const maxShown = 10;

/** Longest text of an output that is shown whole. */
const maxWholeText = 500;

/** How a summary is laid out, and what the report does not know. */
export interface SummaryOptions {
  readonly paint: Painter;
  readonly columns: number;
  /** Wrap at the columns what is told whole; default: leave its lines as long as they are. */
  readonly isTerminal?: boolean;
  /** Nobody owns the run, and it has not ended. */
  readonly isInterrupted?: boolean;
  /** The run's journal is in files. Default true. */
  readonly isKept?: boolean;
}

/** A run for people: how it ended, what came of it, what failed and why, and what to do next. */
export function summaryLines(report: RunReport, options: SummaryOptions): readonly string[] {
  const wrapColumns = options.isTerminal === true ? options.columns : Number.POSITIVE_INFINITY;
  const wrap = (line: string): readonly string[] => wrapped(line, wrapColumns);
  return [
    ...flowed(headParts(report, options), wrapColumns),
    ...factLines(report, options).flatMap(wrap),
    ...outputLines(report, options, wrap),
    ...failureLines(report, options.paint, wrapColumns),
    ...nextLines(report, options, wrap),
  ];
}

function headParts(report: RunReport, options: SummaryOptions): readonly Coloured[] {
  const { paint, isInterrupted = false } = options;
  const standing: Standing = isInterrupted ? 'interrupted' : report.status;
  const colour = byStanding(paint, standing);
  const reason =
    report.reason === 'completed' || report.reason === 'in_progress' ? '' : ` (${report.reason})`;
  return [
    [standing.replace('_', ' ') + reason, (text) => colour(paint.strong(text))],
    [oneLine(report.workflow), String],
    [report.run_id, String],
    ...(report.simulated ? [['simulated', paint.faint] as const] : []),
  ];
}

function factLines(report: RunReport, { columns }: SummaryOptions): readonly string[] {
  const { metrics, tasks } = report;
  const path =
    metrics.critical_path.length === 0 ? '' : `: ${metrics.critical_path.map(oneLine).join(' > ')}`;
  return [
    `  ${countedTasks(tasks.map(({ id }) => id))}: ${censusText(report.census)}`,
    ...parallelFacts(metrics).map((fact) => `  ${fact}`),
    ...groupFacts(report.groups).map((fact) => `  ${fact}`),
    ...adaptationFacts(report.adaptation).map((fact) => `  ${fact}`),
    ...providerFacts(report.providers).map((fact) => `  ${fact}`),
    ...reliabilityFacts(report.reliability).map((fact) => `  ${fact}`),
    ...recoveryFacts(report).map((fact) => `  ${fact}`),
    ...spendFacts(report.spend).map((fact) => `  ${fact}`),
    `  critical path ${fit(`${elapsed(metrics.critical_path_ms)}${path}`, columns - 16)}`,
  ];
}

/** `3 succeeded, 1 failed`; what did not happen is left out. */
function censusText(census: Census): string {
  const parts = Object.entries(census).filter(([, count]) => count > 0);
  return parts.length === 0
    ? 'none ended'
    : parts.map(([outcome, count]) => `${count} ${outcome.replace('_', ' ')}`).join(', ');
}

function outputLines(
  { outputs }: RunReport,
  { paint, columns }: SummaryOptions,
  wrap: (line: string) => readonly string[],
): readonly string[] {
  const all = isObject(outputs) ? Object.entries(outputs) : [['', outputs] as const];
  const entries = all.filter(([, value]) => value !== null);
  if (entries.length === 0) return [];
  const lines = entries.slice(0, maxShown).flatMap(([key, value]) => {
    const label = key === '' ? '  ' : `  ${oneLine(key)}: `;
    if (typeof value === 'string' && value.length <= maxWholeText)
      return wrap(label + oneLine(value));
    return [`${label}${fit(valueText(value), Math.max(10, columns - widthOf(label)))}`];
  });
  const more = entries.length - maxShown;
  const rest = more > 0 ? [paint.faint(`  and ${counted(more, 'more output')}`)] : [];
  return [paint.strong('outputs'), ...lines, ...rest];
}

/** What was kept can be looked at and gone on with; of anything else the report is all there will be. */
function nextLines(
  report: RunReport,
  { isInterrupted = false, isKept = true, paint }: SummaryOptions,
  wrap: (line: string) => readonly string[],
): readonly string[] {
  const { run_id, simulated, status } = report;
  if (simulated || !isKept)
    return wrap('all of it    the same command with --json').map(paint.faint);
  const all = wrap(`all of it    troupe show ${run_id} --json`).map(paint.faint);
  const steps = recoverySteps(report).flatMap((step) => wrap(step));
  const canGoOn = isInterrupted || (status !== 'succeeded' && status !== 'running');
  return canGoOn
    ? [...all, ...steps, ...wrap(`go on        troupe resume ${run_id}`)]
    : [...all, ...steps];
}

function valueText(value: Plain): string {
  return oneLine(typeof value === 'string' ? value : jsonText(value));
}

function isObject(value: Plain): value is { readonly [key: string]: Plain } {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Uint8Array)
  );
}
