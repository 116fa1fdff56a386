import type { DurabilityLevel } from '../journal/journal.ts';
import type { RunEvent, RunHandle, Troupe } from '../runtime/api.ts';
import type { RunReport } from '../runtime/report.ts';
import type { Workflow } from '../workflow/model.ts';
import { exitCodeOfRun } from './exit-codes.ts';
import { Interruption } from './interruption.ts';
import { outputForm, writeEvent, writeReport } from './output.ts';
import type { OutputOptions } from './output.ts';
import { PauseWatch } from './pause-watch.ts';
import { progressBlock } from './progress/block.ts';
import { Forecast } from './progress/forecast.ts';
import { LinesView } from './progress/lines.ts';
import { LiveView } from './progress/live.ts';
import { Tally } from './progress/tally.ts';
import { quietView } from './progress/view.ts';
import type { ProgressView } from './progress/view.ts';
import { painter } from './render/painter.ts';
import { counted } from './render/shapes.ts';
import { flowed, oneLine } from './render/width.ts';
import type { Coloured } from './render/width.ts';
import type { Shell } from './shell.ts';

/** What is followed, and how it is told. */
export interface FollowOptions extends OutputOptions {
  readonly troupe: Troupe;
  readonly handle: RunHandle;
  readonly workflow: Workflow;
  /** Say nothing while it lasts. */
  readonly quiet?: boolean;
  /** The run's records from before it was followed are written too (`--jsonl` of a new run). */
  readonly fromStart: boolean;
  /** Stay while the run is paused. Default: it is left when nothing of it runs any more. */
  readonly stay?: boolean;
  /** At level `memory` nothing of the run is kept. */
  readonly level?: DurabilityLevel;
}

/** Follows a run to its end: progress on standard error, the result on standard output; gives the exit code. */
export async function followRun(shell: Shell, options: FollowOptions): Promise<number> {
  const { handle, troupe } = options;
  const form = outputForm(options);
  const events = handle.events()[Symbol.asyncIterator]();
  const firstEvent = events.next();
  const tally = new Tally(options.workflow.groups);
  tally.begin(handle.report(), shell.clock.now());
  const forecast = await forecastOf(options.workflow);
  const view = openView(shell, options, { tally, forecast });
  const watch = new PauseWatch(handle);
  const interruption = new Interruption(shell, { handle, troupe, view });
  try {
    let seen = 0;
    if (form === 'jsonl' && options.fromStart) seen = await writeEarlier(shell, troupe, handle.id);
    const ended = drain(firstEvent, events, (event) => {
      observe(forecast, tally, event);
      tally.apply(event);
      view.show(event);
      watch.see(event, tally.running.size);
      if (form === 'jsonl' && isNew(event, seen)) writeEvent(shell, handle.id, event);
    });
    const outcome = outcomeAfter(handle, ended);
    const left = options.stay === true ? outcome : Promise.race([outcome, watch.idle]);
    const report = await interruption.orClosed(left);
    view.stop();
    writeReport(shell, report, {
      form,
      isInterrupted: report.status === 'running',
      isKept: options.level !== 'memory',
    });
    return interruption.exitCode ?? exitCodeOfRun(report.status);
  } finally {
    view.stop();
    interruption.dispose();
  }
}

interface Watched {
  readonly tally: Tally;
  readonly forecast: Forecast;
}

function openView(
  shell: Shell,
  options: FollowOptions,
  { forecast, tally }: Watched,
): ProgressView {
  const { handle, quiet, workflow } = options;
  const write = (text: string): void => shell.err(text);
  const paint = painter(shell.colours.err);
  const { now, startedAt } = timeOf(shell, options);
  const head: readonly Coloured[] = [
    [handle.id, paint.strong],
    [oneLine(workflow.name), String],
    [counted(workflow.tasks.length, 'task'), String],
  ];
  const columns = shell.terminal()?.columns ?? Number.POSITIVE_INFINITY;
  write(`${flowed(head, columns).join('\n')}\n`);
  if (quiet === true) return quietView(write);
  if (!shell.terminal())
    return new LinesView({ clock: shell.clock, write, tally, startedAt, paint });
  const lines = (): readonly string[] => {
    const size = shell.terminal() ?? { columns: 80, rows: 24 };
    return progressBlock({
      tally,
      forecast,
      title: workflow.name,
      now: now(),
      startedAt,
      size,
      paint,
    });
  };
  return new LiveView({
    clock: shell.clock,
    write,
    lines,
    stand: (block) => shell.stand(block),
  });
}

/** The plan only feeds the forecast, so that a plan that cannot be made never stops a run. */
async function forecastOf(workflow: Workflow): Promise<Forecast> {
  try {
    const { predict } = await import('../planning/schedule.ts');
    const isGuess = workflow.tasks.some(({ estimate }) => estimate === undefined);
    return new Forecast(predict(workflow, { budget: 1 }).tasks, isGuess);
  } catch {
    return new Forecast([]);
  }
}

/** An event that ends a task's attempt tells the forecast how long it took. */
function observe(forecast: Forecast, tally: Tally, event: RunEvent): void {
  if (
    event.type !== 'task.succeeded' &&
    event.type !== 'task.completed' &&
    event.type !== 'task.ended'
  )
    return;
  const running = tally.running.get(event.task);
  if (running) forecast.observe(event.task, event.at - running.since);
}

/**
 * A new run is told by the time since its first record, as its report is; one that goes on is watched from now on.
 * A simulated run has a time of its own, which only its report tells.
 */
function timeOf(
  shell: Shell,
  { handle, fromStart }: FollowOptions,
): { readonly startedAt: number; readonly now: () => number } {
  const { simulated, started_at } = handle.report();
  const now = (): number => shell.clock.now();
  if (!simulated && !fromStart) return { startedAt: now(), now };
  const startedAt = Date.parse(started_at);
  if (!simulated) return { startedAt, now };
  return { startedAt, now: () => startedAt + handle.report().metrics.wall_ms };
}

/** What the journal held when the following began; gives the last sequence number. A simulated run has no journal to read. */
async function writeEarlier(shell: Shell, troupe: Troupe, run: string): Promise<number> {
  const records = await troupe.records(run).catch(() => []);
  for (const record of records) writeEvent(shell, run, record);
  return records.at(-1)?.seq ?? 0;
}

function isNew(event: RunEvent, seen: number): boolean {
  return !('seq' in event) || event.seq > seen;
}

/** Events are for show; when they break off, the outcome still tells how the run ended. */
async function drain(
  first: Promise<IteratorResult<RunEvent>>,
  events: AsyncIterator<RunEvent>,
  take: (event: RunEvent) => void,
): Promise<void> {
  try {
    for (let next = await first; next.done !== true; next = await events.next()) take(next.value);
  } catch {
    return;
  }
}

/** The outcome, once every event before it has been shown. */
async function outcomeAfter(handle: RunHandle, ended: Promise<void>): Promise<RunReport> {
  const report = await handle.outcome();
  await ended;
  return report;
}
