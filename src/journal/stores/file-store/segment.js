import { join } from 'node:path';
import { decode, encode } from '../../../bus/codec.js';
import { TroupeError } from '../../../core/errors.js';
import { maxPlainDepth } from '../../../core/plain.js';
import { fileNumber } from './layout.js';
/** First word of every segment. */
const signature = 'troupe-journal';
/** Version of the segment format; a reader refuses another one. */
const segmentFormat = 1;
/** Records stand a few levels inside their frame, and values inside the records. */
const frameDepth = maxPlainDepth + 28;
const nameForm = /^journal-(\d{6,})\.log$/;
/** Path of a segment. */
export function segmentPath(folder, segment) {
  return join(folder, `journal-${fileNumber(segment)}.log`);
}
/** The number in a segment's name; undefined for any other file. */
export function segmentNumber(name) {
  const digits = nameForm.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}
/** Payload of a segment's first frame. */
export function headerPayload(node, segment) {
  return encode([signature, segmentFormat, node, segment]);
}
/** Refuses a segment that is not what its name says, or that another version wrote. */
export function checkHeader(payload, path) {
  const header = decodeFrame(payload, path);
  const [word, format] = Array.isArray(header) ? header : [];
  if (word !== signature) throw corrupt(path, 'does not begin with a header');
  if (format !== segmentFormat) {
    throw new TroupeError('TRP_JOURNAL_VERSION', `${path} has format ${JSON.stringify(format)}.`, {
      place: path,
    });
  }
}
/** Payload of a frame of records of one run in one epoch. */
export function recordsPayload(run, epoch, records) {
  return encode([run, epoch, records]);
}
/** The bytes that every frame of the run and epoch begins with: enough to pass over all others undecoded. */
export function recordsPrefix(run, epoch) {
  return encode([run, epoch, null]).subarray(0, -1);
}
/** The records in a payload that begins with the prefix of its run and epoch. */
export function recordsIn(payload, path) {
  const frame = decodeFrame(payload, path);
  const records = Array.isArray(frame) ? frame[2] : undefined;
  if (!Array.isArray(records)) throw corrupt(path, 'holds a frame without records');
  return records;
}
/** A journal that cannot be trusted. Nothing is mended silently. */
export function corrupt(path, fault) {
  return new TroupeError('TRP_JOURNAL_CORRUPT', `${path} ${fault}.`, { place: path });
}
function decodeFrame(payload, path) {
  try {
    return decode(payload, { maxDepth: frameDepth });
  } catch (error) {
    throw new TroupeError('TRP_JOURNAL_CORRUPT', `${path} holds a frame that is no record.`, {
      place: path,
      cause: error,
    });
  }
}
