import { decode, encode } from '../../../bus/codec.ts';
import type { LogEntry } from '../../../bus/event-log.ts';
import { TroupeError } from '../../../core/errors.ts';
import { maxPlainDepth } from '../../../core/plain.ts';
import type { Plain, PlainObject } from '../../../core/plain.ts';
import type { JournalRecord } from '../../record.ts';

/** Version of the frames; a reader refuses a higher one. */
const frameVersion = 1;

/** Encoded records that a frame is filled up to, in bytes; one append alone may be larger. */
export const frameBytes = 524_288;

/** Most that stands in a message, in bytes; a larger append goes aside into a blob. A message holds 1 MiB. */
export const maxMessageBytes = 786_432;

/** Values above this size, encoded, are left out of what the log itself shows of a frame that went aside. */
const shownBytes = 4_096;

/** Stands for a value that was too large to be shown. */
const omitted: Plain = Object.freeze({ $omitted: 'too large for a message' });

/** A record with its frame around it. */
const maxDepth = maxPlainDepth + 8;

/**
 * One entry of a journal on the bus: what one owner appended together. A frame without records is the beginning of an
 * ownership: its epoch fences off all lower ones.
 */
export interface JournalFrame {
  readonly epoch: number;
  readonly node: string;
  /** Each a MessagePack array of records. */
  readonly chunks: readonly Uint8Array[];
  /** Hash of the blob that holds the chunks instead; `chunks` has then only what is shown of them. */
  readonly blob?: string;
}

/** The payload of a frame. */
export function framePayload({ epoch, node, chunks, blob }: JournalFrame): Plain {
  const head = { v: frameVersion, epoch, node, journal: chunks };
  return (blob === undefined ? head : { ...head, blob }) as unknown as Plain;
}

/** Whether an entry of a log of the kind `jrn` is a frame of a journal; memories have logs there as well. */
export function isJournalEntry({ payload }: Pick<LogEntry, 'payload'>): boolean {
  return Array.isArray((payload as PlainObject | null)?.['journal']);
}

/**
 * The frame that an entry holds.
 * @throws TroupeError TRP_JOURNAL_VERSION, TRP_JOURNAL_CORRUPT
 */
export function journalFrameOf(entry: Pick<LogEntry, 'seq' | 'payload'>): JournalFrame {
  const { v, epoch, node, journal, blob } = (entry.payload ?? {}) as { [name: string]: Plain };
  if (typeof v === 'number' && v > frameVersion)
    throw new TroupeError('TRP_JOURNAL_VERSION', `Entry ${entry.seq} has format ${v}.`);
  const isWhole =
    v === frameVersion &&
    Number.isSafeInteger(epoch) &&
    typeof node === 'string' &&
    Array.isArray(journal) &&
    journal.every((chunk) => chunk instanceof Uint8Array);
  if (!isWhole) throw corrupt(entry.seq, 'is no frame of a journal');
  const chunks = journal as unknown as readonly Uint8Array[];
  const frame = { epoch: epoch as number, node: node as string, chunks };
  return typeof blob === 'string' ? { ...frame, blob } : frame;
}

/** Records as one chunk. */
export function chunkOf(records: readonly JournalRecord[]): Uint8Array {
  return encode(records as unknown as Plain);
}

/**
 * The records of a chunk.
 * @throws TroupeError TRP_JOURNAL_CORRUPT
 */
export function recordsOfChunk(chunk: Uint8Array, seq: number): readonly JournalRecord[] {
  const records = decode(chunk, { maxDepth });
  if (!Array.isArray(records) || !records.every(isRecord))
    throw corrupt(seq, 'holds something else than records');
  return records as unknown as readonly JournalRecord[];
}

/** Chunks as a blob of their own: its content names run and operation, so that no two frames share one. */
export function blobOf(op: string, chunks: readonly Uint8Array[]): Uint8Array {
  return encode({ op, journal: chunks } as unknown as Plain);
}

/**
 * What {@link blobOf} was given.
 * @throws TroupeError TRP_JOURNAL_CORRUPT
 */
export function chunksOfBlob(content: Uint8Array, seq: number): readonly Uint8Array[] {
  const { journal } = (decode(content, { maxDepth }) ?? {}) as { journal?: Plain };
  if (Array.isArray(journal)) return journal as unknown as readonly Uint8Array[];
  throw corrupt(seq, 'refers to a blob of another kind');
}

/** What the log itself shows of records that went aside: the changes of memory, without their largest values. */
export function shownChunks(chunks: readonly Uint8Array[]): readonly Uint8Array[] {
  const shown = chunks
    .flatMap((chunk) => recordsOfChunk(chunk, 0))
    .filter(({ type }) => type === 'memory.committed' || type === 'lease.taken')
    .map(shortened);
  return shown.length === 0 ? [] : [chunkOf(shown)];
}

function shortened(record: JournalRecord): JournalRecord {
  if (record.type !== 'memory.committed') return record;
  const changes = record.changes.map((change) =>
    'deleted' in change || encode(change.value).length <= shownBytes
      ? change
      : { key: change.key, value: omitted },
  );
  return { ...record, changes };
}

function isRecord(value: Plain): boolean {
  const { seq, type } = (value ?? {}) as { readonly [name: string]: Plain };
  return Number.isSafeInteger(seq) && typeof type === 'string';
}

function corrupt(seq: number, what: string): TroupeError {
  return new TroupeError('TRP_JOURNAL_CORRUPT', `Entry ${seq} of the journal ${what}.`);
}
