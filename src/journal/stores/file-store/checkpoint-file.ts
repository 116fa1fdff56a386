import { open, readdir, readFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { decodeCheckpoint } from '../../checkpoint.ts';
import type { Checkpoint } from '../../checkpoint.ts';
import type { EncodedCheckpoint } from '../../journal.ts';
import { nodeFolder, runFolder } from './layout.ts';
import { segmentPath } from './segment.ts';
import { removeFile } from './system-calls.ts';
import { fileMode } from './modes.ts';

/** From where on a node's journal holds what is not in a checkpoint. */
export interface JournalPosition {
  readonly node: string;
  readonly epoch: number;
  readonly segment: number;
  readonly offset: number;
}

/** A checkpoint as it was found. */
export interface KeptCheckpoint {
  readonly checkpoint: Checkpoint;
  readonly position: JournalPosition;
}

/** Older ones stay in case the newest is damaged. */
const keptCheckpoints = 2;

const nameForm = /^checkpoint-(\d{9,})$/;
const headBytes = 8;

/**
 * Writes a checkpoint beside the epochs of its run: length of the head (u32), CRC-32 of all that follows (u32), the
 * head with the position as JSON, the checkpoint. It appears whole or not at all, and older ones go.
 */
export async function writeCheckpoint(
  dataDir: string,
  run: string,
  { seq, bytes, ...position }: EncodedCheckpoint & JournalPosition,
): Promise<void> {
  const folder = runFolder(dataDir, run);
  const inode = await inodeOf(dataDir, position);
  const head = Buffer.from(JSON.stringify({ format: 1, run, inode, ...position }));
  const file = Buffer.concat([Buffer.alloc(headBytes), head, bytes]);
  file.writeUInt32BE(head.length, 0);
  file.writeUInt32BE(crc32(file.subarray(headBytes), head.length), 4);
  const path = join(folder, `checkpoint-${seq.toString().padStart(9, '0')}`);
  const draft = `${path}.new-${position.node}`;
  try {
    await writeWhole(draft, file);
    await rename(draft, path);
  } catch (error) {
    await removeFile(draft);
    throw error;
  }
  const older = (await checkpointNames(folder)).slice(keptCheckpoints);
  await Promise.all(older.map((name) => removeFile(join(folder, name))));
}

/** The newest checkpoint that is whole and fits the journal; undefined: there is none. */
export async function readCheckpoint(
  dataDir: string,
  run: string,
): Promise<KeptCheckpoint | undefined> {
  const folder = runFolder(dataDir, run);
  for (const name of await checkpointNames(folder)) {
    const bytes = await readFile(join(folder, name)).catch(() => undefined);
    const kept = bytes && (await parsed(dataDir, run, bytes));
    if (kept) return kept;
  }
  return undefined;
}

/** Removes the checkpoints of a run: what they say of positions holds no longer. */
export async function removeCheckpoints(dataDir: string, run: string): Promise<void> {
  const folder = runFolder(dataDir, run);
  for (const name of await checkpointNames(folder)) await removeFile(join(folder, name));
}

/** Newest first. */
async function checkpointNames(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch(() => []);
  const numbered = names.flatMap((name) => {
    const digits = nameForm.exec(name)?.[1];
    return digits === undefined ? [] : [{ name, seq: Number(digits) }];
  });
  return numbered.sort((a, b) => b.seq - a.seq).map(({ name }) => name);
}

async function parsed(
  dataDir: string,
  run: string,
  file: Buffer,
): Promise<KeptCheckpoint | undefined> {
  if (file.length <= headBytes) return undefined;
  const length = file.readUInt32BE(0);
  if (crc32(file.subarray(headBytes), length) !== file.readUInt32BE(4)) return undefined;
  const head = JSON.parse(file.toString('utf8', headBytes, headBytes + length)) as Head;
  if (head.format !== 1 || head.run !== run) return undefined;
  const checkpoint = decodeCheckpoint(file.subarray(headBytes + length));
  if (!checkpoint || head.inode !== (await inodeOf(dataDir, head))) return undefined;
  const { node, epoch, segment, offset } = head;
  return { checkpoint, position: { node, epoch, segment, offset } };
}

interface Head extends JournalPosition {
  readonly format: number;
  readonly run: string;
  /** Of the segment: one that was written anew has other positions. */
  readonly inode: string;
}

async function inodeOf(dataDir: string, { node, segment }: JournalPosition): Promise<string> {
  const path = segmentPath(nodeFolder(dataDir, node), segment);
  return stat(path, { bigint: true }).then(
    ({ ino }) => ino.toString(),
    () => '',
  );
}

async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  const handle = await open(path, 'w', fileMode);
  try {
    await handle.writeFile(bytes);
    await handle.datasync();
  } finally {
    await handle.close();
  }
}
