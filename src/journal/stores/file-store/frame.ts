import { crc32 } from 'node:zlib';

/**
 * A frame of a segment: length (u32, big endian), CRC-32 (u32, big endian), payload.
 *
 * The CRC starts from a seed that is made of the node, the segment and the frame's own offset, so a frame
 * is valid at its own place only: bytes of another file, or a journal stored inside a record, never pass.
 *
 * What is written by one call is a group. Its frames after the first have a seed that is made of the group's offset
 * as well: when power is lost before the group's sync, any of its frames may have got to the disk, and those behind
 * a missing one are told from a group that was written after a sync.
 */
export const frameHeadBytes = 8;

/** Where the CRCs of one segment start. */
export function segmentSeed(node: string, segment: number): number {
  return crc32(`${node}/${segment}`);
}

/** Where the CRCs of those frames of a group start that are not its first. */
export function groupSeed(seed: number, groupOffset: number): number {
  return crc32(`group ${groupOffset}`, seed);
}

/** Writes one frame into `target` at `at`; `offset` is where the frame will stand in the file. */
export function putFrame(
  target: Buffer,
  at: number,
  frame: { payload: Uint8Array; offset: number; seed: number },
): void {
  const { payload, offset, seed } = frame;
  target.writeUInt32BE(payload.length, at);
  target.writeUInt32BE(crc32(payload, (seed + offset) >>> 0), at + 4);
  target.set(payload, at + frameHeadBytes);
}

/** What a segment holds. */
export interface ScannedSegment {
  readonly payloads: readonly Buffer[];
  /** Bytes of the frames that are whole. */
  readonly end: number;
  /** True: a group begins after damaged bytes, so this is no torn tail. */
  readonly damaged: boolean;
}

/** Reads frame after frame to the first that is not whole, then looks whether a group begins behind it. */
export function scanSegment(bytes: Buffer, seed: number, from = 0): ScannedSegment {
  const payloads: Buffer[] = [];
  let end = from;
  let inGroup = groupSeed(seed, from);
  for (;;) {
    const first = frameAt(bytes, end, seed);
    const payload = first ?? frameAt(bytes, end, inGroup);
    if (!payload) break;
    if (first) inGroup = groupSeed(seed, end);
    payloads.push(payload);
    end += frameHeadBytes + payload.length;
  }
  return { payloads, end, damaged: hasFrameAfter(bytes, end + 1, seed) };
}

/** The payload of the frame at an offset; undefined when no whole frame stands there. */
function frameAt(bytes: Buffer, offset: number, seed: number): Buffer | undefined {
  const start = offset + frameHeadBytes;
  if (start > bytes.length) return undefined;
  const length = bytes.readUInt32BE(offset);
  if (length === 0 || start + length > bytes.length) return undefined;
  const payload = bytes.subarray(start, start + length);
  return crc32(payload, (seed + offset) >>> 0) === bytes.readUInt32BE(offset + 4)
    ? payload
    : undefined;
}

/** Every payload is a MessagePack array of three or four, which spares most offsets the checksum. */
function hasFrameAfter(bytes: Buffer, from: number, seed: number): boolean {
  for (let offset = from; offset + frameHeadBytes < bytes.length; offset++) {
    const first = bytes[offset + frameHeadBytes];
    if ((first === 0x93 || first === 0x94) && frameAt(bytes, offset, seed)) return true;
  }
  return false;
}
