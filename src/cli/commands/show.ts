import type { JournalRecord } from '../../journal/record.ts';
import { jsonText } from '../../runtime/control/json.ts';
import type { Troupe } from '../../runtime/api.ts';
import type { RunReport } from '../../runtime/report.ts';
import { exitCodes } from '../exit-codes.ts';
import type { DataOptions } from '../options.ts';
import { layoutOf } from '../layout.ts';
import { writeJson, writeLines, writeReport } from '../output.ts';
import type { ReportFacts } from '../output.ts';
import type { Painter } from '../render/painter.ts';
import { elapsed } from '../render/shapes.ts';
import { taskTable, timeline } from '../render/timeline.ts';
import { fit, oneLine } from '../render/width.ts';
import type { Shell } from '../shell.ts';
import { withStoredRun } from '../stored-runs.ts';
import { showBusLetters, showDeadLetters } from './dead-letters.ts';
import { showConflicts } from './conflicts.ts';

/** A run of up to so many tasks is shown with its tasks without asking. */
const fewTasks = 40;

/** What `troupe show` takes besides the run. */
export interface ShowOptions extends DataOptions {
  readonly json?: boolean;
  readonly tasks?: boolean;
  readonly records?: boolean;
  readonly conflicts?: boolean;
  readonly deadLetters?: boolean;
}

/** `troupe show RUN`: a run as its journal tells it, whoever owns it; without a run the dead letters of a bus. */
export async function show(
  shell: Shell,
  named: string | undefined,
  options: ShowOptions,
): Promise<number> {
  if (named === undefined) {
    await showBusLetters(shell, options);
    return exitCodes.ok;
  }
  await withStoredRun(shell, { run: named, options }, async (troupe, run) => {
    const { json = false, records = false, conflicts = false, deadLetters = false } = options;
    if (deadLetters) showDeadLetters(shell, run, { letters: await troupe.deadLetters(run), json });
    else if (conflicts) showConflicts(shell, run, { records: await troupe.records(run), json });
    else if (records && json)
      writeJson(shell, { format: 1, run_id: run, records: await troupe.records(run) });
    else if (records) showRecords(shell, await troupe.records(run));
    else if (json) writeJson(shell, await troupe.show(run));
    else showReport(shell, await troupe.show(run), { ...options, ...(await factsOf(troupe, run)) });
  });
  return exitCodes.ok;
}

/** Who owns a run its report does not say. */
async function factsOf(troupe: Troupe, run: string): Promise<ReportFacts> {
  const records = await troupe.records(run);
  const last = records.findLast(({ type }) => type === 'run.ended' || type === 'run.reopened');
  if (last?.type === 'run.ended') return {};
  const found = (await troupe.runs()).find(({ run_id }) => run_id === run);
  return { isInterrupted: found?.status === 'interrupted' };
}

function showReport(shell: Shell, report: RunReport, options: ShowOptions & ReportFacts): void {
  writeReport(shell, report, { ...options, form: 'text' });
  const layout = layoutOf(shell);
  if (options.tasks !== true && report.tasks.length > fewTasks) return;
  writeLines(
    shell,
    section('tasks', taskTable(report.tasks, { ...layout, ...options }), layout.paint),
  );
  writeLines(shell, section('timeline', timeline(report, layout), layout.paint));
}

function section(title: string, lines: readonly string[], paint: Painter): readonly string[] {
  return lines.length === 0 ? [] : ['', paint.strong(title), ...lines];
}

function showRecords(shell: Shell, records: readonly JournalRecord[]): void {
  const startedAt = records[0]?.at ?? 0;
  writeLines(
    shell,
    records.map((record) => recordLine(record, startedAt, shell.outColumns())),
  );
}

/** Number, time since the run's start, type, and the rest as JSON, cut to the line. */
function recordLine(
  { at, seq, type, ...rest }: JournalRecord,
  startedAt: number,
  columns: number,
): string {
  const head = `${String(seq).padStart(6)}  ${elapsed(at - startedAt).padStart(8)}  ${type.padEnd(20)}`;
  const detail = type === 'run.started' ? '' : oneLine(jsonText(rest));
  return `${head}  ${fit(detail, Math.max(10, columns - head.length - 2))}`.trimEnd();
}
