import { mkdir, open } from 'node:fs/promises';
import { messageOf, TroupeError } from '../../../core/errors.ts';

/** Journals hold prompts and results: nobody else may look into their folders. */
export const folderMode = 0o700;

/** Nor into the files themselves. */
export const fileMode = 0o600;

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
  return new TroupeError(code, messageOf(error), { place, cause: error });
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

/** Makes a folder and those above it; all of them for the owner only. */
export async function makeFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: folderMode });
}
