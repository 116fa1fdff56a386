import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openSegmentFile } from '../../src/journal/stores/file-store/segment-file.ts';
import type { OpenSegment, SegmentFile } from '../../src/journal/stores/file-store/segment-file.ts';
import { appended, recordOf, recordsOf } from '../conformance/journal-suite.ts';
import { fileStore, temporaryFolder } from './support/folder.ts';

/** What the disk does from now on. */
interface Disk {
  fault: { readonly on: 'write' | 'sync'; readonly code: string } | undefined;
  /** Bytes that a failing write still gets onto the disk. */
  torn: number;
  cutFails: boolean;
}

const failure = (code: string): Error =>
  Object.assign(new Error(`${code}: as the test wants it`), { code });

/** Real files on a disk that can be made to fail. */
function failing(disk: Disk): OpenSegment {
  return async (path) => {
    const file = await openSegmentFile(path);
    const broken: SegmentFile = {
      async write(bytes, position) {
        if (disk.fault?.on !== 'write') return file.write(bytes, position);
        await file.write(bytes.subarray(0, disk.torn), position);
        throw failure(disk.fault.code);
      },
      async sync() {
        await file.sync();
        if (disk.fault?.on === 'sync') throw failure(disk.fault.code);
      },
      async cutTo(length) {
        if (disk.cutFails) throw failure('EIO');
        await file.cutTo(length);
      },
      close: () => file.close(),
    };
    return broken;
  };
}

const newDisk = (): Disk => ({ fault: undefined, torn: 0, cutFails: false });

