import { decode, encode } from '../../../bus/codec.ts';
import type { Plain } from '../../../core/plain.ts';
import type { JournalRecord } from '../../record.ts';
import { chunkOf, corruptEntry, maxFrameDepth, recordsOfChunk } from './chunk.ts';

/** Records that are too large for a message, and what the log shows of them. */

/** Values above this size, encoded, are left out of what the log itself shows of a frame that went aside. */
const shownBytes = 4_096;

/** Stands for a value that was too large to be shown. */
const omitted: Plain = Object.freeze({ $omitted: 'too large for a message' });

/** Chunks as a blob of their own: its content names run and operation, so that no two frames share one. */
export function blobOf(op: string, chunks: readonly Uint8Array[]): Uint8Array {
  return encode({ op, journal: chunks } as unknown as Plain);
}

/**
 * What {@link blobOf} was given.
 * @throws TroupeError TRP_JOURNAL_CORRUPT
 */
export function chunksOfBlob(content: Uint8Array, seq: number): readonly Uint8Array[] {
  const { journal } = (decode(content, { maxDepth: maxFrameDepth }) ?? {}) as { journal?: Plain };
  if (Array.isArray(journal)) return journal as unknown as readonly Uint8Array[];
  throw corruptEntry(seq, 'refers to a blob of another kind');
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
