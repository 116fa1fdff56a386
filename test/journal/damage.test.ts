import { cp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JournalRecord } from '../../src/journal/record.ts';
import { underLock } from '../../src/journal/stores/file-store/maintenance-lock.ts';
import { appended, recordOf, recordsOf } from '../conformance/journal-suite.ts';
import { fileStore, temporaryFolder } from './support/folder.ts';

const segment = (dataDir: string, number = 1): string =>
  join(dataDir, 'nodes', 'n', `journal-${String(number).padStart(6, '0')}.log`);

interface Written {
  readonly dataDir: string;
  /** Where each group ends in the file, the header first. */
  readonly ends: readonly number[];
  readonly bytes: Buffer;
}

/** Groups of one to three records; a record holds bytes that look like frames. */
async function written(): Promise<Written> {
  const dataDir = await temporaryFolder();
  const store = await fileStore(dataDir, { node: 'n' });
  const run = await store.create('run-1');
  const ends = [(await readFile(segment(dataDir))).length];
  let seq = 1;
  for (let group = 0; group < 8; group++) {
    const records = recordsOf(seq, seq + (group % 3));
    await appended(run, records);
    seq += records.length;
    ends.push((await readFile(segment(dataDir))).length);
  }
  return { dataDir, ends, bytes: await readFile(segment(dataDir)) };
}

/** How many records the first so many groups hold. */
const recordsInGroups = (groups: number): number =>
  Array.from({ length: groups }, (_, group) => (group % 3) + 1).reduce(
    (sum, count) => sum + count,
    0,
  );

async function readOrCode(dataDir: string): Promise<readonly JournalRecord[] | string> {
  const store = await fileStore(dataDir);
  return store.read('run-1').catch((error: unknown) => (error as { code: string }).code);
}

describe('a journal cut anywhere', () => {
  it('gives the whole groups before the cut, never more and never garbage', async () => {
    const { dataDir, ends, bytes } = await written();
    for (let cut = bytes.length; cut >= 0; cut--) {
      await truncate(segment(dataDir), cut);
      const groups = ends.filter((end) => end <= cut).length - 1;
      expect(await readOrCode(dataDir), `cut at ${cut}`).toEqual(
        recordsOf(1, recordsInGroups(Math.max(0, groups))),
      );
    }
  });

  it('can be adopted and gone on with, its torn tail left out for ever', async () => {
    const { dataDir, ends, bytes } = await written();
    await truncate(segment(dataDir), bytes.length - 3);
    await rm(join(dataDir, 'nodes', 'n', 'owner.json'));
    const kept = recordsOf(1, recordsInGroups(ends.length - 2));
    const run = await (await fileStore(dataDir)).adopt('run-1');
    expect(run.records).toEqual(kept);
    const next = recordOf(kept.length + 1, 'after');
    await appended(run, [next]);
    expect(await readOrCode(dataDir)).toEqual([...kept, next]);
  });

  it('reads as torn where the file system left zeros instead of the last group', async () => {
    const { dataDir, ends, bytes } = await written();
    const end = ends.at(-2) as number;
    await writeFile(segment(dataDir), Buffer.concat([bytes.subarray(0, end), Buffer.alloc(4_096)]));
    expect(await readOrCode(dataDir)).toEqual(recordsOf(1, recordsInGroups(ends.length - 2)));
  });

  it('reads as torn when the last record holds a whole journal as its bytes', async () => {
    const { dataDir, ends, bytes } = await written();
    const torn = Buffer.concat([
      bytes,
      Buffer.from([0, 0, 9, 9, 1, 2, 3, 4, 0x93]),
      bytes,
      Buffer.from([1]),
    ]);
    await writeFile(segment(dataDir), torn);
    expect(await readOrCode(dataDir)).toEqual(recordsOf(1, recordsInGroups(ends.length - 1)));
  });
});

describe('a journal with a flipped bit', () => {
  it('is refused when the damage stands before a valid frame, and cut when it is in the last', async () => {
    const { dataDir, ends, bytes } = await written();
    const lastStart = ends.at(-2) as number;
    const bit = fc.integer({ min: 0, max: bytes.length * 8 - 1 });
    await fc.assert(
      fc.asyncProperty(bit, async (position) => {
        const damaged = Buffer.from(bytes);
        damaged[position >> 3] = (damaged[position >> 3] as number) ^ (1 << (position & 7));
        await writeFile(segment(dataDir), damaged);
        const expected =
          position >> 3 < lastStart
            ? 'TRP_JOURNAL_CORRUPT'
            : recordsOf(1, recordsInGroups(ends.length - 2));
        expect(await readOrCode(dataDir)).toEqual(expected);
      }),
      { numRuns: 400 },
    );
  });
});

