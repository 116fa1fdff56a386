import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { deleteRun, pruneRuns } from '../../src/runtime/retention.ts';
import { createTroupe } from '../../src/runtime/troupe.ts';
import { temporaryFolder } from '../journal/support/folder.ts';

const document = { version: 1, name: 'w', tasks: { a: { uses: 'function', module: 'host:say' } } };
const functions = { say: ({ run }: { run: string }) => `${run} ${'x'.repeat(100_000)}` };

/** Runs so many workflows to their ends and ends the process that carried them, as far as others see. */
async function runsIn(dataDir: string, count: number): Promise<string[]> {
  const troupe = await createTroupe({ dataDir, functions, control: false });
  const ids: string[] = [];
  for (let index = 0; index < count; index++) {
    const handle = await troupe.run(document);
    await handle.outcome();
    ids.push(handle.id);
  }
  await troupe.close();
  await bury(dataDir, troupe.node);
  return ids;
}

async function bury(dataDir: string, node: string): Promise<void> {
  const owner = { format: 1, pid: 2 ** 22 + 1, start: '1', boot: 'another' };
  await writeFile(join(dataDir, 'nodes', node, 'owner.json'), JSON.stringify(owner));
}

async function leftOf(dataDir: string, run: string): Promise<readonly string[]> {
  const entries = await readdir(dataDir, { recursive: true, withFileTypes: true });
  const found: string[] = [];
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name);
    const content = entry.isFile() ? await readFile(path, 'latin1') : '';
    if (path.includes(run) || content.includes(run)) found.push(path);
  }
  return found;
}

describe('runs that have had their time', () => {
  it('are deleted with all that is kept of them', async () => {
    const dataDir = await temporaryFolder();
    const [gone = '', stays = ''] = await runsIn(dataDir, 2);
    await mkdir(join(dataDir, 'workspaces', gone, 'a', '1'), { recursive: true });
    expect((await leftOf(dataDir, gone)).length).toBeGreaterThan(3);
    await deleteRun(dataDir, gone);
    expect(await leftOf(dataDir, gone)).toEqual([]);
    const troupe = await createTroupe({ dataDir, control: false });
    expect((await troupe.runs()).map(({ run_id }) => run_id)).toEqual([stays]);
    expect((await troupe.show(stays)).status).toBe('succeeded');
    await troupe.close();
    await expect(deleteRun(dataDir, gone)).rejects.toMatchObject({ code: 'TRP_RUN_NOT_FOUND' });
  });

  it('are pruned by age and number, oldest first; a dry run only tells', async () => {
    const dataDir = await temporaryFolder();
    const ids = await runsIn(dataDir, 4);
    const dry = await pruneRuns(dataDir, { keep: 1, dryRun: true });
    expect(dry.map(({ run_id }) => run_id)).toEqual(ids.slice(0, 3));
    expect(await pruneRuns(dataDir, { olderThanMs: 3_600_000 })).toEqual([]);
    const later = Date.now() + 7_200_000;
    const gone = await pruneRuns(dataDir, { olderThanMs: 3_600_000, keep: 2, nowMs: later });
    expect(gone.map(({ run_id, kept }) => [run_id, kept])).toEqual(
      ids.slice(0, 2).map((id) => [id, null]),
    );
    await pruneRuns(dataDir);
    expect(await readdir(join(dataDir, 'runs'))).toEqual([]);
    expect(await readdir(join(dataDir, 'nodes'))).toEqual([]);
    expect(await readdir(join(dataDir, 'blobs'))).toEqual([]);
  });

  it('stay while the process lives that carried them', async () => {
    const dataDir = await temporaryFolder();
    const troupe = await createTroupe({ dataDir, functions, control: false });
    const handle = await troupe.run(document);
    await handle.outcome();
    await expect(deleteRun(dataDir, handle.id)).rejects.toMatchObject({ code: 'TRP_RUN_OWNED' });
    await troupe.close();
  });

  it('are for their owner alone to read', async () => {
    const dataDir = join(await temporaryFolder(), 'data');
    await runsIn(dataDir, 1);
    expect((await stat(dataDir)).mode & 0o777).toBe(0o700);
    for (const entry of await readdir(dataDir, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      if (!existsSync(path) || entry.isSymbolicLink()) continue;
      const mode = (await stat(path)).mode & 0o777;
      expect([path, mode]).toEqual([path, entry.isDirectory() ? 0o700 : 0o600]);
    }
  });
});
