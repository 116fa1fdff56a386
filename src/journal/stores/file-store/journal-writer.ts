import { TroupeError } from '../../../core/errors.ts';
import type { JournalRecord } from '../../record.ts';
import { frameHeadBytes, groupSeed, putFrame, segmentSeed } from './frame.ts';
import { headerPayload, recordsPayload, segmentPath } from './segment.ts';
import type { OpenSegment, SegmentFile } from './segment-file.ts';
import { journalError, removeFile, syncFolder } from './system-calls.ts';

/** The right to write records of a run. */
export interface Ownership {
  readonly run: string;
  readonly epoch: number;
  /** Number of the last record that was acknowledged in this ownership. */
  acked?: number;
}

/** A place in a node's journal where a frame begins, or will. */
export interface JournalPlace {
  readonly segment: number;
  readonly offset: number;
}

/** How a node's journal is written. */
export interface JournalWriterOptions {
  readonly folder: string;
  readonly node: string;
  /** True: nothing is acknowledged before fdatasync. */
  readonly sync: boolean;
  /** Size from which a new segment is begun. */
  readonly segmentBytes: number;
  readonly openSegment: OpenSegment;
  /** Collects what one turn of the event loop appends. */
  readonly schedule: (fn: () => void) => void;
  /** Who of them was taken over by another node; asked after the write, before the acknowledgement. */
  fenced(owners: Iterable<Ownership>): Promise<ReadonlySet<Ownership>>;
}

interface Append {
  readonly owner: Ownership;
  readonly records: readonly JournalRecord[];
  readonly durable: (error?: TroupeError) => void;
}

/** A segment that is being written: its file, its number and where the next frame goes. */
interface OpenedSegment {
  readonly file: SegmentFile;
  readonly segment: number;
  readonly seed: number;
  /** Everything before it is whole and was acknowledged or is about to be. */
  end: number;
}

/**
 * The journal of this process: all its runs in one file, written in groups.
 *
 * Invariants:
 * 1. At most one write is in flight; what is appended meanwhile is the next group, written by one write
 *    and made durable by one fdatasync.
 * 2. Every append is answered once, in the order of the calls, after its group is durable.
 * 3. After a failure the file is cut back to the last whole group: what was acknowledged stays readable. Who
 *    had something in the group that failed gets the same error for ever, since what follows would leave a gap.
 *    A full disk is asked again at the next append of anybody else: once the cut holds and a new segment can be
 *    begun, writing goes on there. After any other failure nothing more is written.
 * 4. A group is written before the fence is asked, and the fence before it is acknowledged: who took over
 *    either reads the group or is seen (the other side marks first and reads after).
 */
export class JournalWriter {
  private readonly options: JournalWriterOptions;
  private current: OpenedSegment;
  private pending: Append[] = [];
  /** Where the group that was written last begins. */
  private groupStart: JournalPlace;
  private readonly between: (() => Promise<void>)[] = [];
  private draining = false;
  private failure: TroupeError | undefined;
  /** Those who have lost something to a failure. */
  private readonly cutOff = new WeakMap<Ownership, TroupeError>();

  private constructor(options: JournalWriterOptions, current: OpenedSegment) {
    this.options = options;
    this.current = current;
    this.groupStart = { segment: current.segment, offset: current.end };
  }

  /** Begins the node's first segment. */
  static async open(options: JournalWriterOptions): Promise<JournalWriter> {
    return new JournalWriter(options, await beginSegment(options, 1));
  }

  /** Number of the segment that the next group goes to, or the one before it. */
  get segment(): number {
    return this.current.segment;
  }

  /**
   * A place before everything that is not acknowledged yet, and before the group whose acknowledgement is being
   * told; all that was acknowledged before that group stands before it.
   */
  get place(): JournalPlace {
    return this.groupStart;
  }

  append(
    owner: Ownership,
    records: readonly JournalRecord[],
    durable: (error?: TroupeError) => void,
  ): void {
    this.pending.push({ owner, records, durable });
    if (this.draining) return;
    this.draining = true;
    this.arrange();
  }

  /** Resolves when everything appended before the call has been answered. */
  settled(): Promise<void> {
    if (!this.draining) return Promise.resolve();
    return new Promise((resolve) => this.append(noOwner, [], () => resolve()));
  }

  /** Waits for what was appended and closes the file. */
  async close(): Promise<void> {
    await this.settled();
    this.failure = new TroupeError('TRP_JOURNAL_IO', 'The journal is closed.');
    await this.current.file.close();
  }

  /**
   * Begins a new segment in the turn of the writer, so that all before it stand still.
   * @returns number of the new segment
   */
  rotate(): Promise<number> {
    return this.inTurn(async () => {
      if (this.failure) await this.goOn(this.failure);
      else await this.beginNext();
      return this.segment;
    });
  }

  /** The answers to one group lead to appends: those of the same turn go together. */
  private arrange(): void {
    this.options.schedule(() => void this.drain());
  }

  private async drain(): Promise<void> {
    const group = this.pending;
    this.pending = [];
    const outcome = await this.commit(group);
    for (const act of this.between.splice(0)) await act();
    for (const append of group) answer(append, outcome);
    if (this.pending.length > 0) this.arrange();
    else this.draining = false;
  }

