import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, TroupeError } from '../../../core/errors.ts';

/**
 * The data folder:
 *
 *     nodes/<node>/owner.json            who writes here: process id and start time
 *     nodes/<node>/journal-000001.log    segments, frames of records of all runs of the node
 *     nodes/<node>/taken/                appears when another node took over a run of this one
 *     runs/<run>/epoch-000001.json       which node owns the run in this epoch; the highest counts
 *     runs/<run>/epoch-000001.released   the owner gave it up
 */
export const folderMode = 0o700;
/** Journals hold prompts and results: nobody else reads them. */
export const fileMode = 0o600;

/** Folder of all runs. */
export const runsFolder = (dataDir: string): string => join(dataDir, 'runs');
/** Folder of one run. */
export const runFolder = (dataDir: string, run: string): string => join(dataDir, 'runs', run);
/** Folder of one node. */
export const nodeFolder = (dataDir: string, node: string): string => join(dataDir, 'nodes', node);
/** A number as file names carry it, sortable. */
export const fileNumber = (value: number): string => value.toString().padStart(6, '0');

const runIdForm = /^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$/;

/** Whether the text can name a run: a run's id is the name of a folder. */
export function isRunId(text: string): boolean {
  return runIdForm.test(text);
}

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
