import { createHash, randomUUID } from 'node:crypto';
import { link, open, readdir, readFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { TroupeError } from '../../../core/errors.js';
import { isBlobHash } from '../../blobs/blob-port.js';
import { blobsFolder, runFolder } from './layout.js';
import {
  fileMode,
  journalError,
  makeFolder,
  removeFile,
  syncFile,
  syncFolder,
  systemCode,
} from './system-calls.js';
/**
 * The large values of one run, as files named by their content. A blob has one link in the run's own folder, which
 * keeps it alive, and one in the folder that all runs share, by which others find it: what no run has a link to any
 * more may go, whatever others do at the time.
 */
export class RunBlobs {
  dataDir;
  folder;
  run;
  sync;
  known = new Map();
  ready;
  /** @param options.sync true: a blob survives a loss of power before anything refers to it */
  constructor(dataDir, { run, sync }) {
    this.dataDir = dataDir;
    this.run = run;
    this.folder = ownFolder(dataDir, run);
    this.sync = sync;
  }
  put(content) {
    const hash = hashOf(content);
    const known = this.known.get(hash);
    if (known) return known;
    const stored = this.store(hash, content).catch((error) => {
      this.known.delete(hash);
      throw journalError(error, this.folder);
    });
    this.known.set(hash, stored);
    return stored;
  }
  /** @throws TroupeError TRP_JOURNAL_BLOB when the file holds something else */
  async get(hash) {
    const path = join(this.folder, hash);
    const content = await contentOf(path);
    if (content && hashOf(content) !== hash)
      throw new TroupeError('TRP_JOURNAL_BLOB', `is damaged in ${path}`, { place: path });
    return content;
  }
  async store(hash, content) {
    await (this.ready ??= this.makeFolders().catch((error) => {
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
  async takeShared(shared, own, content) {
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
  async write(shared, own, content) {
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
  async makeFolders() {
    await Promise.all([makeFolder(blobsFolder(this.dataDir)), makeFolder(this.folder)]);
    if (this.sync) await syncFolder(runFolder(this.dataDir, this.run));
  }
}
/** Removes shared blobs that no run has any more, and drafts that nobody will finish. */
export async function collectBlobs(dataDir, nowMs) {
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
function ownFolder(dataDir, run) {
  return join(runFolder(dataDir, run), 'blobs');
}
function hashOf(content) {
  return createHash('sha256').update(content).digest('hex');
}
async function contentOf(path) {
  return readFile(path).catch((error) => {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  });
}
async function writeWhole(path, content, sync) {
  const handle = await open(path, 'wx', fileMode);
  try {
    await handle.writeFile(content);
    if (sync) await handle.datasync();
  } finally {
    await handle.close();
  }
}
