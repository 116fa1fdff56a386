import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Plain } from '../../src/core/plain.ts';
import type { JournalStore } from '../../src/journal/journal.ts';
import type { JournalRecord } from '../../src/journal/record.ts';
import { appended, recordsOf } from '../conformance/journal-suite.ts';
import { fileStore, temporaryFolder } from './support/folder.ts';

const word = 'a-word-that-is-nowhere-else';

const large = (seq: number, text: string): JournalRecord => {
  const value: Plain = { text: text.repeat(9_000) };
  return { seq, at: seq, type: 'step.done', task: word, iteration: 1, name: 's', value };
};

/** Paths of all files below a folder. */
async function filesIn(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
}

/** Files that hold a text, or have it in their paths. */
async function filesWith(folder: string, text: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const path of await filesIn(folder))
    if (path.includes(text) || (await readFile(path)).includes(text)) found.push(path);
  return found;
}

/** A store whose process has ended as far as others can tell. */
async function dead(dataDir: string, store: JournalStore): Promise<void> {
  await store.close();
  const owner = { format: 1, pid: 2 ** 22 + 1, start: '1', boot: 'another' };
  await writeFile(join(dataDir, 'nodes', store.node, 'owner.json'), JSON.stringify(owner));
}

describe('deleting a run', () => {
  it('leaves nothing of it, and everything of the others', async () => {
    const dataDir = await temporaryFolder();
    const first = await fileStore(dataDir, { segmentBytes: 2_000 });
    const gone = await first.create(`run-${word}`);
    const stays = await first.create('run-stays');
    for (let seq = 1; seq < 60; seq++) {
      await appended(gone, recordsOf(seq, seq));
      await appended(stays, recordsOf(seq, seq));
    }
    await appended(gone, [large(60, 'abcdefgh'), large(61, 'shared--')]);
    await appended(stays, [large(60, 'shared--')]);
    await dead(dataDir, first);
    const second = await fileStore(dataDir);
    const again = await second.adopt(`run-${word}`);
    await appended(again, recordsOf(62, 70));
    await again.release();
    const before = await second.read('run-stays');
    expect((await filesWith(dataDir, word)).length).toBeGreaterThan(3);
    await second.delete?.(`run-${word}`);
    await second.sweep?.();
    expect(await filesWith(dataDir, `run-${word}`)).toEqual([]);
    expect(await filesWith(dataDir, 'abcdefgh')).toEqual([]);
    expect(await readdir(join(dataDir, 'blobs'))).toHaveLength(1);
    expect(await second.read('run-stays')).toEqual(before);
    expect((await second.list()).map(({ run }) => run)).toEqual(['run-stays']);
    const on = await (await fileStore(dataDir)).adopt('run-stays');
    await appended(on, recordsOf(61, 65));
    expect(on.records).toEqual(before);
    await expect(second.read(`run-${word}`)).rejects.toMatchObject({ code: 'TRP_RUN_NOT_FOUND' });
    await expect(second.adopt(`run-${word}`)).rejects.toMatchObject({ code: 'TRP_RUN_NOT_FOUND' });
  });

  it('goes on writing where this process itself had the run', async () => {
    const dataDir = await temporaryFolder();
    const store = await fileStore(dataDir);
    const [gone, stays] = [await store.create('gone'), await store.create('stays')];
    await appended(gone, recordsOf(1, 3));
    await appended(stays, recordsOf(1, 3));
    await gone.release();
    const deleting = store.delete?.('gone');
    await appended(stays, recordsOf(4, 5));
    await deleting;
    await appended(stays, recordsOf(6, 7));
    expect(await store.read('stays')).toEqual(recordsOf(1, 7));
    expect(await filesWith(dataDir, 'gone')).toEqual([]);
  });

  it('is refused while somebody owns it, or a process lives that has written of it', async () => {
    const dataDir = await temporaryFolder();
    const [one, other] = [await fileStore(dataDir), await fileStore(dataDir)];
    const run = await one.create('a');
    await appended(run, recordsOf(1, 3));
    const owned = { code: 'TRP_RUN_OWNED' };
    await expect(one.delete?.('a')).rejects.toMatchObject(owned);
    await expect(other.delete?.('a')).rejects.toMatchObject(owned);
    expect(await other.read('a')).toEqual(recordsOf(1, 3));
    await run.release();
    await expect(other.delete?.('b')).rejects.toMatchObject({ code: 'TRP_RUN_NOT_FOUND' });
    await one.delete?.('a');
    expect(await other.list()).toEqual([]);
  });

  it('is finished by the next who sweeps when it was interrupted', async () => {
    const dataDir = await temporaryFolder();
    const store = await fileStore(dataDir);
    await appended(await store.create('a'), recordsOf(1, 3));
    await dead(dataDir, store);
    await writeFile(join(dataDir, 'runs', 'a', 'removed'), '');
    const next = await fileStore(dataDir);
    expect(await next.list()).toEqual([]);
    await next.sweep?.();
    expect(await filesIn(dataDir)).toEqual([]);
    expect(await readdir(join(dataDir, 'runs'))).toEqual([]);
    expect(await readdir(join(dataDir, 'nodes'))).toEqual([]);
  });

  it('leaves a node alone that is only just being made', async () => {
    const dataDir = await temporaryFolder();
    const store = await fileStore(dataDir);
    await (await store.create('a')).release();
    await mkdir(join(dataDir, 'nodes', 'young'));
    await store.sweep?.();
    expect(await readdir(join(dataDir, 'nodes'))).toContain('young');
  });

  it('waits for no other process that removes runs, and takes over from one that died', async () => {
    const dataDir = await temporaryFolder();
    const store = await fileStore(dataDir);
    await (await store.create('a')).release();
    const lock = join(dataDir, 'maintenance.json');
    await rm(join(dataDir, 'runs', 'a', 'epoch-000001.released'));
    await writeFile(lock, JSON.stringify({ format: 1, pid: process.ppid }));
    await expect(store.delete?.('a')).rejects.toMatchObject({ code: 'TRP_RUN_OWNED' });
    await writeFile(lock, JSON.stringify({ pid: 2 ** 22 + 1, start: '1', boot: 'another' }));
    await store.delete?.('a');
    expect(await store.list()).toEqual([]);
    await expect(stat(lock)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
