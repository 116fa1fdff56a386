import { open, readFile, rename } from 'node:fs/promises';
import { encode } from '../../../bus/codec.ts';
import { frameHeadBytes, putFrame, scanSegment, segmentSeed } from './frame.ts';
import { corrupt } from './segment.ts';
import { removeFile } from './system-calls.ts';
import { fileMode } from './modes.ts';

/**
 * Writes a segment anew without the frames of one run. The new file takes the place of the old one at once; where
 * nothing is to go, nothing is written. Nobody may be writing to the segment.
 * @throws TroupeError TRP_JOURNAL_CORRUPT when damage stands before valid frames: then the file stays as it is
 */
export async function eraseFrames(
  path: string,
  { node, segment, run }: { readonly node: string; readonly segment: number; readonly run: string },
): Promise<boolean> {
  const bytes = await readFile(path);
  const seed = segmentSeed(node, segment);
  const { payloads, end, damaged } = scanSegment(bytes, seed);
  if (damaged) throw corrupt(path, `is damaged at byte ${end}`);
  const prefix = Buffer.from(encode([run, null]).subarray(0, -1));
  // The run is the second word of a frame, after the mark of a list of three.
  const isTheirs = (payload: Buffer): boolean =>
    payload.compare(prefix, 1, prefix.length, 1, prefix.length) === 0;
  const kept = payloads.filter((payload, index) => index === 0 || !isTheirs(payload));
  if (kept.length === payloads.length && end === bytes.length) return false;
  await replace(path, framed(kept, seed));
  return true;
}

function framed(payloads: readonly Buffer[], seed: number): Buffer {
  const size = payloads.reduce((sum, payload) => sum + frameHeadBytes + payload.length, 0);
  const target = Buffer.alloc(size);
  let offset = 0;
  for (const payload of payloads) {
    putFrame(target, offset, { payload, offset, seed });
    offset += frameHeadBytes + payload.length;
  }
  return target;
}

async function replace(path: string, bytes: Uint8Array): Promise<void> {
  const draft = `${path}.new`;
  try {
    const handle = await open(draft, 'w', fileMode);
    try {
      await handle.writeFile(bytes);
      await handle.datasync();
    } finally {
      await handle.close();
    }
    await rename(draft, path);
  } catch (error) {
    await removeFile(draft);
    throw error;
  }
}
