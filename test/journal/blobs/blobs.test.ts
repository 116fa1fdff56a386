import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BlobPort } from '../../../src/journal/blobs/blob-port.ts';
import { isHeavy, lift } from '../../../src/journal/blobs/lift.ts';
import { lower } from '../../../src/journal/blobs/lower.ts';
import { withBlobs } from '../../../src/journal/blobs/with-blobs.ts';
import { createEmbeddedBus } from '../../../src/bus/embedded/embedded-bus.ts';
import { createMemoryStore } from '../../../src/journal/stores/memory-store.ts';
import { systemClock } from '../../../src/core/clock.ts';
import type { Plain } from '../../../src/core/plain.ts';
import type { JournalRecord } from '../../../src/journal/record.ts';
import { appended, journalSuite, recordOf } from '../../conformance/journal-suite.ts';
import { fileStore, temporaryFolder } from '../support/folder.ts';

const large = (letter: string, kib = 80): string => letter.repeat(kib * 1024);

const stepOf = (seq: number, value: Plain): JournalRecord => {
  const name = `s${seq}`;
  return { seq, at: seq, type: 'step.done', task: 't', iteration: 1, name, value };
};

async function namesOf(dataDir: string): Promise<readonly string[]> {
  return (await readdir(join(dataDir, 'blobs'))).sort();
}

async function busBlobs(): Promise<BlobPort> {
  return createEmbeddedBus({ ns: 'test', clock: systemClock, schedule: setImmediate }).blobs();
}

