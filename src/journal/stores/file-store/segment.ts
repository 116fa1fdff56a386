import { join } from 'node:path';
import { decode, encode } from '../../../bus/codec.ts';
import { TroupeError } from '../../../core/errors.ts';
import { maxPlainDepth } from '../../../core/plain.ts';
import type { Plain } from '../../../core/plain.ts';
import type { JournalRecord } from '../../record.ts';
import { fileNumber } from './layout.ts';

/** First word of every segment. */
const signature = 'troupe-journal';

/** Version of the segment format; a reader refuses a later one. In the first, every frame was a group. */
const segmentFormat = 2;

/** Records stand a few levels inside their frame, and values inside the records. */
const frameDepth = maxPlainDepth + 28;

const nameForm = /^journal-(\d{6,})\.log$/;

/** Path of a segment. */
export function segmentPath(folder: string, segment: number): string {
  return join(folder, `journal-${fileNumber(segment)}.log`);
}

/** The number in a segment's name; undefined for any other file. */
export function segmentNumber(name: string): number | undefined {
  const digits = nameForm.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** Payload of a segment's first frame. */
export function headerPayload(node: string, segment: number): Uint8Array {
  return encode([signature, segmentFormat, node, segment]);
}

/** Refuses a segment that is not what its name says, or that another version wrote. */
export function checkHeader(payload: Uint8Array, path: string): void {
  const header = decodeFrame(payload, path);
  const [word, format] = Array.isArray(header) ? (header as readonly Plain[]) : [];
  if (word !== signature) throw corrupt(path, 'does not begin with a header');
  if (typeof format !== 'number' || format < 1 || format > segmentFormat) {
    throw new TroupeError('TRP_JOURNAL_VERSION', `${path} has format ${JSON.stringify(format)}.`, {
      place: path,
    });
  }
}

/** Payload of a frame of records of one run in one epoch. */
export function recordsPayload(
  run: string,
  epoch: number,
  records: readonly JournalRecord[],
): Uint8Array {
  return encode([run, epoch, records as unknown as Plain]);
}

/** The bytes that every frame of the run and epoch begins with: enough to pass over all others undecoded. */
export function recordsPrefix(run: string, epoch: number): Uint8Array {
  return encode([run, epoch, null]).subarray(0, -1);
}

/** The records in a payload that begins with the prefix of its run and epoch. */
export function recordsIn(payload: Uint8Array, path: string): readonly JournalRecord[] {
  const frame = decodeFrame(payload, path);
  const records = Array.isArray(frame) ? (frame as readonly Plain[])[2] : undefined;
  if (!Array.isArray(records)) throw corrupt(path, 'holds a frame without records');
  return records as unknown as readonly JournalRecord[];
}

/** A journal that cannot be trusted. Nothing is mended silently. */
export function corrupt(path: string, fault: string): TroupeError {
  return new TroupeError('TRP_JOURNAL_CORRUPT', `${path} ${fault}.`, { place: path });
}

function decodeFrame(payload: Uint8Array, path: string): Plain {
  try {
    return decode(payload, { maxDepth: frameDepth });
  } catch (error) {
    throw new TroupeError('TRP_JOURNAL_CORRUPT', `${path} holds a frame that is no record.`, {
      place: path,
      cause: error,
    });
  }
}
