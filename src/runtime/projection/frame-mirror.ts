import type { EventLog } from '../../bus/event-log.ts';
import { encodedBound } from '../../bus/payload.ts';
import { isJournalEntry } from '../../journal/stores/bus-store/frame.ts';
import { TroupeError } from '../../core/errors.ts';
import type { Plain } from '../../core/plain.ts';
import { appendSurely } from '../../bus/fenced-append.ts';
import type { Patience } from '../../bus/fenced-append.ts';
import { frameBytes, frameOf, framePayload, maxCommitBytes } from '../../memory/shared/frame.ts';
import type { MemoryRecord } from '../../memory/shared/frame.ts';
import { withinMessage } from './omitted.ts';

/** Records that may wait for a log; more are read from the journal again. */
const maxPending = 8_192;

/** What a mirror is made from. */
export interface FrameMirrorOptions {
  /** Name of the run: operation ids of frames begin with it. */
  readonly run: string;
  /** Of this process's ownership of the run. */
  readonly epoch: number;
  readonly patience: Patience;
  open(): Promise<EventLog>;
}

/**
 * Copies records of a run's journal into a log of the bus, in order, each once, also over a change of the
 * run's owner.
 *
 * Invariants:
 * 1. What is in the log is a prefix of what there is to copy: `cursor` is the number of its last record.
 * 2. An owner with a lower epoch than that of the log's last frame writes no more.
 */
export class FrameMirror {
  private readonly options: FrameMirrorOptions;
  private pending: MemoryRecord[] = [];
  private log: EventLog | undefined;
  private logSeq = 0;
  private cursor: number | undefined;
  private superseded = false;

  constructor(options: FrameMirrorOptions) {
    this.options = options;
  }

  /** The run has another owner, which copies from now on. */
  get isSuperseded(): boolean {
    return this.superseded;
  }

  get isEmpty(): boolean {
    return this.pending.length === 0;
  }

  /** Takes a record that is durable. False: too many wait; all of them were dropped and are to be given again. */
  take(record: MemoryRecord): boolean {
    if (this.superseded || (this.cursor !== undefined && record.seq <= this.cursor)) return true;
    this.pending.push(record);
    if (this.pending.length <= maxPending) return true;
    this.pending = [];
    return false;
  }

  /** Forgets what waits, since all of it will be given again. */
  reset(): void {
    this.pending = [];
  }

  /** Appends what waits. Rejects with errors of the bus; what was not appended waits on. */
  async flush(): Promise<void> {
    if (this.pending.length === 0) return;
    this.log ??= await this.options.open();
    if (this.cursor === undefined) await this.synchronise(this.log);
    while (this.pending.length > 0 && !this.superseded) await this.appendNext(this.log);
    if (this.superseded) this.pending = [];
  }

  private async appendNext(log: EventLog): Promise<void> {
    const { run, epoch, patience } = this.options;
    const records = firstFrame(this.pending);
    const last = records.at(-1)?.seq ?? 0;
    try {
      this.logSeq = await appendSurely(log, patience, {
        payload: framePayload({ epoch, records }),
        expectedSeq: this.logSeq,
        op: `${run}:${epoch}:${last}`,
        epoch,
      });
    } catch (error) {
      if (!isFenced(error)) throw error;
      return this.synchronise(log);
    }
    this.keepAfter(last);
  }

  /** Finds the place where an earlier owner of the run, or this one before it lost the log, has stopped. */
  private async synchronise(log: EventLog): Promise<void> {
    this.logSeq = await log.lastSeq();
    let cursor = 0;
    for await (const entry of log.read({ from: Math.max(1, this.logSeq) })) {
      // The journal itself is there: it needs no copy, and would be spoilt by one.
      this.superseded ||= isJournalEntry(entry);
      const frame = frameOf(entry);
      this.logSeq = entry.seq;
      cursor = frame.records.at(-1)?.seq ?? 0;
      if (frame.epoch > this.options.epoch) this.superseded = true;
    }
    this.keepAfter(cursor);
  }

  /** Others may have joined the pending ones meanwhile; they come later in the journal. */
  private keepAfter(cursor: number): void {
    this.cursor = cursor;
    const first = this.pending.findIndex(({ seq }) => seq > cursor);
    this.pending = first === -1 ? [] : this.pending.slice(first);
  }
}

/** What the next frame holds. Conflicts stay with their changeset as far as a message can hold both. */
function firstFrame(pending: readonly MemoryRecord[]): readonly MemoryRecord[] {
  const records: MemoryRecord[] = [];
  let bytes = 0;
  for (const record of pending) {
    const size = encodedBound(record as unknown as Plain);
    const most = record.type === 'conflict.recorded' ? maxCommitBytes : frameBytes;
    if (records.length > 0 && bytes + size > most) break;
    records.push(size > maxCommitBytes ? withinMessage(record) : record);
    bytes += size;
  }
  return records;
}

function isFenced(error: unknown): boolean {
  return error instanceof TroupeError && error.code === 'TRP_JOURNAL_FENCED';
}
