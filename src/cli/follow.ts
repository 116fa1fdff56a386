import type { RunEvent, RunHandle, Troupe } from '../runtime/api.ts';
import type { RunReport } from '../runtime/report.ts';
import type { Workflow } from '../workflow/model.ts';
import { exitCodeOfRun, exitCodes } from './exit-codes.ts';
import { outputForm, writeEvent, writeReport } from './output.ts';
import type { OutputOptions } from './output.ts';
import { progressBlock } from './progress/block.ts';
import { Forecast } from './progress/forecast.ts';
import { LinesView } from './progress/lines.ts';
import { LiveView } from './progress/live.ts';
import { Tally } from './progress/tally.ts';
import { quietView } from './progress/view.ts';
import type { ProgressView } from './progress/view.ts';
import { painter } from './render/painter.ts';
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
  const interruption = new Interruption(shell, { handle, troupe, view });
  try {
    let seen = 0;
    if (form === 'jsonl' && options.fromStart) seen = await writeEarlier(shell, troupe, handle.id);
    const ended = drain(firstEvent, events, (event) => {
      observe(forecast, tally, event);
      tally.apply(event);
      view.show(event);
      if (form === 'jsonl' && isNew(event, seen)) writeEvent(shell, handle.id, event);
    });
    const report = await interruption.orClosed(outcomeAfter(handle, ended));
    view.stop();
    writeReport(shell, report, form);
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

function openView(shell: Shell, options: FollowOptions, { forecast, tally }: Watched): ProgressView {
  const { handle, quiet, workflow } = options;
  const write = (text: string): void => shell.err(text);
  const paint = painter(shell.colours.err);
  const { now, startedAt } = timeOf(shell, handle);
  write(`${paint.strong(handle.id)}  ${workflow.name}  ${workflow.tasks.length} tasks\n`);
  if (quiet === true) return quietView(write);
  if (!shell.terminal()) return new LinesView({ clock: shell.clock, write, tally, startedAt, paint });
  const lines = (): readonly string[] => {
    const size = shell.terminal() ?? { columns: 80, rows: 24 };
    return progressBlock({ tally, forecast, title: workflow.name, now: now(), startedAt, size, paint });
  };
  return new LiveView({ clock: shell.clock, write, lines });
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
  if (event.type !== 'task.succeeded' && event.type !== 'task.completed' && event.type !== 'task.ended') return;
  const running = tally.running.get(event.task);
  if (running) forecast.observe(event.task, event.at - running.since);
}

/** A simulated run has a time of its own, which only its report tells; any other is watched from now on. */
function timeOf(shell: Shell, handle: RunHandle): { readonly startedAt: number; readonly now: () => number } {
  const { simulated, started_at } = handle.report();
  if (!simulated) return { startedAt: shell.clock.now(), now: () => shell.clock.now() };
  const startedAt = Date.parse(started_at);
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

interface Interrupted {
  readonly troupe: Troupe;
  readonly handle: RunHandle;
  readonly view: ProgressView;
}

/**
 * What signals do to a run in the foreground. The first SIGINT cancels it, the second ends the process at
 * once and leaves the run to be resumed; SIGTERM and SIGHUP close gently and leave it to be resumed as well.
 */
class Interruption {
  exitCode: number | undefined;
  /** Settles when a signal has closed the Troupe; never otherwise. */
  private readonly closed: Promise<void>;
  private readonly shell: Shell;
  private readonly run: Interrupted;
  private readonly stopListening: readonly (() => void)[];
  private settleClosed: () => void = () => undefined;

  constructor(shell: Shell, run: Interrupted) {
    this.shell = shell;
    this.run = run;
    this.closed = new Promise((resolve) => (this.settleClosed = resolve));
    this.stopListening = [
      shell.onSignal('SIGINT', () => this.onInterrupt()),
      shell.onSignal('SIGTERM', () => this.onTerminate()),
      shell.onSignal('SIGHUP', () => this.onTerminate()),
    ];
  }

  /** The outcome of the run, or how it stood when a signal closed the Troupe, which may make the outcome fail. */
  async orClosed(outcome: Promise<RunReport>): Promise<RunReport> {
    const closed = this.closed.then(() => this.run.handle.report());
    const ended = outcome.catch((thrown: unknown) => {
      if (this.exitCode === exitCodes.terminated) return closed;
      throw thrown;
    });
    return Promise.race([ended, closed]);
  }

  dispose(): void {
    for (const stop of this.stopListening) stop();
  }

  private onInterrupt(): void {
    const { handle, view } = this.run;
    if (this.exitCode !== undefined) return this.leave();
    this.exitCode = exitCodes.interrupted;
    view.note('Cancelling the run gently. Press Ctrl-C again to leave at once; it can be resumed then.');
    handle.cancel('SIGINT').catch(() => undefined);
  }

  private leave(): void {
    this.run.view.note(`Left. To go on: troupe resume ${this.run.handle.id}`);
    this.run.view.stop();
    this.shell.exit(this.exitCode ?? exitCodes.interrupted);
  }

  private onTerminate(): void {
    const { handle, troupe, view } = this.run;
    if (this.exitCode !== undefined) return;
    this.exitCode = exitCodes.terminated;
    view.note(`Closing. To go on: troupe resume ${handle.id}`);
    troupe.close().then(this.settleClosed, this.settleClosed);
  }
}

