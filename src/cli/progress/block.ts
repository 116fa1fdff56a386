import { bar, counted, elapsed } from '../render/shapes.ts';
import { byStanding } from '../render/painter.ts';
import type { Painter } from '../render/painter.ts';
import type { TerminalSize } from '../shell.ts';
import { fit, oneLine, pad, widthOf } from '../render/width.ts';
import type { Forecast, TaskPace } from './forecast.ts';
import type { GroupTally, RunningTask, Tally } from './tally.ts';

/** What a drawing of a run's progress is made from. */
export interface BlockOptions {
  readonly tally: Tally;
  readonly forecast: Forecast;
  readonly title: string;
  /** Wall time in milliseconds, now and when the run began. */
  readonly now: number;
  readonly startedAt: number;
  readonly size: TerminalSize;
  readonly paint: Painter;
}

/** Groups and running tasks that are shown at most; the rest is counted. */
const maxGroups = 8;
const maxRunning = 12;

/** Narrower terminals than this are drawn as if they had it; lines are cut, never wrapped. */
const leastColumns = 20;

/**
 * The progress of a run as lines, none wider than the terminal and not more than it has rows less one:
 * a headline, the counts, a bar per group, and what runs now, longest first.
 */
export function progressBlock(options: BlockOptions): readonly string[] {
  const columns = Math.max(leastColumns, options.size.columns) - 1;
  const rows = Math.max(2, options.size.rows - 1);
  const lines = [headline(options, columns), countLine(options, columns)];
  const groups = shownGroups(
    options.tally,
    Math.min(maxGroups, Math.floor((rows - lines.length) / 2)),
  );
  for (const group of groups) lines.push(groupLine(group, columns, options.paint));
  lines.push(...runningLines(options, columns, Math.min(maxRunning + 1, rows - lines.length)));
  return lines;
}

function headline({ tally, title, now, startedAt, paint }: BlockOptions, columns: number): string {
  const tail = ` ${elapsed(now - startedAt)}`;
  const share = tally.total === 0 ? 0 : tally.endedCount / tally.total;
  const barColumns = Math.min(24, Math.max(4, Math.floor(columns / 4)));
  const name = fit(oneLine(title), columns - barColumns - widthOf(tail) - 1);
  return `${paint.accent(bar(share, barColumns))} ${paint.strong(name)}${paint.faint(tail)}`;
}

function countLine(
  { tally, forecast, now, startedAt, paint }: BlockOptions,
  columns: number,
): string {
  const { census, running } = tally;
  const remaining = forecast.remainingMs({
    unfinished: tally.unfinished,
    running: (task) => paceOf(running.get(task), now),
    elapsedMs: now - startedAt,
  });
  const parts: [string, (text: string) => string][] = [
    [`${tally.endedCount}/${tally.total}${tally.hasParts ? ' with parts' : ''}`, paint.strong],
  ];
  if (running.size > 0) parts.push([`${running.size} running`, paint.accent]);
  if (remaining !== undefined && tally.unfinished.size > 0)
    parts.push([`eta ${elapsed(remaining)}`, paint.faint]);
  for (const outcome of ['failed', 'timed_out', 'cancelled', 'skipped'] as const) {
    if (census[outcome] > 0)
      parts.push([`${census[outcome]} ${outcome.replace('_', ' ')}`, byStanding(paint, outcome)]);
  }
  if (tally.retries > 0)
    parts.push([tally.retries === 1 ? '1 retry' : `${tally.retries} retries`, paint.warn]);
  return joinWithin(parts, columns);
}

/** Parts from the left for as long as they fit, so that a colour is never cut in two. */
function joinWithin(parts: readonly [string, (text: string) => string][], columns: number): string {
  let line = '';
  let width = 0;
  for (const [text, colour] of parts) {
    const gap = width === 0 ? 0 : 2;
    if (width + gap + widthOf(text) > columns) break;
    line += ' '.repeat(gap) + colour(text);
    width += gap + widthOf(text);
  }
  return line;
}

/** Groups under way first, then those that wait, then those that are done; document order within. */
function shownGroups(tally: Tally, limit: number): readonly GroupTally[] {
  const groups = [...tally.groups.values()].filter(({ total }) => total > 0);
  const rank = ({ ended, total }: GroupTally): number => (ended === total ? 2 : ended > 0 ? 0 : 1);
  const chosen = new Set(
    [...groups].sort((a, b) => rank(a) - rank(b)).slice(0, Math.max(0, limit)),
  );
  return groups.filter((group) => chosen.has(group));
}

function groupLine(group: GroupTally, columns: number, paint: Painter): string {
  const count = ` ${group.ended}/${group.total}`;
  const barColumns = Math.min(20, Math.max(4, Math.floor(columns / 5)));
  const nameColumns = Math.min(28, columns - barColumns - count.length - 3);
  const colour =
    group.ended < group.total
      ? paint.accent
      : group.succeeded === group.total
        ? paint.good
        : paint.warn;
  return `  ${pad(oneLine(group.id), nameColumns)} ${colour(bar(group.ended / group.total, barColumns))}${count}`;
}

function runningLines(
  { tally, now, paint }: BlockOptions,
  columns: number,
  rows: number,
): string[] {
  if (tally.running.size === 0 || rows <= 0) return [];
  const fitsWhole = tally.running.size <= rows;
  const shown = longestRunning(tally.running, fitsWhole ? rows : rows - 1);
  const lines = shown.map((task) => runningLine(task, columns, { now, paint }));
  const hidden = tally.running.size - shown.length;
  if (hidden > 0)
    lines.push(paint.faint(fit(`  and ${counted(hidden, 'more task')} running`, columns)));
  return lines;
}

/** Tasks stand in `running` in the order of their dispatch. */
function longestRunning(
  running: ReadonlyMap<string, RunningTask>,
  limit: number,
): readonly RunningTask[] {
  const shown: RunningTask[] = [];
  for (const task of running.values()) {
    if (shown.length >= limit) break;
    shown.push(task);
  }
  return shown;
}

function runningLine(
  task: RunningTask,
  columns: number,
  { now, paint }: Pick<BlockOptions, 'now' | 'paint'>,
): string {
  const time = elapsed(now - task.since).padStart(7);
  const attempt = task.attempt > 1 ? ` #${task.attempt}` : '';
  const nameColumns = Math.min(28, columns - time.length - 3);
  const rest = columns - nameColumns - time.length - 4;
  const message = fit(oneLine(task.message), rest);
  return `  ${pad(oneLine(task.id) + attempt, nameColumns)} ${time}${message === '' ? '' : ` ${paint.faint(message)}`}`;
}

function paceOf(task: RunningTask | undefined, now: number): TaskPace | undefined {
  return task && { ranMs: Math.max(0, now - task.since), fraction: task.fraction };
}
