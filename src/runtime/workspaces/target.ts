import type { Stats } from 'node:fs';
import { chmod, lstat, mkdir, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { TroupeError } from '../../core/errors.ts';
import { copyFileHashed, hashOfFile, writeFileAnew } from './file-content.ts';

/** Where a file comes from: one that lies somewhere, or a content that was made. */
export type Source =
  | { readonly file: string; readonly hash: string }
  | { readonly made: Uint8Array };

/**
 * The folder that workspaces are merged into.
 *
 * Invariants:
 * 1. A file appears there whole or not at all.
 * 2. Nothing is written through a link, and nothing but a regular file is replaced.
 */
export class Target {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  at(path: string): string {
    return join(this.folder, ...path.split('/'));
  }

  /**
   * What keeps a file from standing at a path: the first place on the way that is no folder, or the path itself
   * when something else than a file is there. Undefined: nothing.
   * @throws TroupeError TRP_WORKSPACE for a link, made by whoever: it may lead out of the folder.
   */
  async obstacle(path: string): Promise<string | undefined> {
    const parts = path.split('/');
    for (let depth = 1; depth <= parts.length; depth++) {
      const below = parts.slice(0, depth).join('/');
      const found = await statsOf(this.at(below));
      if (!found) return undefined;
      if (found.isSymbolicLink())
        throw new TroupeError(
          'TRP_WORKSPACE',
          `${this.at(below)} is a link; nothing is written there.`,
        );
      const fits = depth === parts.length ? found.isFile() : found.isDirectory();
      if (!fits) return below;
    }
    return undefined;
  }

  /** A name like the wanted one under which nothing else stands, or will: the same content may. */
  async freeName(wanted: string, hash: string, taken: (path: string) => boolean): Promise<string> {
    for (let number = 1; ; number++) {
      const name = number === 1 ? wanted : `${wanted}.${number}`;
      if (!taken(name) && (await this.isFree(name, hash))) return name;
    }
  }

  async write(path: string, source: Source, mode: number): Promise<void> {
    const target = this.at(path);
    await mkdir(dirname(target), { recursive: true });
    const beside = `${target}.${process.pid}.part`;
    if ('made' in source) await writeFileAnew(beside, source.made, mode);
    else await copyFileHashed(source.file, beside, mode);
    await rename(beside, target);
  }

  async setMode(path: string, mode: number): Promise<void> {
    await chmod(this.at(path), mode);
  }

  private async isFree(name: string, hash: string): Promise<boolean> {
    const found = await statsOf(this.at(name));
    if (!found) return true;
    return found.isFile() && (await hashOfFile(this.at(name))) === hash;
  }
}

async function statsOf(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw thrown;
  }
}