describe('a journal in several segments', () => {
  const inSegments = async (): Promise<string> => {
    const dataDir = await temporaryFolder();
    const store = await fileStore(dataDir, { node: 'n', segmentBytes: 300 });
    const run = await store.create('run-1');
    for (const record of recordsOf(1, 20)) await appended(run, [record]);
    return dataDir;
  };

  it('is refused when one that is not the last ends too early', async () => {
    const dataDir = await inSegments();
    const { length } = await readFile(segment(dataDir, 2));
    await truncate(segment(dataDir, 2), length - 1);
    await expect((await fileStore(dataDir)).read('run-1')).rejects.toMatchObject({
      code: 'TRP_JOURNAL_CORRUPT',
      message: expect.stringMatching(/journal-000002.log is damaged at byte \d+/),
    });
  });

  it('is refused when one is missing, or empty, or another’s', async () => {
    const dataDir = await inSegments();
    const kept = await readFile(segment(dataDir, 2));
    await rm(segment(dataDir, 2));
    expect(await readOrCode(dataDir)).toBe('TRP_JOURNAL_CORRUPT');
    await writeFile(segment(dataDir, 2), '');
    expect(await readOrCode(dataDir)).toBe('TRP_JOURNAL_CORRUPT');
    await cp(segment(dataDir, 1), segment(dataDir, 2));
    expect(await readOrCode(dataDir)).toBe('TRP_JOURNAL_CORRUPT');
    await writeFile(segment(dataDir, 2), kept);
    expect(await readOrCode(dataDir)).toEqual(recordsOf(1, 20));
  });

  it('is refused when the first is missing', async () => {
    const dataDir = await inSegments();
    await rm(segment(dataDir, 1));
    expect(await readOrCode(dataDir)).toBe('TRP_JOURNAL_CORRUPT');
  });
});

describe('a journal of another version', () => {
  it('is refused when its records have a higher format', async () => {
    const dataDir = await temporaryFolder();
    const run = await (await fileStore(dataDir)).create('run-1');
    const started = { ...recordOf(1), type: 'run.started', format: 99 } as unknown as JournalRecord;
    await appended(run, [started]);
    expect(await readOrCode(dataDir)).toBe('TRP_JOURNAL_VERSION');
  });
});

describe('a flipped bit in what stands beside the records', () => {
  interface Left {
    readonly dataDir: string;
    readonly records: readonly JournalRecord[];
    readonly files: readonly string[];
  }

  /** A run that two processes have owned, one after the other; both are gone. */
  async function left(): Promise<Left> {
    const dataDir = await temporaryFolder();
    for (const [node, from] of [
      ['n', 1],
      ['m', 6],
    ] as const) {
      const store = await fileStore(dataDir, { node });
      const owned = from === 1 ? await store.create('run-1') : await store.adopt('run-1');
      await appended(owned, recordsOf(from, from + 4));
      await store.close();
    }
    const files = [
      ...[1, 2].map((epoch) => join('runs', 'run-1', `epoch-00000${epoch}.json`)),
      ...['n', 'm'].map((node) => join('nodes', node, 'owner.json')),
    ];
    return { dataDir, records: recordsOf(1, 10), files };
  }

  it('of an epoch or an owner is told, or changes nothing: never a record less', async () => {
    const { dataDir, records, files } = await left();
    const places = fc.tuple(fc.constantFrom(...files), fc.nat(), fc.nat(7));
    await fc.assert(
      fc.asyncProperty(places, async ([name, at, bit]) => {
        const copy = await temporaryFolder();
        await cp(dataDir, copy, { recursive: true });
        const position = at % (await readFile(join(copy, name))).length;
        await flip(join(copy, name), position * 8 + bit);
        const found = await readOrCode(copy);
        const where = `${name}, byte ${position}, bit ${bit}`;
        if (typeof found === 'string') expect(found, where).toBe('TRP_JOURNAL_CORRUPT');
        else expect(found, where).toEqual(records);
        await rm(copy, { recursive: true });
      }),
      { numRuns: 300 },
    );
  });

  it('of the owner of a run that is carried does no harm: who takes it has all, and who had it is fenced off', async () => {
    for (let bit = 0; bit < 8 * 40; bit += 7) {
      const dataDir = await temporaryFolder();
      const owner = await fileStore(dataDir, { node: 'n' });
      const owned = await owner.create('run-1');
      await appended(owned, recordsOf(1, 3));
      await flip(join(dataDir, 'nodes', 'n', 'owner.json'), bit);
      const taken = await (await fileStore(dataDir, { node: 'other' })).adopt('run-1');
      expect(taken.records).toEqual(recordsOf(1, 3));
      await expect(appended(owned, [recordOf(4)])).rejects.toMatchObject({
        code: 'TRP_JOURNAL_FENCED',
      });
      await appended(taken, [recordOf(4)]);
      expect(await readOrCode(dataDir)).toEqual(recordsOf(1, 4));
    }
  });

  it('of the lock of those who remove runs is told, and nothing is removed', async () => {
    const dataDir = await temporaryFolder();
    const path = join(dataDir, 'maintenance.json');
    for (let bit = 0; bit < 8 * 40; bit++) {
      const store = await fileStore(dataDir, { node: `n-${bit}` });
      await underLock(dataDir, async () => {
        await flip(path, bit);
        await expect(store.sweep?.()).rejects.toMatchObject({ code: 'TRP_JOURNAL_CORRUPT' });
      });
      await store.close();
    }
  });
});

async function flip(path: string, bit: number): Promise<void> {
  const bytes = await readFile(path);
  bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7));
  await writeFile(path, bytes);
}
