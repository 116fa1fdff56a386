import type { SimulatedClock } from '../../src/core/simulated-clock.ts';
import { toPlain } from '../../src/core/plain.ts';
import type { OwnedRun } from '../../src/journal/journal.ts';
import type { JournalRecord } from '../../src/journal/record.ts';

/** How long the next sync takes, in milliseconds; undefined: what is appended is durable at once. */
export type SyncDelay = () => number | undefined;

interface Append {
  readonly records: readonly JournalRecord[];
  readonly durable: () => void;
}

/**
 * The journal of one run on a disk that takes its time: what is appended becomes durable later, together
 * with all that was appended since. It is on the clock, so that the same delays give the same history.
 *
 * Invariants:
 * 1. Records become durable in the order in which they were appended.
 * 2. `durable` of an append is called once, when its records are in `written`; never after `crash()`.
 */
export class LateStore {
  /** What is durable. */
  readonly written: JournalRecord[] = [];
  private readonly clock: SimulatedClock;
  private readonly delay: SyncDelay;
  private pending: Append[] = [];
  private timer: unknown;

  constructor(clock: SimulatedClock, delay: SyncDelay) {
    this.clock = clock;
    this.delay = delay;
  }

  /** Everything that was appended is durable. */
  get isSynced(): boolean {
    return this.pending.length === 0;
  }

  /** Takes over a run that another process has left behind with these records; none for a new run. */
  own(run: string, before: readonly JournalRecord[]): OwnedRun {
    for (const record of before) this.written.push(record);
    return {
      run,
      epoch: 1 + before.filter(({ type }) => type === 'lease.taken').length,
      records: structuredClone(before),
      append: (records, durable) => this.append(records, durable),
      release: () => Promise.resolve(),
    };
  }

  /** The process dies: nothing more becomes durable. @returns what was on its way to the disk. */
  crash(): readonly JournalRecord[] {
    this.clock.clearTimeout(this.timer);
    const lost = this.pending.flatMap(({ records }) => records);
    this.pending = [];
    return lost;
  }

  private append(records: readonly JournalRecord[], durable: () => void): void {
    const copies = records.map(copyOf);
    const delayMs = this.delay();
    if (delayMs === undefined && this.isSynced) {
      for (const record of copies) this.written.push(record);
      durable();
      return;
    }
    this.pending.push({ records: copies, durable });
    this.timer ??= this.clock.setTimeout(() => this.sync(), delayMs ?? 0);
  }

  private sync(): void {
    this.timer = undefined;
    const batch = this.pending;
    this.pending = [];
    for (const { records } of batch) for (const record of records) this.written.push(record);
    for (const { durable } of batch) durable();
  }
}

/** A record as a disk gives it back. */
function copyOf(record: JournalRecord): JournalRecord {
  return toPlain(record) as unknown as JournalRecord;
}
