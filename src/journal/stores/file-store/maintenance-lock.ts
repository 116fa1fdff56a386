import { readFile, rename, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TroupeError } from '../../../core/errors.ts';
import { isAlive, thisProcess } from './liveness.ts';
import type { ProcessIdentity } from './liveness.ts';
import { sealed, unsealed } from './sealed-json.ts';
import { corrupt } from './segment.ts';
import { removeFile, systemCode } from './system-calls.ts';
import { fileMode } from './modes.ts';

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
  const owner = sealed(await thisProcess());
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
  if (await isHeld(text, path)) throw busy(path);
  const aside = `${path}.${process.pid}`;
  await rename(path, aside).catch(() => undefined);
  const moved = await readFile(aside, 'utf8').catch(() => text);
  if (moved === text) return unlink(aside).catch(() => undefined);
  await rename(aside, path).catch(() => undefined);
}

async function isHeld(text: string, path: string): Promise<boolean> {
  const said = unsealed(text);
  if (said === 'damaged')
    throw corrupt(path, 'is damaged; remove it when no process removes runs from this folder');
  if (said === 'unfinished') return false;
  const { pid, start = '', boot = '' } = said as Partial<ProcessIdentity>;
  return typeof pid === 'number' && isAlive({ pid, start, boot });
}

function busy(path: string): TroupeError {
  const message = 'Another process is removing runs from this folder. Try again when it is done.';
  return new TroupeError('TRP_RUN_OWNED', message, { place: path });
}
