import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { JournalStore } from '../../../src/journal/journal.ts';
import { openFileStore } from '../../../src/journal/stores/file-store/file-store.ts';
import type { FileStoreOptions } from '../../../src/journal/stores/file-store/file-store.ts';

/** A folder that goes away with the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'troupe-journal-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A store on a folder, closed with the test. Its clock counts the calls. */
export async function fileStore(
  dataDir: string,
  options: Partial<FileStoreOptions> = {},
): Promise<JournalStore> {
  let time = 1_700_000_000_000;
  const store = await openFileStore({ dataDir, level: 'process', now: () => time++, ...options });
  onTestFinished(() => store.close());
  return store;
}
