import { readFile, rename, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TroupeError } from '../../../core/errors.ts';
import { isAlive, thisProcess } from './liveness.ts';
import type { ProcessIdentity } from './liveness.ts';
import { fileMode, removeFile, systemCode } from './system-calls.ts';

/**
 * Does what only one process of a data folder may do at a time: writing the journals of others anew. A lock whose
 * process has died is taken over.
 * @throws TroupeError TRP_RUN_OWNED while another process has the lock
 */
export async function underLock<T>(dataDir: string, act: () => Promise<T>): Promise<T> {
  const path = join(dataDir, 'maintenance.json');
  if (!(await taken(path))) {
    await removeStale(path);
    if (!(await taken(path))) throw busy(path);
  }
  try {
    return await act();
  } finally {
    await removeFile(path);
  }
}

async function taken(path: string): Promise<boolean> {
  const owner = `${JSON.stringify({ format: 1, ...(await thisProcess()) })}\n`;
  try {
    await writeFile(path, owner, { mode: fileMode, flag: 'wx' });
    return true;
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Moves it aside first, so that of two who find it stale only one removes it. */
async function removeStale(path: string): Promise<void> {
  const text = await readFile(path, 'utf8').catch(() => '');
  if (await isHeld(text)) throw busy(path);
  const aside = `${path}.${process.pid}`;
  await rename(path, aside).catch(() => undefined);
  const moved = await readFile(aside, 'utf8').catch(() => text);
  if (moved === text) return unlink(aside).catch(() => undefined);
  await rename(aside, path).catch(() => undefined);
}

async function isHeld(text: string): Promise<boolean> {
  try {
    const { pid, start = '', boot = '' } = JSON.parse(text) as Partial<ProcessIdentity>;
    return typeof pid === 'number' && (await isAlive({ pid, start, boot }));
  } catch {
    return false;
  }
}

function busy(path: string): TroupeError {
  const message = 'Another process is removing runs from this folder. Try again when it is done.';
  return new TroupeError('TRP_RUN_OWNED', message, { place: path });
}
