import type { BlobStore } from '../../../bus/blob-store.ts';
import type { EventLog, LogEntry } from '../../../bus/event-log.ts';
import { TroupeError } from '../../../core/errors.ts';
import type { JournalRecord } from '../../record.ts';
import { recordsOfChunk } from './chunk.ts';
import { journalFrameOf } from './frame.ts';
import { chunksOfBlob } from './frame-aside.ts';
import { hashesIn } from './run-blobs.ts';

/** What a run's log held at the time of reading. */
export interface RunPast {
  readonly records: readonly JournalRecord[];
  /** Of the last owner; 0: nobody has ever owned the run, so there is none. */
  readonly epoch: number;
  /** The last owner. */
  readonly node: string;
  /** Places of the first and the last entry. */
  readonly firstSeq: number;
  readonly logSeq: number;
}

/** Before anything was read. */
export const nothingRead: RunPast = { records: [], epoch: 0, node: '', firstSeq: 0, logSeq: 0 };

/**
 * Reads a run's log on from where an earlier reading stopped.
 * @throws TroupeError TRP_JOURNAL_CORRUPT, TRP_JOURNAL_VERSION, and errors of the bus
 */
export async function readOn(
  log: EventLog,
  blobs: () => Promise<BlobStore>,
  past: RunPast = nothingRead,
): Promise<RunPast> {
  const records = [...past.records];
  let { epoch, node, firstSeq, logSeq } = past;
  for await (const entry of log.read({ from: logSeq + 1 })) {
    const read = await readEntry(entry, blobs);
    for (const record of read.records) {
      checkNumber(record, records.length + 1, log.name);
      records.push(record);
    }
    if (read.epoch > epoch) ({ epoch, node } = read);
    firstSeq ||= entry.seq;
    logSeq = entry.seq;
  }
  return { records, epoch, node, firstSeq, logSeq };
}

/** The records of one entry, wherever they are kept, and the epoch of who appended them. */
export async function readEntry(
  entry: LogEntry,
  blobs: () => Promise<BlobStore>,
): Promise<Pick<RunPast, 'epoch' | 'node' | 'records'>> {
  const { epoch, node, chunks, blob } = journalFrameOf(entry);
  const whole = blob === undefined ? chunks : await chunksAside(entry, blob, blobs);
  return { epoch, node, records: whole.flatMap((chunk) => recordsOfChunk(chunk, entry.seq)) };
}

/** Hashes of the blobs that a run's log and its records refer to, also when some are gone already. */
export async function blobsOf(
  log: EventLog,
  blobs: () => Promise<BlobStore>,
): Promise<readonly string[]> {
  const hashes = new Set<string>();
  for await (const entry of log.read()) {
    const { blob } = journalFrameOf(entry);
    if (blob !== undefined) hashes.add(blob);
    const { records } = await readEntry(entry, blobs).catch(lostRecords);
    for (const hash of hashesIn(records)) hashes.add(hash);
  }
  return [...hashes];
}

/** A removal that was interrupted may have taken the blob of a frame, which was the last to name others. */
function lostRecords(error: unknown): Pick<RunPast, 'records'> {
  if (error instanceof TroupeError && error.code === 'TRP_JOURNAL_CORRUPT') return { records: [] };
  throw error;
}

async function chunksAside(
  entry: LogEntry,
  hash: string,
  blobs: () => Promise<BlobStore>,
): Promise<readonly Uint8Array[]> {
  const content = await (await blobs()).get(hash);
  if (content) return chunksOfBlob(content, entry.seq);
  const message = `Entry ${entry.seq} of the journal refers to the blob ${hash}, which is gone.`;
  throw new TroupeError('TRP_JOURNAL_CORRUPT', message);
}

function checkNumber({ seq, type }: JournalRecord, expected: number, run: string): void {
  if (seq === expected) return;
  const message = `Record ${expected} of run ${run} is missing: ${type} has number ${seq}.`;
  throw new TroupeError('TRP_JOURNAL_CORRUPT', message, { place: run });
}
