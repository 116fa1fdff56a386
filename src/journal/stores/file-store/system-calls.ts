import { mkdir, open, stat, unlink } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { messageOf, TroupeError } from '../../../core/errors.ts';
import { folderMode } from './modes.ts';

/** The system's code of a failed call, `''` for anything else. */
export function systemCode(error: unknown): string {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === 'string' ? code : '';
}

/** A failed call as an error of the journal: full, or unable. Errors that are ours pass unchanged. */
export function journalError(error: unknown, place: string): TroupeError {
  if (error instanceof TroupeError) return error;
  const full = ['ENOSPC', 'EDQUOT', 'EFBIG'].includes(systemCode(error));
  const code = full ? 'TRP_JOURNAL_FULL' : 'TRP_JOURNAL_IO';
  const hint =
    'Look at the folder and its permissions and space, or name another one with --data or TROUPE_DATA.';
  return new TroupeError(code, messageOf(error), { place, hint, cause: error });
}

/** Makes a new name in a folder survive a loss of power. */
export async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Makes what stands in a file survive a loss of power, whoever wrote it. */
export async function syncFile(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.datasync();
  } finally {
    await handle.close();
  }
}

/** Removes a file if it can be: what stays is told by whoever stumbles over it. */
export async function removeFile(path: string): Promise<void> {
  await unlink(path).catch(() => undefined);
}

/**
 * Makes a folder and those above it; all of them for the owner only. The recursive mkdir of Node is not used:
 * it never returns where the system refuses a new name with ENOENT although the folder above is there (/proc).
 * @throws TroupeError TRP_JOURNAL_FULL or TRP_JOURNAL_IO that names the folder.
 */
export async function makeFolder(path: string): Promise<void> {
  const whole = resolve(path);
  try {
    await makeMissing(whole);
  } catch (error) {
    throw journalError((await fileInTheWay(whole)) ?? error, whole);
  }
}

async function makeMissing(path: string): Promise<void> {
  const above = dirname(path);
  try {
    if (!(await isThere(path))) await mkdir(path, { mode: folderMode });
  } catch (error) {
    const code = systemCode(error);
    if (code === 'EEXIST') return;
    if (code !== 'ENOENT' || (await isThere(above))) throw error;
    await makeMissing(above);
    await makeMissing(path);
  }
}

/** What stands where a folder is meant to be, as an error; undefined: nothing does. */
export async function fileInTheWay(path: string): Promise<TroupeError | undefined> {
  for (let at = resolve(path); ; at = dirname(at)) {
    const found = await stat(at).catch(() => undefined);
    if (found?.isDirectory() === true || at === dirname(at)) return undefined;
    if (found) {
      const message = `${JSON.stringify(at)} is a file, not a folder`;
      return new TroupeError('TRP_JOURNAL_IO', message, { place: at });
    }
  }
}

async function isThere(folder: string): Promise<boolean> {
  return stat(folder).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