describe('large values of records', () => {
  it('are taken out one by one where they are large themselves, and whole where only their parts add up', () => {
    const parts = [large('a'), { text: large('b'), small: 1 }, 'c'];
    const { record, values } = lift(stepOf(1, parts));
    expect(values.map(({ at }) => at)).toEqual([
      ['value', 0],
      ['value', 1, 'text'],
    ]);
    expect(record).toMatchObject({ value: [null, { text: null, small: 1 }, 'c'] });
    const many = Array.from({ length: 100 }, (_, index) => large(String(index % 10), 1));
    expect(lift(stepOf(1, many)).values.map(({ at }) => at)).toEqual([['value']]);
  });

  it('leave a record of small values as it is', () => {
    const record = stepOf(1, { a: 'x'.repeat(1000), constructor: null });
    expect(isHeavy(record)).toBe(false);
  });

  it('come back as they were, whatever they are', async () => {
    const leaf = fc.oneof(
      fc.constantFrom<Plain>(large('x', 65), large('é', 40), new Uint8Array(70_000), null, 1.5),
      fc.string(),
    );
    const value = fc.letrec<{ value: Plain }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 4, depthSize: 'small' },
        leaf,
        fc.array(tie('value'), { maxLength: 4 }),
        fc.dictionary(fc.oneof(fc.string(), fc.constant('constructor')), tie('value'), {
          maxKeys: 4,
          noNullPrototype: true,
        }),
      ),
    })).value;
    await fc.assert(
      fc.asyncProperty(value, async (plain) => {
        const blobs = await busBlobs();
        const store = withBlobs(createMemoryStore(), () => blobs);
        const run = await store.create('a');
        const records = [recordOf(1), stepOf(2, plain), recordOf(3)];
        await Promise.all(records.map((record) => appended(run, [record])));
        expect(isDeepStrictEqual(await store.read('a'), records)).toBe(true);
        expect(isDeepStrictEqual(await store.read('a'), records)).toBe(true);
      }),
      { numRuns: 25 },
    );
  });

  it('are stored once, however many records and runs hold them', async () => {
    const dataDir = await temporaryFolder();
    const store = await fileStore(dataDir, { level: 'power' });
    const runs = [await store.create('a'), await store.create('b')];
    const value = { text: large('a') };
    for (const run of runs) await appended(run, [stepOf(1, value), stepOf(2, [value.text])]);
    const names = await namesOf(dataDir);
    expect(names).toHaveLength(1);
    const journal = await stat(join(dataDir, 'nodes', store.node, 'journal-000001.log'));
    expect(journal.size).toBeLessThan(2_000);
    expect((await stat(join(dataDir, 'blobs', names[0] ?? ''))).nlink).toBe(3);
    expect(await store.read('b')).toEqual([stepOf(1, value), stepOf(2, [value.text])]);
  });

  it('keep the order of answers with the small ones after them', async () => {
    const store = await fileStore(await temporaryFolder());
    const run = await store.create('a');
    const answers: number[] = [];
    for (let seq = 1; seq <= 20; seq++) {
      const record = seq % 3 === 1 ? stepOf(seq, large(String(seq))) : recordOf(seq);
      run.append([record], (error) => answers.push(error ? -seq : seq));
    }
    await run.release();
    expect(answers).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
    expect((await store.read('a')).map(({ seq }) => seq)).toEqual(answers);
  });

  it('are told as missing or damaged, never left out', async () => {
    const dataDir = await temporaryFolder();
    const store = await fileStore(dataDir);
    const run = await store.create('a');
    await appended(run, [stepOf(1, large('a')), recordOf(2)]);
    await run.release();
    const [name = ''] = await namesOf(dataDir);
    const path = join(dataDir, 'runs', 'a', 'blobs', name);
    const content = await readFile(path);
    for (let bit = 0; bit < content.length * 8; bit += 77_777) {
      const bent = Buffer.from(content);
      bent[bit >> 3] = (bent[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      await writeFile(path, bent);
      await expect(store.read('a')).rejects.toMatchObject({ code: 'TRP_JOURNAL_BLOB' });
    }
    await rm(path);
    const missing = { code: 'TRP_JOURNAL_BLOB', message: expect.stringContaining(name) };
    await expect(store.read('a')).rejects.toMatchObject(missing);
    await expect(store.adopt('a')).rejects.toMatchObject(missing);
    await writeFile(path, content);
    expect(await store.read('a')).toEqual([stepOf(1, large('a')), recordOf(2)]);
  });

  it('are written anew where the shared copy is damaged', async () => {
    const dataDir = await temporaryFolder();
    const store = await fileStore(dataDir);
    await appended(await store.create('a'), [stepOf(1, large('a'))]);
    const [name = ''] = await namesOf(dataDir);
    await writeFile(join(dataDir, 'blobs', name), 'something else');
    await appended(await store.create('b'), [stepOf(1, large('a'))]);
    expect(await store.read('b')).toEqual([stepOf(1, large('a'))]);
    await expect(store.read('a')).rejects.toMatchObject({ code: 'TRP_JOURNAL_BLOB' });
  });

  it('that cannot be stored are a failure of their append, and nothing comes after it', async () => {
    const failing: BlobPort = {
      put: () => Promise.reject(new Error('no room')),
      get: () => Promise.resolve(undefined),
    };
    const store = withBlobs(createMemoryStore(), () => failing);
    const run = await store.create('a');
    await appended(run, [recordOf(1)]);
    const codes = await Promise.allSettled([
      appended(run, [stepOf(2, large('a'))]),
      appended(run, [recordOf(3)]),
    ]);
    for (const outcome of codes)
      expect(outcome).toMatchObject({ reason: { code: 'TRP_JOURNAL_IO', message: 'no room' } });
    expect(await store.read('a')).toEqual([recordOf(1)]);
  });

  it('refuse a name that is no hash', async () => {
    const blobs = [{ at: ['value'], hash: '../../owner.json', bytes: 3 }];
    const record = Object.assign(stepOf(1, null), { blobs });
    const reading = lower([record], await busBlobs());
    await expect(reading).rejects.toMatchObject({ code: 'TRP_JOURNAL_BLOB' });
  });
});

journalSuite('a store whose large values are on a bus', {
  open: async () => {
    const blobs = await busBlobs();
    return withBlobs(createMemoryStore(), () => blobs);
  },
});
