import { open } from 'node:fs/promises';
import { fileMode } from './system-calls.js';
/** A segment on the disk. */
export const openSegmentFile = async (path) => {
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
