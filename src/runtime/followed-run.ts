import { pause } from '../bus/fenced-append.ts';
import type { Clock } from '../core/clock.ts';
import { TroupeError } from '../core/errors.ts';
import { apply } from '../journal/fold.ts';
import type { JournalFollowing, JournalStore } from '../journal/journal.ts';
import type { JournalRecord } from '../journal/record.ts';
import { emptyRunState } from '../journal/run-state.ts';
import { buildGraph } from '../planning/graph.ts';
import type { TaskGraph } from '../planning/graph.ts';
import type { RunVerb } from '../supervisors/run/run-verb.ts';
import type { RunEvent, RunHandle } from './api.ts';
import { RunControlDesk } from './run-controls.ts';
import { EventStream } from './event-stream.ts';
import type { RunReport } from './report.ts';
import { reportOf } from './reporting.ts';

/** What a followed run is made from. */
export interface FollowedRunOptions {
  readonly store: JournalStore;
  readonly run: string;
  readonly clock: Clock;
  /** Aborted: nobody looks any more. */
  readonly signal: AbortSignal;
  readonly cancel: (by: string) => Promise<void>;
  readonly carryOut: (verb: RunVerb) => Promise<void>;
}

/**
 * A run that another process carries, seen through its journal: what is durable, and nothing else.
 *
 * Invariant: its state is the fold of a prefix of the journal, which grows until the run has ended.
 */
export class FollowedRun extends RunControlDesk implements RunHandle {
  readonly id: string;
  private readonly options: FollowedRunOptions;
  private readonly state = emptyRunState();
  private readonly streams = new Set<EventStream<RunEvent>>();
  private readonly ended: Promise<RunReport>;
  private graph: TaskGraph | undefined;
  private following: JournalFollowing | undefined;
  private isOver = false;
  /** Ends after which the run was opened again before anybody looked. */
  private endsToPass = 0;
  private begun: () => void = () => undefined;
  private settle: (report: RunReport) => void = () => undefined;
  private fail: (error: TroupeError) => void = () => undefined;

  private constructor(options: FollowedRunOptions) {
    super();
    this.options = options;
    this.id = options.run;
    this.ended = new Promise((resolve, reject) => {
      this.settle = resolve;
      this.fail = reject;
    });
    this.ended.catch(() => undefined);
  }

  /** Resolves when the run's first record is there, however long that takes. Rejects with TRP_CLOSED when aborted. */
  static async open(options: FollowedRunOptions): Promise<FollowedRun> {
    const { signal, store } = options;
    const followed = new FollowedRun(options);
    const past = await recordsOf(options);
    followed.endsToPass = past.filter(({ type }) => type === 'run.reopened').length;
    const begun = new Promise<void>((resolve) => (followed.begun = resolve));
    const take = (records: readonly JournalRecord[]): void => followed.take(records);
    followed.following = await store.follow?.(options.run, take);
    if (followed.isOver) followed.following?.stop();
    signal.addEventListener('abort', () => followed.stop(), { once: true });
    await Promise.race([begun, followed.ended]);
    return followed;
  }

  events(): AsyncIterable<RunEvent> {
    const stream = new EventStream<RunEvent>(() => this.streams.delete(stream));
    if (this.isOver) stream.end();
    else this.streams.add(stream);
    return stream;
  }

  report(): RunReport {
    if (!this.graph) throw new TroupeError('TRP_INTERNAL', `Run ${this.id} has not begun.`);
    return reportOf(this.state, this.graph, this.options.clock.now());
  }

  outcome(): Promise<RunReport> {
    return this.ended;
  }

  async cancel(by = 'user'): Promise<RunReport> {
    await this.options.cancel(by);
    return this.ended;
  }

  carryOut(verb: RunVerb): Promise<void> {
    return this.options.carryOut(verb);
  }

  /** Nobody looks any more; the run goes on. */
  stop(): void {
    if (this.isOver) return;
    this.fail(new TroupeError('TRP_CLOSED', `Run ${this.id} is not followed any more.`));
    this.end();
  }

  private take(records: readonly JournalRecord[]): void {
    for (const record of records) {
      if (this.isOver) return;
      apply(this.state, record);
      if (record.type === 'run.started') this.start(record.workflow);
      for (const stream of this.streams) stream.push({ ...record, run: this.id });
      if (record.type !== 'run.ended' || this.endsToPass-- > 0) continue;
      this.settle(this.report());
      this.end();
    }
  }

  private start(workflow: Parameters<typeof buildGraph>[0]): void {
    this.graph = buildGraph(workflow);
    this.begun();
  }

  private end(): void {
    this.isOver = true;
    this.following?.stop();
    for (const stream of this.streams) stream.end();
  }
}

/** How often a run that is not there yet is looked for, in milliseconds. */
const lookEveryMs = 200;

/** What the run's journal holds, as soon as there is one. */
async function recordsOf({
  clock,
  run,
  signal,
  store,
}: FollowedRunOptions): Promise<readonly JournalRecord[]> {
  for (;;) {
    try {
      return await store.read(run);
    } catch (error) {
      if (!(error instanceof TroupeError) || error.code !== 'TRP_RUN_NOT_FOUND') throw error;
    }
    await pause({ clock, signal }, lookEveryMs);
    if (signal.aborted) throw new TroupeError('TRP_CLOSED', `Run ${run} has not begun.`);
  }
}
