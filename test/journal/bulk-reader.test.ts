import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { BulkReader } from '../../src/journal/stores/file-store/bulk-reader.ts';
import { openFileStore } from '../../src/journal/stores/file-store/file-store.ts';
import { allRuns, readEpochs } from '../../src/journal/stores/file-store/run-epochs.ts';
import { runSummaries } from '../../src/runtime/stored-runs.ts';
import { appended, recordsOf } from '../conformance/journal-suite.ts';
import { temporaryFolder } from './support/folder.ts';

const runCount = 12;

/** Two processes of one folder after each other: the second takes every third run over. Segments are small. */
async function twoNodes(): Promise<string> {
  const dataDir = await temporaryFolder();
  let time = 0;
  const options = { dataDir, level: 'process', now: () => time++, segmentBytes: 2_000 } as const;
  const first = await openFileStore({ ...options, node: 'one' });
  for (let index = 0; index < runCount; index++) {
    const owned = await first.create(`run-${index}`);
    await appended(owned, recordsOf(1, 20));
    await owned.release();
  }
  await first.close();
  const second = await openFileStore({ ...options, node: 'two' });
  for (let index = 0; index < runCount; index += 3) {
    const owned = await second.adopt(`run-${index}`);
    await appended(owned, recordsOf(21, 30));
    await owned.release();
  }
  await second.close();
  return dataDir;
}

async function readerOf(dataDir: string, readSegment?: (path: string) => Promise<Buffer>) {
  const runs = await allRuns(dataDir);
  const read = runs.map(async (run) => [run, await readEpochs(dataDir, run)] as const);
  const epochs = new Map(await Promise.all(read));
  return new BulkReader({ dataDir, epochs, ...(readSegment && { readSegment }) });
}

it('reads each segment once, however many runs are in it', async () => {
  const dataDir = await twoNodes();
  const reads = new Map<string, number>();
  const reader = await readerOf(dataDir, (path) => {
    reads.set(path, (reads.get(path) ?? 0) + 1);
    return readFile(path);
  });
  for (let index = 0; index < runCount; index++) await reader.read(`run-${index}`);
  expect(reads.size).toBeGreaterThan(2);
  expect([...reads.values()]).toEqual([...reads.values()].map(() => 1));
});

it('gives what reading each run by itself gives, of every owner that it had', async () => {
  const dataDir = await twoNodes();
  const store = await openFileStore({ dataDir, level: 'process', now: () => 0 });
  const read = await store.bulkReader?.();
  const lengths: number[] = [];
  for (const { run } of await store.list()) {
    const records = await read?.(run);
    expect(records).toEqual(await store.read(run));
    lengths.push(records?.length ?? 0);
  }
  expect(lengths.filter((length) => length === 30)).toHaveLength(runCount / 3);
  expect(lengths.filter((length) => length === 20)).toHaveLength((runCount * 2) / 3);
  await store.close();
});

it('reads runs that a damaged segment does not concern', async () => {
  const dataDir = await twoNodes();
  const first = [...(await segmentsRead(dataDir))].toSorted()[0] ?? '';
  const bytes = await readFile(first);
  bytes.fill(0, 60, 80);
  await writeFile(first, bytes);
  const store = await openFileStore({ dataDir, level: 'process', now: () => 0 });
  const read = await store.bulkReader?.();
  await expect(read?.('run-1')).rejects.toMatchObject({ code: 'TRP_JOURNAL_CORRUPT' });
  expect(await read?.(`run-${runCount - 1}`)).toHaveLength(20);
  // These runs have no start: nothing is to be said of them, and nothing is thrown.
  expect(await runSummaries(store)).toEqual([]);
  await store.close();
});

async function segmentsRead(dataDir: string): Promise<ReadonlySet<string>> {
  const paths = new Set<string>();
  const reader = await readerOf(dataDir, (path) => {
    paths.add(path);
    return readFile(path);
  });
  for (let index = 0; index < runCount; index++) await reader.read(`run-${index}`);
  expect([...paths][0]?.startsWith(join(dataDir, 'nodes'))).toBe(true);
  return paths;
}
