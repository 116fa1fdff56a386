import { decode } from '../../bus/codec.ts';
import { TroupeError, messageOf } from '../../core/errors.ts';
import { maxPlainDepth } from '../../core/plain.ts';
import type { Plain } from '../../core/plain.ts';
import type { JournalRecord } from '../record.ts';
import { isBlobHash } from './blob-port.ts';
import type { BlobPort } from './blob-port.ts';
import type { BlobAt, StoredRecord } from './lift.ts';

/** Values lie a few levels inside their records. */
const blobDepth = maxPlainDepth + 28;

/**
 * Puts what was taken out of records back into them; records without blobs are handed on as they are. Each blob is
 * read once.
 * @throws TroupeError TRP_JOURNAL_BLOB when one is missing or damaged: never a record with a hole in it
 */
export async function lower(
  records: readonly JournalRecord[],
  blobs: BlobPort,
): Promise<readonly JournalRecord[]> {
  if (!records.some((record) => (record as StoredRecord).blobs !== undefined)) return records;
  const known = new Map<string, Promise<Plain>>();
  const valueOf = (blob: BlobAt, seq: number): Promise<Plain> => {
    const value = known.get(blob.hash) ?? read(blobs, blob, seq);
    known.set(blob.hash, value);
    return value;
  };
  const whole: JournalRecord[] = [];
  for (const record of records as readonly StoredRecord[])
    whole.push(record.blobs ? await filled(record, record.blobs, valueOf) : record);
  return whole;
}

async function filled(
  stored: StoredRecord,
  blobs: readonly BlobAt[],
  valueOf: (blob: BlobAt, seq: number) => Promise<Plain>,
): Promise<JournalRecord> {
  const record = Object.fromEntries(Object.entries(stored).filter(([key]) => key !== 'blobs'));
  const { seq } = stored;
  let whole = record as Plain;
  for (const blob of blobs)
    whole = placed(whole, blob.at, { value: await valueOf(blob, seq), seq });
  return whole as unknown as JournalRecord;
}

interface Placing {
  readonly value: Plain;
  readonly seq: number;
}

/** A copy with a value at a path; what is not on the path is shared. */
function placed(container: Plain, [key, ...rest]: BlobAt['at'], placing: Placing): Plain {
  if (key === undefined) return placing.value;
  if (container === null || typeof container !== 'object' || container instanceof Uint8Array)
    throw blobError(placing.seq, 'has no place for one of its values');
  if (Array.isArray(container)) {
    const items = [...(container as readonly Plain[])];
    items[Number(key)] = placed(items[Number(key)] ?? null, rest, placing);
    return items;
  }
  const object = container as { readonly [key: string]: Plain };
  return { ...object, [key]: placed(object[key] ?? null, rest, placing) };
}

async function read(blobs: BlobPort, { hash, bytes }: BlobAt, seq: number): Promise<Plain> {
  if (!isBlobHash(hash)) throw blobError(seq, 'names no blob');
  const content = await blobs.get(hash).catch((error: unknown) => {
    throw blobError(seq, `holds a value whose blob ${hash} ${messageOf(error)}`, error);
  });
  if (!content) throw blobError(seq, `holds a value whose blob ${hash} is missing`);
  if (content.length !== bytes) throw blobError(seq, `holds a value whose blob ${hash} is damaged`);
  try {
    return decode(content, { maxDepth: blobDepth });
  } catch (error) {
    throw blobError(seq, `holds a value whose blob ${hash} is no plain data`, error);
  }
}

function blobError(seq: number, fault: string, cause?: unknown): TroupeError {
  return new TroupeError('TRP_JOURNAL_BLOB', `Record ${seq} ${fault}.`, { cause });
}
