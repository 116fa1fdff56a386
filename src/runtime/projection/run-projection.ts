import type { Bus } from '../../bus/bus.ts';
import type { KeyBucket } from '../../bus/key-bucket.ts';
import type { Clock } from '../../core/clock.ts';
import { messageOf } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import type { Plain } from '../../core/plain.ts';
import type { OwnedRun } from '../../journal/journal.ts';
import type { JournalRecord } from '../../journal/record.ts';
import { backoffMs, isPassing, pause } from '../../bus/fenced-append.ts';
import type { RunMemory } from '../../memory/run-memory.ts';
import { keysOf } from '../../memory/shared/committed.ts';
import type { MemoryRecord } from '../../memory/shared/frame.ts';
import { notShown } from '../bus-notices.ts';
import { FrameMirror } from './frame-mirror.ts';
import { KeyWriter } from './key-writer.ts';
import { openMemoryBucket } from './memory-bucket.ts';
import { bucketKey, progressPath, projectedValues } from './projected-values.ts';
import type { Unaccepted } from './projected-values.ts';

/** What a projection is made from. */
export interface RunProjectionOptions {
  readonly bus: Bus;
  /** What people know the bus by. */
  readonly busName: string;
  readonly run: string;
  readonly epoch: number;
  readonly clock: Clock;
  readonly logger: Logger;
  /**
   * The journal is in the log `jrn` itself, owned through this: nothing is copied there, and nothing is written
   * while the ownership is in doubt, since the keys may be the next owner's by then.
   */
  readonly journaled?: Pick<OwnedRun, 'inDoubt'>;
  /** The run's memory: it holds every record that is durable. */
  readonly memory: () => RunMemory;
  /** Reads the run's journal: everything that is durable at the time of the call. */
  readonly records: () => Promise<readonly JournalRecord[]>;
}

/** Least time between two values of one task's progress: five a second. */
const progressMs = 200;

/** Records that may wait while the journal is read; when there are more it is read again. */
const maxHeld = 8_192;

/**
 * What others see of a run on the bus: its memory, results and progress as keys of the bucket `mem`, its
 * changesets in the log `jrn`, its conflicts in the log `cfl`. Made from records after they are durable.
 *
 * Invariants:
 * 1. Nothing here is waited for by the run, and no failure here is one of the run.
 * 2. Everything can be made again from the journal: what is kept while the bus is away is one value per key
 *    and a bounded number of records; beyond that the journal is read again.
 * 3. One round of writing is under way at a time, so that a key's values keep their order.
 */
export class RunProjection {
  private readonly options: RunProjectionOptions;
  private readonly keys = new KeyWriter();
  private readonly logs: { readonly changesets: FrameMirror; readonly conflicts: FrameMirror };
  private readonly ending = new AbortController();
  private unaccepted: Unaccepted = new Map();
  private progress = new Map<string, Plain>();
  private progressDue = 0;
  private bucket: KeyBucket | undefined;
  private behind = false;
  private held: JournalRecord[] | undefined;
  private working: Promise<void> | undefined;

  constructor(options: RunProjectionOptions) {
    const { bus, run, epoch, clock } = options;
    this.options = options;
    const patience = { clock, signal: this.ending.signal };
    const mirror = (kind: 'jrn' | 'cfl'): FrameMirror =>
      new FrameMirror({ run, epoch, patience, open: () => bus.log(kind, run) });
    this.logs = { changesets: mirror('jrn'), conflicts: mirror('cfl') };
  }

  /** Begins with everything that the journal holds by now: after a takeover, or when somebody begins to watch. */
  catchUp(): void {
    this.behind = true;
    this.work();
  }

  /** A record is durable. */
  recorded(record: JournalRecord): void {
    if (this.behind) this.hold(record);
    else this.note(record);
    this.work();
  }

  /** A task tells how far it is; of several values within a short time the last is shown. */
  progressed(task: string, progress: Plain): void {
    this.progress.set(task, progress);
    this.work();
  }

  /** Resolves when everything that was recorded before the call is on the bus, or the projection has ended. */
  async settled(): Promise<void> {
    while (this.working) await this.working;
  }

