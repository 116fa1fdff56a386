import { decode } from '../../bus/codec.js';
import { TroupeError, messageOf } from '../../core/errors.js';
import { maxPlainDepth } from '../../core/plain.js';
import { isBlobHash } from './blob-port.js';
/** Values lie a few levels inside their records. */
const blobDepth = maxPlainDepth + 28;
/**
 * Puts what was taken out of records back into them; records without blobs are handed on as they are. Each blob is
 * read once.
 * @throws TroupeError TRP_JOURNAL_BLOB when one is missing or damaged: never a record with a hole in it
 */
export async function lower(records, blobs) {
  if (!records.some((record) => record.blobs !== undefined)) return records;
  const known = new Map();
  const valueOf = (blob, seq) => {
    const value = known.get(blob.hash) ?? read(blobs, blob, seq);
    known.set(blob.hash, value);
    return value;
  };
  const whole = [];
  for (const record of records)
    whole.push(record.blobs ? await filled(record, record.blobs, valueOf) : record);
  return whole;
}
async function filled({ blobs: _, ...record }, blobs, valueOf) {
  let whole = record;
  for (const blob of blobs)
    whole = placed(whole, blob.at, { value: await valueOf(blob, record.seq), seq: record.seq });
  return whole;
}
/** A copy with a value at a path; what is not on the path is shared. */
function placed(container, [key, ...rest], placing) {
  if (key === undefined) return placing.value;
  if (container === null || typeof container !== 'object' || container instanceof Uint8Array)
    throw blobError(placing.seq, 'has no place for one of its values');
  if (Array.isArray(container)) {
    const items = [...container];
    items[Number(key)] = placed(items[Number(key)] ?? null, rest, placing);
    return items;
  }
  const object = container;
  return { ...object, [key]: placed(object[key] ?? null, rest, placing) };
}
async function read(blobs, { hash, bytes }, seq) {
  if (!isBlobHash(hash)) throw blobError(seq, 'names no blob');
  const content = await blobs.get(hash).catch((error) => {
    throw blobError(seq, `holds a value whose blob ${hash} ${messageOf(error)}`, error);
  });
  if (!content) throw blobError(seq, `holds a value whose blob ${hash} is missing`);
  if (content.length !== bytes) throw blobError(seq, `holds a value whose blob ${hash} is damaged`);
  return decode(content, { maxDepth: blobDepth });
}
function blobError(seq, fault, cause) {
  return new TroupeError('TRP_JOURNAL_BLOB', `Record ${seq} ${fault}.`, { cause });
}
