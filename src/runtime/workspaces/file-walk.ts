import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { TroupeError } from '../../core/errors.ts';

/** Files above which a folder is refused: copying it for every attempt would take for ever. */
const maxFiles = 50_000;

/** A file of a folder. */
export interface FoundFile {
  /** Below the folder, with forward slashes. */
  readonly path: string;
  /** Permission bits. */
  readonly mode: number;
  readonly bytes: number;
  /** Changes whenever somebody writes the file. */
  readonly mark: string;
}

/**
 * The files below a folder, in order of path; none when it does not exist. Links are neither followed nor listed.
 * @param apart folder that is left out; undefined: none.
 * @throws TroupeError TRP_WORKSPACE when there are too many.
 */
export async function filesBelow(folder: string, apart?: string): Promise<readonly FoundFile[]> {
  const found: FoundFile[] = [];
  const waiting = [''];
  for (let below = waiting.pop(); below !== undefined; below = waiting.pop()) {
    const entries = await entriesOf(join(folder, below));
    for (const entry of entries) {
      const path = below === '' ? entry.name : `${below}/${entry.name}`;
      if (entry.isDirectory() && join(folder, path) !== apart) waiting.push(path);
      if (entry.isFile()) found.push(await fileAt(folder, path));
    }
    if (found.length > maxFiles)
      throw new TroupeError('TRP_WORKSPACE', `${folder} holds more than ${maxFiles} files.`);
  }
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));
}

async function entriesOf(folder: string): ReturnType<typeof listed> {
  try {
    return await listed(folder);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw thrown;
  }
}

function listed(folder: string) {
  return readdir(folder, { withFileTypes: true });
}

async function fileAt(folder: string, path: string): Promise<FoundFile> {
  const { mode, size, mtimeMs, ino } = await lstat(join(folder, path));
  return { path, mode: mode & 0o777, bytes: size, mark: `${size}:${mtimeMs}:${ino}` };
}