describe('a disk that fails under the journal', () => {
  it.each([
    ['write', 'ENOSPC', 'TRP_JOURNAL_FULL'],
    ['write', 'EDQUOT', 'TRP_JOURNAL_FULL'],
    ['write', 'EIO', 'TRP_JOURNAL_IO'],
    ['sync', 'ENOSPC', 'TRP_JOURNAL_FULL'],
    ['sync', 'EIO', 'TRP_JOURNAL_IO'],
  ] as const)('tells all who wait, on %s with %s: %s', async (on, code, expected) => {
    const disk = newDisk();
    const dataDir = await temporaryFolder();
    const store = await fileStore(dataDir, {
      node: 'n',
      level: 'power',
      openSegment: failing(disk),
    });
    const runs = [await store.create('a'), await store.create('b')];
    for (const run of runs) await appended(run, recordsOf(1, 3));
    disk.fault = { on, code };
    disk.torn = 20;
    const outcomes = await Promise.allSettled(runs.map((run) => appended(run, [recordOf(4)])));
    for (const outcome of outcomes)
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: expected } });
    for (const run of ['a', 'b']) expect(await store.read(run)).toEqual(recordsOf(1, 3));
  });

  it('cuts back to the last whole group and refuses more of the run until it is taken again', async () => {
    const disk = newDisk();
    const dataDir = await temporaryFolder();
    const store = await fileStore(dataDir, { node: 'n', openSegment: failing(disk) });
    const run = await store.create('a');
    await appended(run, recordsOf(1, 3));
    const path = join(dataDir, 'nodes', 'n', 'journal-000001.log');
    const before = await readFile(path);
    disk.fault = { on: 'write', code: 'ENOSPC' };
    disk.torn = 15;
    await expect(appended(run, [recordOf(4)])).rejects.toMatchObject({ code: 'TRP_JOURNAL_FULL' });
    disk.fault = undefined;
    await expect(appended(run, [recordOf(4)])).rejects.toMatchObject({ code: 'TRP_JOURNAL_FULL' });
    expect(await readFile(path)).toEqual(before);
    const again = await store.adopt('a');
    expect(again.records).toEqual(recordsOf(1, 3));
    await appended(again, [recordOf(4)]);
    expect(await store.read('a')).toEqual(recordsOf(1, 4));
  });

  it.each(['process', 'power'] as const)(
    'goes on, at level %s, once there is room, for all who have lost nothing',
    async (level) => {
      const disk = newDisk();
      const dataDir = await temporaryFolder();
      const store = await fileStore(dataDir, { level, openSegment: failing(disk) });
      const [a, b] = [await store.create('a'), await store.create('b')];
      for (const run of [a, b]) await appended(run, recordsOf(1, 3));
      Object.assign(disk, { fault: { on: 'write', code: 'ENOSPC' }, torn: 15 });
      await expect(appended(a, [recordOf(4)])).rejects.toMatchObject({ code: 'TRP_JOURNAL_FULL' });
      await expect(appended(a, [recordOf(4)])).rejects.toMatchObject({ code: 'TRP_JOURNAL_FULL' });
      expect(await store.read('b')).toEqual(recordsOf(1, 3));
      disk.fault = undefined;
      await appended(b, recordsOf(4, 5));
      await expect(appended(a, [recordOf(4)])).rejects.toMatchObject({ code: 'TRP_JOURNAL_FULL' });
      await appended(await store.create('c'), [recordOf(1)]);
      expect(await store.read('a')).toEqual(recordsOf(1, 3));
      expect(await store.read('b')).toEqual(recordsOf(1, 5));
      expect(await (await fileStore(dataDir)).read('c')).toEqual([recordOf(1)]);
    },
  );

  it('does not trust a disk again that could not write for another reason', async () => {
    const disk = newDisk();
    const store = await fileStore(await temporaryFolder(), { openSegment: failing(disk) });
    const [a, b] = [await store.create('a'), await store.create('b')];
    disk.fault = { on: 'write', code: 'EIO' };
    await expect(appended(a, [recordOf(1)])).rejects.toMatchObject({ code: 'TRP_JOURNAL_IO' });
    disk.fault = undefined;
    await expect(appended(b, [recordOf(1)])).rejects.toMatchObject({ code: 'TRP_JOURNAL_IO' });
  });

  it('begins its first segment when there is room at last', async () => {
    const disk: Disk = { ...newDisk(), fault: { on: 'write', code: 'ENOSPC' } };
    const store = await fileStore(await temporaryFolder(), { openSegment: failing(disk) });
    await expect(store.create('a')).rejects.toMatchObject({ code: 'TRP_JOURNAL_FULL' });
    disk.fault = undefined;
    await appended(await store.create('a'), [recordOf(1)]);
    expect(await store.read('a')).toEqual([recordOf(1)]);
  });

  it('is taken over by another process where the disk was full', async () => {
    const disk = newDisk();
    const dataDir = await temporaryFolder();
    const store = await fileStore(dataDir, { node: 'n', openSegment: failing(disk) });
    const run = await store.create('a');
    await appended(run, recordsOf(1, 3));
    disk.fault = { on: 'write', code: 'ENOSPC' };
    await expect(appended(run, [recordOf(4)])).rejects.toMatchObject({ code: 'TRP_JOURNAL_FULL' });
    await store.close();
    const again = await (await fileStore(dataDir)).adopt('a');
    await appended(again, [recordOf(4)]);
    expect(await store.read('a')).toEqual(recordsOf(1, 4));
  });

  it('leaves a tail that it cannot cut as torn', async () => {
    const disk = newDisk();
    const dataDir = await temporaryFolder();
    const store = await fileStore(dataDir, { openSegment: failing(disk) });
    const run = await store.create('a');
    await appended(run, recordsOf(1, 3));
    Object.assign(disk, { fault: { on: 'write', code: 'EIO' }, torn: 30, cutFails: true });
    await expect(appended(run, [recordOf(4)])).rejects.toMatchObject({ code: 'TRP_JOURNAL_IO' });
    expect(await store.read('a')).toEqual(recordsOf(1, 3));
  });

  it('refuses a run when not even the first segment can be begun', async () => {
    const disk: Disk = { ...newDisk(), fault: { on: 'write', code: 'ENOSPC' } };
    const store = await fileStore(await temporaryFolder(), { openSegment: failing(disk) });
    await expect(store.create('a')).rejects.toMatchObject({ code: 'TRP_JOURNAL_FULL' });
    expect(await store.list()).toEqual([]);
  });

  it('keeps what stands in full segments when the next cannot be begun', async () => {
    const disk = newDisk();
    const store = await fileStore(await temporaryFolder(), {
      segmentBytes: 1,
      openSegment: failing(disk),
    });
    const run = await store.create('a');
    await appended(run, recordsOf(1, 3));
    Object.assign(disk, { fault: { on: 'write', code: 'ENOSPC' }, torn: 5 });
    await expect(appended(run, [recordOf(4)])).rejects.toMatchObject({ code: 'TRP_JOURNAL_FULL' });
    expect(await store.read('a')).toEqual(recordsOf(1, 3));
  });
});
