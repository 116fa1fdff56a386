import type { BlobStore } from '../../../bus/blob-store.ts';
import type { EventLog } from '../../../bus/event-log.ts';
import { appendSurely } from '../../../bus/fenced-append.ts';
import type { Patience } from '../../../bus/fenced-append.ts';
import { errorInfo, TroupeError } from '../../../core/errors.ts';
import type { OwnedRun } from '../../journal.ts';
import type { JournalRecord } from '../../record.ts';
import { chunkOf } from './chunk.ts';
import { frameBytes, framePayload, journalFrameOf, maxMessageBytes } from './frame.ts';
import type { JournalFrame } from './frame.ts';
import { blobOf, shownChunks } from './frame-aside.ts';
import { endOf, lastEnd } from './run-end.ts';

/** What a run on the bus is owned with. */
export interface BusOwnership {
  readonly log: EventLog;
  readonly node: string;
  readonly epoch: number;
  /** Place of the last entry of the log: the frame that began this ownership. */
  readonly logSeq: number;
  readonly records: readonly JournalRecord[];
  readonly blobs: () => Promise<BlobStore>;
  readonly patience: Patience;
  /** Collects what one turn of the event loop appends. */
  readonly schedule: (fn: () => void) => void;
  /** Whether the process's lease is in doubt; `sure` is called when it is not any more. */
  readonly inDoubt: (sure: () => void) => boolean;
  /** Called once, when everything that was appended is durable and nothing more is taken. */
  readonly onRelease: (owned: BusOwnedRun) => Promise<void>;
  /** Called once, when somebody else turns out to own the run, or it cannot be written any more. */
  readonly onLost: (owned: BusOwnedRun, error: TroupeError) => void;
}

interface Append {
  /** Undefined: nothing to write, only an answer in its turn. */
  readonly chunk: Uint8Array | undefined;
  readonly durable: (error?: TroupeError) => void;
}

const releasedMessage = 'The run was released, or taken over by this process itself.';

/**
 * A run of this process in a journal on the bus: group commit. One append is under way; what comes meanwhile goes into
 * the next frame.
 *
 * Invariants:
 * 1. Frames are appended one after the other, each at the place that the one before it got: an append of anybody else
 *    in between ends this writer with TRP_JOURNAL_FENCED.
 * 2. A frame whose answer is lost is appended again under its operation id until it is known to be in, or never to be.
 * 3. Every append is answered once, in the order of the calls, after its frame is stored; after a failure all of them
 *    get the same error.
 */
export class BusOwnedRun implements OwnedRun {
  readonly run: string;
  readonly epoch: number;
  readonly records: readonly JournalRecord[];
  private readonly ownership: BusOwnership;
  private pending: Append[] = [];
  private logSeq: number;
  private frames = 0;
  private writing: Promise<void> | undefined;
  private open = true;
  private failure: TroupeError | undefined;
  private releasing: Promise<void> | undefined;
  private ended: number | undefined;
  private lostListener: ((error: TroupeError) => void) | undefined;

  constructor(ownership: BusOwnership) {
    this.ownership = ownership;
    this.run = ownership.log.name;
    this.epoch = ownership.epoch;
    this.records = ownership.records;
    this.logSeq = ownership.logSeq;
    this.ended = endOf(ownership.records);
  }

  /** When the run ended, by the last record about its end; undefined: it has not. */
  get endedAt(): number | undefined {
    return this.ended;
  }

  append(records: readonly JournalRecord[], durable: (error?: TroupeError) => void): void {
    const { failure } = this;
    if (failure || !this.open) {
      const error = failure ?? this.fencedError(releasedMessage);
      this.enqueue({ chunk: undefined, durable: () => durable(error) });
      return;
    }
    const end = lastEnd(records);
    if (end !== undefined) this.ended = end === 'reopened' ? undefined : end;
    this.enqueue({ chunk: records.length === 0 ? undefined : chunkOf(records), durable });
  }

  inDoubt(sure: () => void): boolean {
    if (this.failure) return true;
    return this.ownership.inDoubt(() => {
      if (!this.failure) sure();
    });
  }

  onLost(lost: (error: TroupeError) => void): void {
    this.lostListener = lost;
  }

  release(): Promise<void> {
    this.releasing ??= this.giveUp();
    return this.releasing;
  }

  /** This process took the run again: the older handle is of no more use. Resolves when its appends are answered. */
  async fence(): Promise<void> {
    this.open = false;
    await this.settled();
  }

