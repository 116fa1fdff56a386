import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeCheckpoint,
  encodeCheckpoint,
  foldFrom,
  isOfMemory,
} from '../../src/journal/checkpoint.ts';
import { startIn } from '../../src/journal/run-past.ts';
import type { Checkpoint } from '../../src/journal/checkpoint.ts';
import { fold } from '../../src/journal/fold.ts';
import type { OwnedRun } from '../../src/journal/journal.ts';
import type { JournalRecord } from '../../src/journal/record.ts';
import { RunMemory } from '../../src/memory/run-memory.ts';
import { appended, recordsOf } from '../conformance/journal-suite.ts';
import { carryOut } from '../support/run-harness.ts';
import { fileStore, temporaryFolder } from './support/folder.ts';
import { everyRecordKind } from './support/varied-run.ts';

/** The checkpoint after some records, as its file gives it back. */
function afterwards(records: readonly JournalRecord[]): Checkpoint {
  const state = fold(structuredClone(records));
  const memory = records.filter(isOfMemory);
  const bytes = encodeCheckpoint({ start: startIn(records), state, memory });
  const checkpoint = decodeCheckpoint(Buffer.from(bytes));
  if (!checkpoint) throw new Error('the checkpoint cannot be read');
  return checkpoint;
}

function memoryOf(records: readonly JournalRecord[]): RunMemory {
  const memory = new RunMemory();
  for (const record of records) if (record.type === 'memory.committed') memory.apply(record);
  return memory;
}

const started = (run: string): JournalRecord =>
  ({ type: 'run.started', run, format: 1, engine: 'x', seed: 1, seq: 1, at: 1 }) as JournalRecord;

const recordsFrom = (run: string, to: number): JournalRecord[] => [
  started(run),
  ...recordsOf(2, to),
];

/** Keeps the fold of all that stands in an owned run, which must have been acknowledged. */
async function keep(owned: OwnedRun, records: readonly JournalRecord[]): Promise<void> {
  const state = fold(structuredClone(records));
  const memory = records.filter(isOfMemory);
  const bytes = encodeCheckpoint({ start: startIn(records), state, memory });
  await owned.keep?.({ seq: state.seq, bytes });
}

describe('a checkpoint', () => {
  it('folds on to what the whole journal folds to, wherever it was taken', async () => {
    const { records } = await carryOut(everyRecordKind);
    expect(records.length).toBeGreaterThan(40);
    for (let cut = 1; cut <= records.length; cut++) {
      const checkpoint = afterwards(records.slice(0, cut));
      const rest = structuredClone(records.slice(cut));
      const memory = memoryOf([...checkpoint.memory, ...rest]);
      expect(foldFrom(checkpoint, rest), `after record ${cut}`).toStrictEqual(fold(records));
      expect(memory.hash()).toBe(memoryOf(records).hash());
      expect(memory.revision).toBe(memoryOf(records).revision);
    }
  });

  it('is not read when a bit of it is another, or its end is missing', () => {
    const records = recordsFrom('a', 5);
    const state = fold(structuredClone(records));
    const bytes = Buffer.from(encodeCheckpoint({ start: startIn(records), state, memory: [] }));
    fc.assert(
      fc.property(fc.nat(bytes.length * 8 - 1), fc.nat(bytes.length - 1), (bit, length) => {
        const bent = Buffer.from(bytes);
        bent[bit >> 3] = (bent[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        expect(decodeCheckpoint(bent)).toBeUndefined();
        expect(decodeCheckpoint(bytes.subarray(0, length))).toBeUndefined();
      }),
    );
    expect(decodeCheckpoint(bytes)?.state).toStrictEqual(state);
  });
});

describe('a run that is taken over', () => {
  it('comes with the newest checkpoint and the records after it', async () => {
    const dataDir = await temporaryFolder();
    const store = await fileStore(dataDir);
    const owned = await store.create('a');
    const records = recordsFrom('a', 20);
    await appended(owned, records.slice(0, 12));
    await keep(owned, records.slice(0, 12));
    await appended(owned, records.slice(12));
    await owned.release();
    const again = await (await fileStore(dataDir)).adopt('a');
    expect(again.checkpoint?.state).toStrictEqual(fold(records.slice(0, 12)));
    expect(again.records).toEqual(records.slice(12));
    expect(await store.read('a')).toEqual(records);
  });

  it('comes with a checkpoint of an earlier owner and what later ones wrote', async () => {
    const dataDir = await temporaryFolder();
    const records = recordsFrom('a', 20);
    const first = await (await fileStore(dataDir)).create('a');
    await appended(first, records.slice(0, 5));
    await keep(first, records.slice(0, 5));
    await appended(first, records.slice(5, 8));
    await first.release();
    const second = await (await fileStore(dataDir)).adopt('a');
    await appended(second, records.slice(8));
    await second.release();
    const third = await (await fileStore(dataDir)).adopt('a');
    expect(third.checkpoint?.state.seq).toBe(5);
    expect(third.records).toEqual(records.slice(5));
  });

  it('goes on from the first record when its checkpoint is older than what was acknowledged', async () => {
    const dataDir = await temporaryFolder();
    const owned = await (await fileStore(dataDir)).create('a');
    const records = recordsFrom('a', 9);
    await appended(owned, records.slice(0, 5));
    await appended(owned, records.slice(5));
    await keep(owned, records.slice(0, 5));
    await owned.release();
    const again = await (await fileStore(dataDir)).adopt('a');
    expect([again.checkpoint, again.records]).toEqual([undefined, records]);
  });

  it('falls back to the checkpoint before, and then to the first record, when files are damaged', async () => {
    const dataDir = await temporaryFolder();
    const store = await fileStore(dataDir, { segmentBytes: 300 });
    const owned = await store.create('a');
    const records = recordsFrom('a', 30);
    for (const cut of [8, 16, 24]) {
      await appended(owned, records.slice(cut - 8, cut));
      await keep(owned, records.slice(0, cut));
    }
    await appended(owned, records.slice(24));
    await owned.release();
    const folder = join(dataDir, 'runs', 'a');
    const names = (await readdir(folder)).filter((name) => name.startsWith('checkpoint')).sort();
    expect(names).toEqual(['checkpoint-000000016', 'checkpoint-000000024']);
    const found: (number | undefined)[] = [];
    for (const name of [undefined, ...names.toReversed()]) {
      if (name !== undefined) await bendLast(join(folder, name));
      const again = await store.adopt('a');
      found.push(again.checkpoint?.state.seq);
      expect(again.records).toEqual(records.slice(again.checkpoint?.state.seq ?? 0));
      await again.release();
    }
    expect(found).toEqual([24, 16, undefined]);
  });
});

async function bendLast(path: string): Promise<void> {
  const bytes = await readFile(path);
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  await writeFile(path, bytes);
}
