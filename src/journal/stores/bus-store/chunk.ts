import { decode, encode } from '../../../bus/codec.ts';
import { TroupeError } from '../../../core/errors.ts';
import { maxPlainDepth } from '../../../core/plain.ts';
import type { Plain } from '../../../core/plain.ts';
import type { JournalRecord } from '../../record.ts';

/** Nesting of a record with its frame around it. */
export const maxFrameDepth = maxPlainDepth + 8;

/** Records as one chunk. */
export function chunkOf(records: readonly JournalRecord[]): Uint8Array {
  return encode(records as unknown as Plain);
}

/**
 * The records of a chunk.
 * @throws TroupeError TRP_JOURNAL_CORRUPT
 */
export function recordsOfChunk(chunk: Uint8Array, seq: number): readonly JournalRecord[] {
  const records = decode(chunk, { maxDepth: maxFrameDepth });
  if (!Array.isArray(records) || !records.every(isRecord))
    throw corruptEntry(seq, 'holds something else than records');
  return records as unknown as readonly JournalRecord[];
}

function isRecord(value: Plain): boolean {
  const { seq, type } = (value ?? {}) as { readonly [name: string]: Plain };
  return Number.isSafeInteger(seq) && typeof type === 'string';
}

/** An entry that cannot be what it should. */
export function corruptEntry(seq: number, what: string): TroupeError {
  return new TroupeError('TRP_JOURNAL_CORRUPT', `Entry ${seq} of the journal ${what}.`);
}
