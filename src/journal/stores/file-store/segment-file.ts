import { open } from 'node:fs/promises';
import { fileMode } from './modes.ts';

/** The operations that a journal needs of a file. Tests give one that fails. */
export interface SegmentFile {
  /** Writes all bytes at the position, or rejects. */
  write(bytes: Uint8Array, position: number): Promise<void>;
  /** Resolves when what was written survives a loss of power. */
  sync(): Promise<void>;
  cutTo(length: number): Promise<void>;
  close(): Promise<void>;
}

/** Makes a new file; rejects when there is one of that name. */
export type OpenSegment = (path: string) => Promise<SegmentFile>;

/** A segment on the disk. */
export const openSegmentFile: OpenSegment = async (path) => {
  const handle = await open(path, 'wx', fileMode);
  return {
    async write(bytes, position) {
      let done = 0;
      while (done < bytes.length) {
        const { bytesWritten } = await handle.write(
          bytes,
          done,
          bytes.length - done,
          position + done,
        );
        done += bytesWritten;
      }
    },
    sync: () => handle.datasync(),
    cutTo: (length) => handle.truncate(length),
    close: () => handle.close(),
  };
};
