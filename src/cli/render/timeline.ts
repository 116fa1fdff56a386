import type { RunReport, TaskReport } from '../../runtime/report.ts';
import { byStanding } from './painter.ts';
import type { Painter } from './painter.ts';
import { elapsed, narrowTable } from './shapes.ts';
import { oneLine, pad, widthOf } from './width.ts';

/** Widest column of task ids in a timeline. */
const maxIdColumns = 28;

/** Ids are not cut below this, however narrow the terminal is. */
const leastIdColumns = 4;

/** Narrowest room for bars; below it there is no timeline to see. */
const leastBarColumns = 10;

/** How a table of tasks is laid out. */
export interface TaskTableOptions {
  readonly columns: number;
  /** Leave columns out, and cut ids, where they do not fit; default: let the lines be as long as they are. */
  readonly isTerminal?: boolean;
  /** Nobody owns the run: what was running runs no longer. */
  readonly isInterrupted?: boolean;
}

/** The tasks of a run as a table: outcome, reason, attempts, start and duration. */
export function taskTable(
  tasks: readonly TaskReport[],
  { columns, isInterrupted, isTerminal }: TaskTableOptions,
): readonly string[] {
  const rows = tasks.map((task) => {
    const isLeft = isInterrupted === true && task.outcome === 'running';
    return [
      oneLine(task.id),
      isLeft ? 'interrupted' : task.outcome.replace('_', ' '),
      isLeft ? '-' : task.reason,
      String(task.attempts),
      timeText(task.started_ms),
      timeText(durationOf(task)),
    ];
  });
  const heads = ['task', 'outcome', 'reason', 'attempts', 'start', 'duration'];
  const room = isTerminal === true ? columns : Number.POSITIVE_INFINITY;
  return narrowTable([heads, ...rows], room, ['attempts', 'reason', 'start']);
}

/** How a timeline is laid out. */
export interface TimelineOptions {
  readonly columns: number;
  readonly paint: Painter;
}

/**
 * The run as a Gantt chart in text, one line per task that started: `━` on the critical path, `─` off it.
 * A task that runs still ends at the right edge.
 */
export function timeline(
  report: RunReport,
  { columns, paint }: TimelineOptions,
): readonly string[] {
  const started = report.tasks.filter((task) => task.started_ms !== null);
  if (started.length === 0) return [];
  const idColumns = Math.min(
    maxIdColumns,
    Math.max(leastIdColumns, Math.floor(columns / 3)),
    Math.max(...started.map(({ id }) => widthOf(oneLine(id)))),
  );
  const barColumns = Math.max(leastBarColumns, columns - idColumns - 2);
  const spanMs = Math.max(
    report.metrics.wall_ms,
    ...started.map((task) => task.finished_ms ?? task.started_ms ?? 0),
    1,
  );
  const critical = new Set(report.metrics.critical_path);
  const bars = started.map((task) => {
    const { before, length } = barPlace(task, spanMs, barColumns);
    const drawn = (critical.has(task.id) ? '━' : '─').repeat(length);
    return `${pad(oneLine(task.id), idColumns)}  ${' '.repeat(before)}${byStanding(paint, task.outcome)(drawn)}`;
  });
  return [...bars, `${' '.repeat(idColumns)}  ${scale(spanMs, barColumns)}`];
}

/** Every bar has one character at least and lies within the columns. */
function barPlace(
  task: TaskReport,
  spanMs: number,
  columns: number,
): { before: number; length: number } {
  const start = task.started_ms ?? 0;
  const finish = task.finished_ms ?? spanMs;
  const before = Math.min(columns - 1, Math.floor((start / spanMs) * columns));
  const end = Math.min(columns, Math.round((finish / spanMs) * columns));
  return { before, length: Math.max(1, end - before) };
}

function scale(spanMs: number, columns: number): string {
  const last = elapsed(spanMs);
  return `0s${last.padStart(Math.max(0, columns - 2))}`;
}

function durationOf({ finished_ms: finished, started_ms: started }: TaskReport): number | null {
  return finished === null || started === null ? null : finished - started;
}

function timeText(timeMs: number | null): string {
  return timeMs === null ? '-' : elapsed(timeMs);
}