  /** Writes what waits for at most so long, then ends. False: something was left. */
  async close(withinMs: number): Promise<boolean> {
    const { clock, bus } = this.options;
    if (bus.state === 'connected') {
      const limit = new AbortController();
      await Promise.race([this.settled(), pause({ clock, signal: limit.signal }, withinMs)]);
      limit.abort();
    }
    const isShown = this.ending.signal.aborted || (!this.working && !this.hasWork());
    this.ending.abort();
    return isShown;
  }

  /** Writes nothing more: the keys are somebody else's. */
  abandon(): void {
    this.ending.abort();
  }

  private hold(record: JournalRecord): void {
    if (this.held && this.held.length < maxHeld) this.held.push(record);
    else this.held = undefined;
  }

  private note(record: JournalRecord): void {
    const { run, memory } = this.options;
    for (const [path, value] of projectedValues(record, this.unaccepted))
      this.keys.set(bucketKey(run, path), value);
    if (record.type === 'memory.committed')
      for (const key of keysOf(record))
        this.keys.setLater(bucketKey(run, key.split('.')), () =>
          memory().view(record.seq).get(key),
        );
    const { changesets, conflicts } = this.logs;
    if (record.type !== 'memory.committed' && record.type !== 'conflict.recorded') return;
    const isTaken = this.options.journaled !== undefined || changesets.take(record as MemoryRecord);
    if (record.type === 'memory.committed') this.behind ||= !isTaken;
    else this.behind ||= !isTaken || !conflicts.take(record as MemoryRecord);
  }

  /** Off the run's stack: the first round begins in a later turn of the microtasks. */
  private work(): void {
    if (this.ending.signal.aborted) return;
    this.working ??= Promise.resolve()
      .then(() => this.rounds())
      .finally(() => {
        this.working = undefined;
      });
  }

  private async rounds(): Promise<void> {
    const { clock } = this.options;
    const patience = { clock, signal: this.ending.signal };
    for (let failures = 0; !this.ending.signal.aborted && this.hasWork();) {
      try {
        await this.round();
        failures = 0;
      } catch (error) {
        if (!isPassing(error)) return this.giveUp(error);
        await pause(patience, backoffMs(failures++));
      }
    }
  }

  private hasWork(): boolean {
    const { changesets, conflicts } = this.logs;
    const waiting = !this.keys.isEmpty || !changesets.isEmpty || !conflicts.isEmpty;
    return this.behind || waiting || this.progress.size > 0;
  }

  private async round(): Promise<void> {
    await this.sure();
    if (this.ending.signal.aborted) return;
    if (this.behind) await this.readAgain();
    await this.takeProgress();
    this.bucket ??= await openMemoryBucket(this.options.bus);
    const { changesets, conflicts } = this.logs;
    await changesets.flush();
    // The keys are the next owner's from then on.
    if (changesets.isSuperseded) return this.ending.abort();
    await Promise.all([this.keys.flush(this.bucket), conflicts.flush()]);
  }

  /** Resolves when the run is surely this process's, or the projection has ended. */
  private async sure(): Promise<void> {
    const { journaled } = this.options;
    const { signal } = this.ending;
    await new Promise<void>((resolve) => {
      if (journaled?.inDoubt?.(resolve) !== true) return resolve();
      if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  /** Progress goes out with the round that comes first after its pause; nothing else waits for that. */
  private async takeProgress(): Promise<void> {
    const { clock, run } = this.options;
    if (this.progress.size === 0) return;
    const wait = this.progressDue - clock.monotonic();
    if (wait > 0 && this.keys.isEmpty && this.logs.changesets.isEmpty)
      await pause({ clock, signal: this.ending.signal }, Math.min(wait, 20));
    if (this.progressDue > clock.monotonic()) return;
    this.progressDue = clock.monotonic() + progressMs;
    for (const [task, value] of this.progress)
      this.keys.set(bucketKey(run, progressPath(task)), value);
    this.progress = new Map();
  }

  private async readAgain(): Promise<void> {
    this.held = [];
    const records = await this.options.records();
    const { held } = this;
    this.held = undefined;
    this.logs.changesets.reset();
    this.logs.conflicts.reset();
    this.unaccepted = new Map();
    this.behind = held === undefined;
    const last = records.at(-1)?.seq ?? 0;
    for (const record of records) this.note(record);
    for (const record of held ?? []) if (record.seq > last) this.note(record);
  }

  private giveUp(error: unknown): void {
    const { logger, run, busName } = this.options;
    notShown(logger, { run, bus: busName, message: messageOf(error) });
    this.ending.abort();
  }
}
