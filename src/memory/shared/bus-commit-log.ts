import type { EventLog } from '../../bus/event-log.ts';
import { encode } from '../../bus/codec.ts';
import { encodedBound } from '../../bus/payload.ts';
import { TroupeError } from '../../core/errors.ts';
import type { Plain } from '../../core/plain.ts';
import type { RecordBody } from '../../journal/record.ts';
import type { RunMemory } from '../run-memory.ts';
import type { CommittedRecord } from '../run-memory.ts';
import { appendSurely } from '../../bus/fenced-append.ts';
import type { Patience } from '../../bus/fenced-append.ts';
import type { Commit, CommitLog } from './commit-log.ts';
import { frameBytes, framePayload, maxCommitBytes } from './frame.ts';
import type { MemoryRecord } from './frame.ts';

/** Where a log stands when its owner begins to write. */
export interface LogPosition {
  readonly epoch: number;
  readonly logSeq: number;
  readonly recordSeq: number;
}

/** What {@link BusCommitLog} is made from. */
export interface BusCommitLogOptions {
  readonly log: EventLog;
  readonly memory: RunMemory;
  readonly position: LogPosition;
  /** Unlike that of every other owner: operation ids of frames begin with it. */
  readonly owner: string;
  readonly patience: Patience;
  /** Nothing is taken any more. */
  readonly onLost: (error: TroupeError) => void;
}

interface Pending {
  readonly records: readonly MemoryRecord[];
  readonly bytes: number;
  readonly resolve: () => void;
  readonly reject: (error: TroupeError) => void;
}

/**
 * The log of a memory, as its owner writes it: group commit. One append is under way; what comes meanwhile
 * goes into the next frame, together, so that a hundred writers cost as many appends as one.
 *
 * Invariants:
 * 1. Frames are appended one after the other, each at the sequence number that the one before it got: an
 *    append of anybody else in between ends this writer (TRP_JOURNAL_FENCED).
 * 2. A frame whose answer is lost is appended again under its operation id until it is known to be in, or to
 *    be never in.
 * 3. After the end nothing is taken, and everything that waited is rejected.
 */
export class BusCommitLog implements CommitLog {
  readonly memory: RunMemory;
  private readonly options: BusCommitLogOptions;
  private waiting: Pending[] = [];
  private logSeq: number;
  private recordSeq: number;
  private frames = 0;
  private writing: Promise<void> | undefined;
  private lost: TroupeError | undefined;

  constructor(options: BusCommitLogOptions) {
    this.options = options;
    this.memory = options.memory;
    this.logSeq = options.position.logSeq;
    this.recordSeq = options.position.recordSeq;
  }

  commit(bodies: readonly RecordBody[]): Commit {
    if (this.lost) return { seq: 0, durable: Promise.reject(this.lost) };
    const bytes = sizeOf(bodies);
    const at = this.options.patience.clock.now();
    const seq = this.recordSeq + 1;
    const records = bodies.map(
      (body, index) => ({ ...body, seq: seq + index, at }) as MemoryRecord,
    );
    this.recordSeq += records.length;
    for (const record of records)
      if (record.type === 'memory.committed') this.memory.apply(record as CommittedRecord);
    const durable = new Promise<void>((resolve, reject) => {
      this.waiting.push({ records, bytes, resolve, reject });
    });
    this.writing ??= this.write();
    return { seq, durable };
  }

  /** Resolves when nothing is under way any more. */
  async settled(): Promise<void> {
    await this.writing;
  }

  /** Takes nothing from now on. */
  end(error: TroupeError): void {
    if (this.lost) return;
    this.lost = error;
    for (const { reject } of this.waiting.splice(0)) reject(error);
  }

  private async write(): Promise<void> {
    // Whatever else this turn of the event loop brings belongs into the first frame.
    await Promise.resolve();
    while (this.waiting.length > 0) {
      const batch = this.takeBatch();
      try {
        await this.append(batch);
        for (const { resolve } of batch) resolve();
      } catch (error) {
        const ending = error as TroupeError;
        for (const { reject } of batch) reject(ending);
        this.end(ending);
        this.options.onLost(ending);
      }
    }
    this.writing = undefined;
  }

  private takeBatch(): readonly Pending[] {
    let bytes = 0;
    let count = 0;
    for (const pending of this.waiting) {
      bytes += pending.bytes;
      if (count > 0 && bytes > frameBytes) break;
      count++;
    }
    return this.waiting.splice(0, count);
  }

  private async append(batch: readonly Pending[]): Promise<void> {
    const { log, owner, position, patience } = this.options;
    const records = batch.flatMap((pending) => pending.records);
    this.logSeq = await appendSurely(log, patience, {
      payload: framePayload({ epoch: position.epoch, records }),
      expectedSeq: this.logSeq,
      op: `${owner}:${++this.frames}`,
      epoch: position.epoch,
    });
  }
}

/** Encoded size of records, exact only near the limit. */
function sizeOf(bodies: readonly RecordBody[]): number {
  const plain = bodies as unknown as Plain;
  const bound = encodedBound(plain);
  if (bound <= maxCommitBytes) return bound;
  const bytes = encode(plain).length;
  if (bytes <= maxCommitBytes) return bytes;
  throw new TroupeError(
    'TRP_BUS_PAYLOAD',
    `The changeset comes to ${bytes} bytes of records; the limit is ${maxCommitBytes}.`,
    { hint: 'Write fewer or smaller values at a time, or a reference instead of the data.' },
  );
}
