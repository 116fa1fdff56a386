import type { Census } from '../../core/outcome.ts';
import type { Plain } from '../../core/plain.ts';
import type { RunReport, TaskReport } from '../../runtime/report.ts';
import { jsonText } from '../../runtime/control/json.ts';
import { byStanding } from './painter.ts';
import type { Painter } from './painter.ts';
import { counted, elapsed } from './shapes.ts';
import { fit, oneLine, widthOf } from './width.ts';

/** Failures and outputs that a summary shows; the rest is counted. Outputs that are null are left out. */
const maxShown = 10;

/** How a summary is laid out. */
export interface SummaryOptions {
  readonly paint: Painter;
  readonly columns: number;
}

/** A run for people: how it ended, what came of it, what failed and why, and what to do next. */
export function summaryLines(report: RunReport, options: SummaryOptions): readonly string[] {
  return [
    ...headLines(report, options),
    ...outputLines(report, options),
    ...failureLines(report, options),
    ...nextLines(report, options),
  ];
}

/** `3 succeeded, 1 failed`; what did not happen is left out. */
function censusText(census: Census): string {
  const parts = Object.entries(census).filter(([, count]) => count > 0);
  return parts.length === 0
    ? 'no tasks ended'
    : parts.map(([outcome, count]) => `${count} ${outcome.replace('_', ' ')}`).join(', ');
}

function headLines(report: RunReport, { paint, columns }: SummaryOptions): readonly string[] {
  const { metrics, status } = report;
  const word = byStanding(paint, status)(paint.strong(status.replace('_', ' ')));
  const reason = report.reason === 'completed' ? '' : ` (${report.reason})`;
  const mode = report.simulated ? paint.faint('  simulated') : '';
  const path =
    metrics.critical_path.length === 0 ? '' : `: ${metrics.critical_path.map(oneLine).join(' > ')}`;
  const effect = `speed-up ${metrics.speedup.toFixed(2)}x, parallel efficiency ${Math.round(metrics.parallel_efficiency * 100)}%`;
  return [
    `${word}${reason}  ${oneLine(report.workflow)}  ${report.run_id}${mode}`,
    `  ${censusText(report.census)}`,
    `  took ${elapsed(metrics.wall_ms)}, ${effect}`,
    `  critical path ${fit(`${elapsed(metrics.critical_path_ms)}${path}`, columns - 16)}`,
  ];
}

function outputLines(
  { outputs }: RunReport,
  { paint, columns }: SummaryOptions,
): readonly string[] {
  const all = isObject(outputs) ? Object.entries(outputs) : [['', outputs] as const];
  const entries = all.filter(([, value]) => value !== null);
  if (entries.length === 0) return [];
  const lines = entries.slice(0, maxShown).map(([key, value]) => {
    const label = key === '' ? '  ' : `  ${oneLine(key)}: `;
    return `${label}${fit(valueText(value), Math.max(10, columns - widthOf(label)))}`;
  });
  return [paint.strong('outputs'), ...lines, ...moreLine(entries.length, 'output', paint)];
}

function failureLines({ tasks }: RunReport, { paint, columns }: SummaryOptions): readonly string[] {
  const failed = tasks.filter(needsAttention);
  if (failed.length === 0) return [];
  const lines = failed
    .slice(0, maxShown)
    .flatMap((task) => [
      `  ${byStanding(paint, task.outcome)(oneLine(task.id))}  ${task.outcome.replace('_', ' ')}: ${task.reason}${attemptsText(task)}`,
      ...errorLines(task, columns),
    ]);
  return [paint.strong('not succeeded'), ...lines, ...moreLine(failed.length, 'task', paint)];
}

/** What was skipped or cancelled in consequence of something else is in the census; its own line would only bury the cause. */
function needsAttention({ error, outcome }: TaskReport): boolean {
  return (
    outcome === 'failed' || outcome === 'timed_out' || (error !== null && outcome !== 'succeeded')
  );
}

function attemptsText({ attempts }: TaskReport): string {
  return attempts > 1 ? ` after ${attempts} attempts` : '';
}

function errorLines({ error }: TaskReport, columns: number): readonly string[] {
  if (error === null) return [];
  const hint =
    error.hint === undefined ? [] : [`    ${fit(`next: ${oneLine(error.hint)}`, columns - 4)}`];
  return [`    ${fit(`${error.code} ${oneLine(error.message)}`, columns - 4)}`, ...hint];
}

function nextLines(
  { run_id, status, simulated }: RunReport,
  { paint }: SummaryOptions,
): readonly string[] {
  const all = `all of it    troupe show ${run_id} --json`;
  if (status === 'succeeded' || simulated) return [paint.faint(all)];
  return [paint.faint(all), `go on        troupe resume ${run_id}`];
}

function moreLine(count: number, noun: string, paint: Painter): readonly string[] {
  return count > maxShown
    ? [paint.faint(`  and ${counted(count - maxShown, `more ${noun}`)}`)]
    : [];
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
