import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { TroupeError } from '../../core/errors.ts';

/** Read at a time: a file may be larger than memory. */
const chunkBytes = 262_144;

/**
 * SHA-256 of a file's content, in lower-case hex.
 * @throws TroupeError TRP_WORKSPACE when it is no regular file: somebody has put a link there, or a pipe.
 */
export function hashOfFile(path: string): Promise<string> {
  return throughFile(path, () => Promise.resolve());
}

/**
 * Copies a file, in place of whatever stood there and never through a link; gives the SHA-256 of what was copied.
 * @param mode permission bits that the copy gets.
 * @throws TroupeError as {@link hashOfFile}.
 */
export async function copyFileHashed(path: string, target: string, mode: number): Promise<string> {
  return withNewFile(target, mode, (copy) =>
    throughFile(path, async (chunk) => {
      await copy.writeFile(chunk);
    }),
  );
}

/** Writes a file anew, whatever stood there, and never through a link. */
export async function writeFileAnew(
  target: string,
  bytes: Uint8Array,
  mode: number,
): Promise<void> {
  await withNewFile(target, mode, (file) => file.writeFile(bytes));
}

/** The content of a regular file. */
export async function contentOfFile(path: string): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  await throughFile(path, (chunk) => {
    chunks.push(Uint8Array.from(chunk));
    return Promise.resolve();
  });
  return Buffer.concat(chunks);
}

/** Hands over a file piece by piece, and gives its hash. */
async function throughFile(
  path: string,
  take: (chunk: Uint8Array) => Promise<void>,
): Promise<string> {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
  const file = await openedFile(path, O_RDONLY | (O_NOFOLLOW ?? 0) | (O_NONBLOCK ?? 0));
  try {
    if (!(await file.stat()).isFile()) throw notRegular(path);
    const hash = createHash('sha256');
    const buffer = Buffer.allocUnsafe(chunkBytes);
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, chunkBytes);
      if (bytesRead === 0) return hash.digest('hex');
      const chunk = buffer.subarray(0, bytesRead);
      hash.update(chunk);
      await take(chunk);
    }
  } finally {
    await file.close();
  }
}

async function openedFile(path: string, flags: number): Promise<FileHandle> {
  try {
    return await open(path, flags);
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    if (code === 'ELOOP' || code === 'ENXIO') throw notRegular(path);
    throw thrown;
  }
}

async function withNewFile<T>(
  target: string,
  mode: number,
  fill: (file: FileHandle) => Promise<T>,
): Promise<T> {
  await rm(target, { force: true });
  // It must be new: opening what is there could lead through a link.
  const file = await open(target, 'wx', mode);
  try {
    const filled = await fill(file);
    await file.chmod(mode);
    return filled;
  } finally {
    await file.close();
  }
}

function notRegular(path: string): TroupeError {
  return new TroupeError('TRP_WORKSPACE', `${path} is no regular file.`);
}
