import { createHash, randomUUID } from 'node:crypto';
import { link, open, readdir, readFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { BlobRef } from '../../../bus/blob-store.ts';
import { TroupeError } from '../../../core/errors.ts';
import type { BlobPort } from '../../blobs/blob-port.ts';
import { isBlobHash } from '../../blobs/blob-port.ts';
import { blobsFolder, runFolder } from './layout.ts';
import {
  journalError,
  makeFolder,
  removeFile,
  syncFile,
  syncFolder,
  systemCode,
} from './system-calls.ts';
import { fileMode } from './modes.ts';

/**
 * The large values of one run, as files named by their content. A blob has one link in the run's own folder, which
 * keeps it alive, and one in the folder that all runs share, by which others find it: what no run has a link to any
 * more may go, whatever others do at the time.
 */
export class RunBlobs implements BlobPort {
  private readonly dataDir: string;
  private readonly folder: string;
  private readonly run: string;
  private readonly sync: boolean;
  private readonly known = new Map<string, Promise<BlobRef>>();
  private ready: Promise<void> | undefined;

  /** @param options.sync true: a blob survives a loss of power before anything refers to it */
  constructor(dataDir: string, { run, sync }: { readonly run: string; readonly sync: boolean }) {
    this.dataDir = dataDir;
    this.run = run;
    this.folder = ownFolder(dataDir, run);
    this.sync = sync;
  }

  put(content: Uint8Array): Promise<BlobRef> {
    const hash = hashOf(content);
    const known = this.known.get(hash);
    if (known) return known;
    const stored = this.store(hash, content).catch((error: unknown) => {
      this.known.delete(hash);
      throw journalError(error, this.folder);
    });
    this.known.set(hash, stored);
    return stored;
  }

  /** @throws TroupeError TRP_JOURNAL_BLOB when the file holds something else */
  async get(hash: string): Promise<Uint8Array | undefined> {
    const path = join(this.folder, hash);
    const content = await contentOf(path);
    if (content && hashOf(content) !== hash)
      throw new TroupeError('TRP_JOURNAL_BLOB', `is damaged in ${path}`, { place: path });
    return content;
  }

  private async store(hash: string, content: Uint8Array): Promise<BlobRef> {
    await (this.ready ??= this.makeFolders().catch((error: unknown) => {
      this.ready = undefined;
      throw error;
    }));
    const own = join(this.folder, hash);
    const shared = join(blobsFolder(this.dataDir), hash);
    const isThere = (await contentOf(own))?.equals(content) ?? false;
    if (!isThere) {
      await removeFile(own);
      if (!(await this.takeShared(shared, own, content))) await this.write(shared, own, content);
    }
    if (this.sync) await syncFolder(this.folder);
    return { hash, bytes: content.length };
  }

  /** Another run, or another value of this one, has the same content already. */
  private async takeShared(shared: string, own: string, content: Uint8Array): Promise<boolean> {
    try {
      await link(shared, own);
    } catch {
      return false;
    }
    if ((await contentOf(own))?.equals(content) !== true) {
      await removeFile(own);
      return false;
    }
    // Whoever wrote it may not have waited for the disk.
    if (this.sync) await syncFile(own);
    return true;
  }

  private async write(shared: string, own: string, content: Uint8Array): Promise<void> {
    const draft = join(blobsFolder(this.dataDir), `draft-${randomUUID()}`);
    try {
      await writeWhole(draft, content, this.sync);
      await link(draft, own).catch(() => rename(draft, own));
      await rename(draft, shared);
    } catch (error) {
      // Where the file system knows no links, the run has the only one.
      if (systemCode(error) === 'ENOENT' && (await contentOf(own))) return;
      await removeFile(draft);
      throw error;
    }
  }

  private async makeFolders(): Promise<void> {
    await Promise.all([makeFolder(blobsFolder(this.dataDir)), makeFolder(this.folder)]);
    if (this.sync) await syncFolder(runFolder(this.dataDir, this.run));
  }
}

/** Removes shared blobs that no run has any more, and drafts that nobody will finish. */
export async function collectBlobs(dataDir: string, nowMs: number): Promise<number> {
  const folder = blobsFolder(dataDir);
  let removed = 0;
  for (const name of await readdir(folder).catch(() => [])) {
    const path = join(folder, name);
    const found = await stat(path).catch(() => undefined);
    if (!found) continue;
    const isDone = isBlobHash(name) ? found.nlink === 1 : nowMs - found.mtimeMs > draftMs;
    if (!isDone) continue;
    await removeFile(path);
    removed++;
  }
  return removed;
}

/** No draft takes as long to write, in milliseconds. */
const draftMs = 3_600_000;

function ownFolder(dataDir: string, run: string): string {
  return join(runFolder(dataDir, run), 'blobs');
}

function hashOf(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

async function contentOf(path: string): Promise<Buffer | undefined> {
  return readFile(path).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  });
}

async function writeWhole(path: string, content: Uint8Array, sync: boolean): Promise<void> {
  const handle = await open(path, 'wx', fileMode);
  try {
    await handle.writeFile(content);
    if (sync) await handle.datasync();
  } finally {
    await handle.close();
  }
}