  /** Never rejects: the outcome says who is to be told what. */
  private async commit(group: readonly Append[]): Promise<Outcome> {
    const records = byOwner(group.filter(({ owner }) => !this.cutOff.has(owner)));
    try {
      if (records.size > 0 && this.failure) await this.goOn(this.failure);
      return { fenced: await this.write(records), cutOff: this.cutOff };
    } catch (error) {
      const path = segmentPath(this.options.folder, this.segment);
      if (!this.failure) await this.cutBack();
      this.failure = journalError(error, path);
      for (const owner of records.keys()) this.cutOff.set(owner, this.failure);
      return { fenced: nobody, cutOff: this.cutOff };
    }
  }

  /** Leaves the segment that a full disk has spoilt behind, if there is room again. */
  private async goOn(failure: TroupeError): Promise<void> {
    if (failure.code !== 'TRP_JOURNAL_FULL') throw failure;
    const { current, options } = this;
    await current.file.cutTo(current.end);
    if (options.sync) await current.file.sync();
    this.current = await beginSegment(options, current.segment + 1);
    this.failure = undefined;
    await current.file.close();
  }

  private async write(
    records: ReadonlyMap<Ownership, readonly JournalRecord[]>,
  ): Promise<ReadonlySet<Ownership>> {
    if (records.size === 0) return nobody;
    if (this.current.end >= this.options.segmentBytes) await this.beginNext();
    const { current, options } = this;
    const bytes = framesOf(records, current);
    this.groupStart = { segment: current.segment, offset: current.end };
    await current.file.write(bytes, current.end);
    const synced = options.sync ? current.file.sync() : undefined;
    const [fenced] = await Promise.all([options.fenced(records.keys()), synced]);
    current.end += bytes.length;
    return fenced;
  }

  private async beginNext(): Promise<void> {
    const { current, options } = this;
    this.current = await beginSegment(options, current.segment + 1);
    await current.file.close();
  }

  /** Does something between two groups. */
  private inTurn<T>(act: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.between.push(() => act().then(resolve, reject));
      this.append(noOwner, [], () => undefined);
    });
  }

  /** Best effort: a tail that stays is not acknowledged and is read as torn, or as records that came to be. */
  private async cutBack(): Promise<void> {
    try {
      await this.current.file.cutTo(this.current.end);
      if (this.options.sync) await this.current.file.sync();
    } catch {
      // The disk refuses this too; the first error is the one to report.
    }
  }
}

/** What came of a group: who had lost their runs, and who has lost records to a failure. */
interface Outcome {
  readonly fenced: ReadonlySet<Ownership>;
  readonly cutOff: WeakMap<Ownership, TroupeError>;
}

const nobody: ReadonlySet<Ownership> = new Set();

/** Whoever only wants to know when it is their turn. */
const noOwner: Ownership = { run: '', epoch: 0 };

function answer({ owner, records, durable }: Append, { fenced, cutOff }: Outcome): void {
  const error = fenced.has(owner) ? fencedError(owner) : cutOff.get(owner);
  const last = records.at(-1);
  if (!error && last) owner.acked = last.seq;
  try {
    durable(error);
  } catch (error) {
    // A fault of the caller: it surfaces as uncaught, and the others still get their answers.
    queueMicrotask(() => {
      throw error;
    });
  }
}

/** What an owner is told whose run another node took over. */
export function fencedError({ run, epoch }: Ownership): TroupeError {
  return new TroupeError('TRP_JOURNAL_FENCED', `Run ${run} is no longer owned by epoch ${epoch}.`, {
    place: run,
  });
}

/** One frame per run, in the order in which the runs first appear. */
function byOwner(group: readonly Append[]): ReadonlyMap<Ownership, readonly JournalRecord[]> {
  const records = new Map<Ownership, JournalRecord[]>();
  for (const append of group) {
    if (append.records.length === 0) continue;
    const known = records.get(append.owner);
    if (!known) records.set(append.owner, [...append.records]);
    else for (const record of append.records) known.push(record);
  }
  return records;
}

function framesOf(
  records: ReadonlyMap<Ownership, readonly JournalRecord[]>,
  at: OpenedSegment,
): Buffer {
  const payloads: Uint8Array[] = [];
  let size = 0;
  for (const [{ run, epoch }, theirs] of records) {
    const payload = recordsPayload(run, epoch, theirs);
    payloads.push(payload);
    size += frameHeadBytes + payload.length;
  }
  return joined(payloads, size, at);
}

function joined(
  payloads: readonly Uint8Array[],
  size: number,
  at: { seed: number; end: number },
): Buffer {
  const bytes = Buffer.allocUnsafe(size);
  let filled = 0;
  for (const payload of payloads) {
    const seed = filled === 0 ? at.seed : groupSeed(at.seed, at.end);
    putFrame(bytes, filled, { payload, offset: at.end + filled, seed });
    filled += frameHeadBytes + payload.length;
  }
  return bytes;
}

async function beginSegment(
  options: JournalWriterOptions,
  segment: number,
): Promise<OpenedSegment> {
  const path = segmentPath(options.folder, segment);
  const file = await options.openSegment(path);
  const seed = segmentSeed(options.node, segment);
  const payload = headerPayload(options.node, segment);
  const header = joined([payload], frameHeadBytes + payload.length, { seed, end: 0 });
  try {
    await file.write(header, 0);
    if (options.sync) {
      await file.sync();
      await syncFolder(options.folder);
    }
  } catch (error) {
    // A segment without its header must not stand before another one.
    await file.close();
    await removeFile(path);
    throw error;
  }
  return { file, segment, seed, end: header.length };
}
