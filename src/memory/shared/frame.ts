import type { LogEntry } from '../../bus/event-log.ts';
import { TroupeError } from '../../core/errors.ts';
import type { Plain } from '../../core/plain.ts';
import { recordsOfChunk } from '../../journal/stores/bus-store/chunk.ts';
import { isJournalEntry, journalFrameOf } from '../../journal/stores/bus-store/frame.ts';
import type { BlobAt, StoredRecord } from '../../journal/blobs/lift.ts';
import type {
  ConflictRecorded,
  JournalRecord,
  LeaseTaken,
  MemoryCommitted,
} from '../../journal/record.ts';
import type { SharedRules } from './shared-rules.ts';

/** Version of the frames of a memory's log; a reader refuses a higher one. */
const frameVersion = 1;

/** Encoded size that a frame is filled up to; a single changeset may be larger, up to {@link maxCommitBytes}. */
export const frameBytes = 524_288;

/** Most that the records of one changeset may take in a log, encoded: what a message holds, less its head. */
export const maxCommitBytes = 1_000_000;

/** A record of a memory's log: numbered from 1, stamped with wall time. */
export type MemoryRecord = (MemoryCommitted | ConflictRecorded | LeaseTaken) & {
  readonly seq: number;
  readonly at: number;
};

/** One entry of a memory's log: records that were appended together. */
export interface MemoryFrame {
  readonly v: typeof frameVersion;
  /** Of the owner that appended it. */
  readonly epoch: number;
  readonly records: readonly MemoryRecord[];
  /** Stands in the first frame of an owner. */
  readonly rules?: SharedRules;
}

/** The payload of a frame. */
export function framePayload(frame: Omit<MemoryFrame, 'v'>): Plain {
  return { v: frameVersion, ...frame } as unknown as Plain;
}

/**
 * The frame that an entry holds.
 * @throws TroupeError TRP_JOURNAL_VERSION, TRP_JOURNAL_CORRUPT
 */
export function frameOf(entry: LogEntry): MemoryFrame {
  if (isJournalEntry(entry)) return shownIn(entry);
  const frame = entry.payload as Partial<MemoryFrame> | null;
  if (typeof frame?.v === 'number' && frame.v > frameVersion)
    throw new TroupeError('TRP_JOURNAL_VERSION', `Entry ${entry.seq} has format ${frame.v}.`);
  if (frame?.v !== frameVersion || !Array.isArray(frame.records))
    throw new TroupeError('TRP_JOURNAL_CORRUPT', `Entry ${entry.seq} is no frame of a memory.`);
  for (const record of frame.records as readonly unknown[]) checkRecord(record, entry.seq);
  return frame as MemoryFrame;
}

/**
 * What the journal of a run says of its memory, where the journal itself is the log. Values that stand aside in blobs
 * are left out.
 */
function shownIn(entry: LogEntry): MemoryFrame {
  const { epoch, chunks } = journalFrameOf(entry);
  const records = chunks
    .flatMap((chunk) => recordsOfChunk(chunk, entry.seq))
    .filter(({ type }) => recordTypes.includes(type))
    .map(withoutAside);
  return { v: frameVersion, epoch, records: records as readonly MemoryRecord[] };
}

/** Stands where a value is that was taken out of its record. */
const omitted: Plain = Object.freeze({ $omitted: 'too large for a message' });

function withoutAside(record: StoredRecord): JournalRecord {
  const { blobs = [], ...rest } = record;
  if (blobs.length === 0) return record;
  const shown = structuredClone(rest) as unknown as { [key: string]: unknown };
  for (const { at } of blobs) replaceAt(shown, at);
  return shown as unknown as JournalRecord;
}

function replaceAt(root: { [key: string]: unknown }, at: StoredPath): void {
  let place = root;
  for (const key of at.slice(0, -1)) place = place[key] as { [key: string]: unknown };
  place[at.at(-1) ?? ''] = omitted;
}

type StoredPath = BlobAt['at'];

const recordTypes: readonly unknown[] = ['memory.committed', 'conflict.recorded', 'lease.taken'];

/** What is not known may say anything of the memory: it is not passed over. */
function checkRecord(record: unknown, entry: number): void {
  const { type, seq, op, changes } = (record ?? {}) as { readonly [name: string]: unknown };
  if (typeof type === 'string' && !recordTypes.includes(type))
    throw new TroupeError('TRP_JOURNAL_VERSION', `Entry ${entry} has a record of type ${type}.`);
  const isWhole = type !== 'memory.committed' || (typeof op === 'string' && Array.isArray(changes));
  if (typeof type === 'string' && Number.isSafeInteger(seq) && isWhole) return;
  throw new TroupeError('TRP_JOURNAL_CORRUPT', `Entry ${entry} has a malformed record.`);
}
