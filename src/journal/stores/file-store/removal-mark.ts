import { stat, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { removedName, runFolder } from './layout.ts';
import { syncFolder } from './system-calls.ts';
import { fileMode } from './modes.ts';

/** Says that a run is being removed: from now on it is not there. */
export async function markRemoved(dataDir: string, run: string): Promise<void> {
  const folder = runFolder(dataDir, run);
  await writeFile(join(folder, removedName), '', { mode: fileMode });
  await syncFolder(folder);
}

/** Takes back {@link markRemoved}: somebody was faster. */
export async function unmarkRemoved(dataDir: string, run: string): Promise<void> {
  await unlink(join(runFolder(dataDir, run), removedName));
}

/** Whether a run is being removed. */
export async function isRemoved(dataDir: string, run: string): Promise<boolean> {
  return stat(join(runFolder(dataDir, run), removedName)).then(
    () => true,
    () => false,
  );
}
