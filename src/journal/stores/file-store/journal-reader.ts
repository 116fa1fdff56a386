import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JournalRecord } from '../../record.ts';
import { scanSegment, segmentSeed } from './frame.ts';
import { checkHeader, corrupt, recordsIn, recordsPrefix, segmentNumber } from './segment.ts';
import { syncFile, systemCode } from './system-calls.ts';

/** Where the records of one epoch of a run stand. */
export interface EpochSource {
  readonly folder: string;
  readonly node: string;
  /** First segment that may hold any. */
  readonly segment: number;
  /** Byte of that segment from which on they are wanted; default: its first. A frame must begin there. */
  readonly offset?: number;
  readonly run: string;
  readonly epoch: number;
}

/**
 * Reads the records of one epoch, also while they are being written: a frame at the very end that is not
 * whole is not there yet, or was never acknowledged. Needs no lock, changes nothing.
 * @throws TroupeError TRP_JOURNAL_CORRUPT when damage stands before valid frames, TRP_JOURNAL_VERSION.
 */
export async function readEpoch(source: EpochSource): Promise<readonly JournalRecord[]> {
  const prefix = recordsPrefix(source.run, source.epoch);
  const records: JournalRecord[] = [];
  for (const { path, payloads } of await readSegments(source)) {
    for (const payload of payloads) {
      if (!startsWith(payload, prefix)) continue;
      for (const record of recordsIn(payload, path)) records.push(record);
    }
  }
  return records;
}

/**
 * Makes what was read survive a loss of power. Who goes on from another node's records calls it first:
 * that node may have died between its write and its sync.
 */
export async function syncEpoch(source: EpochSource): Promise<void> {
  for (const { path } of await listSegments(source)) await syncFile(path);
}

/** Paths of the segments that may hold records of the epoch. */
export async function segmentsOf(source: EpochSource): Promise<readonly string[]> {
  return (await listSegments(source)).map(({ path }) => path);
}

interface Segment {
  readonly path: string;
  readonly number: number;
}

/**
 * Reads the segments of a node from the source's on; the source's run and epoch do not matter.
 * @param read default: from the disk
 * @throws TroupeError TRP_JOURNAL_CORRUPT, TRP_JOURNAL_VERSION
 */
export async function readSegments(
  source: EpochSource,
  read: (path: string) => Promise<Buffer> = readFile,
): Promise<readonly { path: string; payloads: readonly Buffer[] }[]> {
  const segments = await listSegments(source);
  const found = [];
  for (const [index, { path, number }] of segments.entries()) {
    const bytes = await read(path);
    const from = number === source.segment ? (source.offset ?? 0) : 0;
    const seed = segmentSeed(source.node, number);
    const { payloads, end, damaged } = scanSegment(bytes, seed, from);
    const isLast = index === segments.length - 1;
    if (damaged || (end < bytes.length && !isLast))
      throw corrupt(path, `is damaged at byte ${end}`);
    if (from > bytes.length) throw corrupt(path, `ends before byte ${from}`);
    if (from > 0) {
      found.push({ path, payloads });
      continue;
    }
    const [header, ...rest] = payloads;
    if (header) checkHeader(header, path);
    else if (!isLast) throw corrupt(path, 'is empty');
    found.push({ path, payloads: rest });
  }
  return found;
}

/** Segments from the source's on, without gaps. A node that never wrote, or is gone, has none. */
async function listSegments({ folder, segment }: EpochSource): Promise<readonly Segment[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  });
  const numbers = names
    .flatMap((name) => segmentNumber(name) ?? [])
    .filter((number) => number >= segment);
  numbers.sort((a, b) => a - b);
  for (const [index, number] of numbers.entries()) {
    if (number !== segment + index) throw corrupt(folder, `lacks segment ${segment + index}`);
  }
  const padded = new Map(names.map((name) => [segmentNumber(name), name]));
  return numbers.map((number) => ({ number, path: join(folder, padded.get(number) ?? '') }));
}

function startsWith(payload: Buffer, prefix: Uint8Array): boolean {
  return (
    payload.length >= prefix.length &&
    payload.compare(prefix, 0, prefix.length, 0, prefix.length) === 0
  );
}