  /** Looks whether somebody else has begun to own the run; rejects with errors of the bus. */
  async verify(): Promise<void> {
    if (this.failure || this.writing) return;
    const known = this.logSeq;
    const last = await this.ownership.log.lastSeq();
    if (last === known || last === this.logSeq) return;
    for await (const entry of this.ownership.log.read({ from: Math.max(1, last) })) {
      const { epoch, node } = journalFrameOf(entry);
      if (epoch > this.epoch) return this.lose(this.fencedError(`Node ${node} has taken it over.`));
    }
    if (last === 0) this.lose(this.fencedError('Its journal was removed.'));
  }

  /** Takes nothing any more, and tells so. */
  lose(error: TroupeError): void {
    if (this.failure) return;
    this.failure = error;
    this.ownership.onLost(this, error);
    if (this.open) this.lostListener?.(error);
  }

  private enqueue(append: Append): void {
    this.pending.push(append);
    this.writing ??= this.write();
  }

  private async settled(): Promise<void> {
    while (this.writing) await this.writing;
  }

  private async giveUp(): Promise<void> {
    this.open = false;
    await this.settled();
    if (!this.failure) await this.ownership.onRelease(this);
  }

  private async write(): Promise<void> {
    while (this.pending.length > 0) {
      // Whatever else this turn of the event loop brings belongs into the same frame.
      await new Promise<void>((resolve) => this.ownership.schedule(resolve));
      const batch = this.takeBatch();
      await this.commit(batch);
      for (const append of batch) answer(append, this.failure);
    }
    this.writing = undefined;
  }

  private takeBatch(): readonly Append[] {
    let bytes = 0;
    let count = 0;
    for (const { chunk } of this.pending) {
      bytes += chunk?.length ?? 0;
      if (count > 0 && bytes > frameBytes) break;
      count++;
    }
    return this.pending.splice(0, count);
  }

  /** Never rejects: `failure` says what became of it. */
  private async commit(batch: readonly Append[]): Promise<void> {
    const chunks = batch.flatMap(({ chunk }) => chunk ?? []);
    if (chunks.length === 0 || this.failure) return;
    const op = `${this.ownership.node}:${this.epoch}:${++this.frames}`;
    try {
      this.logSeq = await this.appendFrame(op, chunks);
    } catch (error) {
      this.lose(this.journalError(error));
    }
  }

  private async appendFrame(op: string, chunks: readonly Uint8Array[]): Promise<number> {
    const size = chunks.reduce((sum, { length }) => sum + length, 0);
    if (size > maxMessageBytes) return this.appendAside(op, chunks);
    try {
      return await this.appendMessage(op, { chunks });
    } catch (error) {
      // A server may take less than the contract's limit.
      if (!hasCode(error, 'TRP_BUS_PAYLOAD')) throw error;
      return this.appendAside(op, chunks);
    }
  }

  /** Too large for a message: the records go into a blob first, then a frame that refers to it. */
  private async appendAside(op: string, chunks: readonly Uint8Array[]): Promise<number> {
    const blobs = await this.ownership.blobs();
    const { hash } = await blobs.put(blobOf(`${this.run} ${op}`, chunks));
    return this.appendMessage(op, { chunks: shownChunks(chunks), blob: hash });
  }

  private appendMessage(op: string, parts: Pick<JournalFrame, 'chunks' | 'blob'>): Promise<number> {
    const { log, node, patience } = this.ownership;
    const { epoch } = this;
    const payload = framePayload({ epoch, node, ...parts });
    return appendSurely(log, patience, { payload, expectedSeq: this.logSeq, op, epoch });
  }

  private journalError(error: unknown): TroupeError {
    if (hasCode(error, 'TRP_JOURNAL_FENCED')) return this.fencedError('', error);
    const { code, message } = errorInfo(error);
    const text = `The journal of run ${this.run} on the bus takes nothing more: ${code} ${message}`;
    return new TroupeError('TRP_JOURNAL_IO', text, { place: this.run, cause: error });
  }

  private fencedError(why: string, cause?: unknown): TroupeError {
    const text = `Run ${this.run} is no longer owned by epoch ${this.epoch}. ${why}`.trim();
    return new TroupeError('TRP_JOURNAL_FENCED', text, {
      place: this.run,
      hint: 'Another process goes on with it: `troupe show` tells how it stands.',
      ...(cause === undefined ? {} : { cause }),
    });
  }
}

function answer({ durable }: Append, failure: TroupeError | undefined): void {
  try {
    if (failure) durable(failure);
    else durable();
  } catch (error) {
    // A fault of the caller: it surfaces as uncaught, and the others still get their answers.
    queueMicrotask(() => {
      throw error;
    });
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof TroupeError && error.code === code;
}
