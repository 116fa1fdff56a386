import type { RunEvent } from '../runtime/api.ts';
import { jsonLine } from '../runtime/control/json.ts';
import type { RunReport } from '../runtime/report.ts';
import type { JournalRecord } from '../journal/record.ts';
import { summaryLines } from './render/summary.ts';
import type { SummaryOptions } from './render/summary.ts';
import type { Shell } from './shell.ts';
import { layoutOf } from './layout.ts';

/** How results are written. */
export type OutputForm = 'text' | 'json' | 'jsonl';

/** The options that choose how results are written. */
export interface OutputOptions {
  readonly json?: boolean;
  readonly jsonl?: boolean;
}

/** `--jsonl` wins over `--json`. */
export function outputForm({ json, jsonl }: OutputOptions): OutputForm {
  if (jsonl === true) return 'jsonl';
  return json === true ? 'json' : 'text';
}

/** Writes one JSON object on a line of its own. */
export function writeJson(shell: Shell, value: unknown): void {
  shell.out(jsonLine(value));
}

/** Writes lines of text. */
export function writeLines(shell: Shell, lines: readonly string[]): void {
  if (lines.length > 0) shell.out(`${lines.join('\n')}\n`);
}

/** One event of a run as a line; a journal record gets the run's id. */
export function writeEvent(shell: Shell, run: string, event: RunEvent | JournalRecord): void {
  writeJson(shell, { ...event, run });
}

/** What a text about a run says beyond its report. */
export type ReportFacts = Pick<SummaryOptions, 'isInterrupted' | 'isKept'>;

/** A run's report as the last thing that a command writes. */
export function writeReport(
  shell: Shell,
  report: RunReport,
  { form, ...facts }: ReportFacts & { readonly form: OutputForm },
): void {
  if (form === 'json') return writeJson(shell, report);
  if (form === 'jsonl') return writeJson(shell, { type: 'run.report', ...report });
  writeLines(shell, summaryLines(report, { ...layoutOf(shell), ...facts }));
}
