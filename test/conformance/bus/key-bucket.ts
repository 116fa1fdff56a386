import { describe, expect, it } from 'vitest';
import type { KeyBucket } from '../../../src/bus/key-bucket.ts';
import type { Plain } from '../../../src/core/plain.ts';
import { eventually } from '../../support/eventually.ts';
import { benchFor, rejectsWith, upTo } from './under-test.ts';
import type { BusUnderTest } from './under-test.ts';

/** Versioned keys: values, revisions, history, limits. */
export function keyBucketSuite(driver: BusUnderTest): void {
  valueSuite(driver);
  revisionSuite(driver);
  historySuite(driver);
}

function valueSuite(driver: BusUnderTest): void {
  describe(`${driver.name}: values of keys`, () => {
    const bench = benchFor(driver);

    it('gives what was put, with its revision', async () => {
      const keys = await bench.bus.keys('mem');
      expect(keys.bucket).toBe('mem');
      const revision = await keys.put('run.a', { n: 1 });
      expect(await keys.get('run.a')).toEqual({ key: 'run.a', value: { n: 1 }, revision });
    });

    it.each<[string, Plain]>([
      ['null', null],
      ['false', false],
      ['an empty text', ''],
      ['a text', 'é\u{1F600}\n'],
      ['a number', -2.5],
      ['a large number', 2 ** 53 - 1],
      ['a list', [1, [2, []], {}]],
      ['bytes', Uint8Array.of(0, 127, 255)],
      ['no bytes', new Uint8Array(0)],
      ['bytes deep inside', { a: [{ bytes: Uint8Array.of(1, 2, 3) }] }],
      ['what looks like bytes on the wire', { $bytes: 'AAEC' }],
      ['what looks like bytes and more', { $bytes: 'AAEC', x: 1 }],
      ['what looks like bytes inside', [{ $bytes: 1 }, { $$bytes: 'x' }, { a: { $bytes: '' } }]],
      ['odd keys', { '': 1, constructor: 2, 'a.b': 3, $type: 4 }],
    ])('keeps %s', async (_, value) => {
      const keys = await bench.bus.keys('mem');
      await keys.put('a', value);
      const got = (await keys.get('a'))?.value;
      expect(got).toEqual(value);
      const far = await (await bench.again()).keys('mem');
      expect((await far.get('a'))?.value).toEqual(value);
    });

    it('has no value for a key that nobody wrote, or that was deleted', async () => {
      const keys = await bench.bus.keys('mem');
      expect(await keys.get('a')).toBeUndefined();
      await keys.put('a', 1);
      await keys.delete('a');
      expect(await keys.get('a')).toBeUndefined();
      expect(await keys.get('a.b')).toBeUndefined();
    });

    it('takes keys of letters, digits and signs, in many tokens', async () => {
      const keys = await bench.bus.keys('mem');
      const names = ['a', 'A', 'a.b.c', 'x-y_z=20', '0', `${'t'.repeat(180)}.${'u'.repeat(180)}`];
      for (const [n, key] of names.entries()) await keys.put(key, n);
      expect(await keys.keys()).toEqual([...names].sort());
      for (const [n, key] of names.entries()) expect((await keys.get(key))?.value).toBe(n);
    });

    it('lists the keys that have a value and fit a pattern, sorted', async () => {
      const keys = await bench.bus.keys('mem');
      for (const key of ['b.x', 'a.y', 'a.x', 'a.x.deep', 'gone.x']) await keys.put(key, 1);
      await keys.delete('gone.x');
      expect(await keys.keys()).toEqual(['a.x', 'a.x.deep', 'a.y', 'b.x']);
      expect(await keys.keys('a.>')).toEqual(['a.x', 'a.x.deep', 'a.y']);
      expect(await keys.keys('*.x')).toEqual(['a.x', 'b.x']);
      expect(await keys.keys('a.x')).toEqual(['a.x']);
      expect(await keys.keys('none.>')).toEqual([]);
    });

    it('keeps buckets apart', async () => {
      const [one, two] = [await bench.bus.keys('one'), await bench.bus.keys('two')];
      await one.put('a', 1);
      expect([await two.get('a'), await two.keys()]).toEqual([undefined, []]);
    });

    it('removes keys with their history, leaving no mark', async () => {
      const keys = await bench.bus.keys('mem');
      for (const key of ['run.a', 'run.b.c', 'runner.a', 'other.a']) {
        await keys.put(key, 1);
        await keys.put(key, 2);
      }
      await keys.delete('run.a');
      await keys.purge('run.>');
      expect(await keys.keys()).toEqual(['other.a', 'runner.a']);
      expect([await keys.get('run.b.c'), await keys.history('run.b.c')]).toEqual([undefined, []]);
      expect(await keys.history('run.a')).toEqual([]);
      expect(await keys.create('run.a', 'new')).toBeGreaterThan(8);
      await keys.purge('nothing.>');
      await keys.purge('>');
      expect(await keys.keys()).toEqual([]);
    });

    it('is a bucket in memory only where that is asked for, with the same verbs', async () => {
      const keys = await bench.bus.keys('quick', { stored: false, history: 1 });
      const first = await keys.put('a', 1);
      await keys.update('a', 2, first);
      expect((await keys.history('a')).map(({ value }) => value)).toEqual([2]);
    });

    it('forgets a key that was not written for a while, where that is asked for', async () => {
      const keys = await bench.bus.keys('own', { ttlMs: 1_000, stored: false });
      await keys.put('a', 1);
      expect((await keys.get('a'))?.value).toBe(1);
      await eventually('it is gone', async () => (await keys.get('a')) === undefined);
      await eventually('it is not listed', async () => (await keys.keys()).length === 0);
      expect(await keys.create('a', 2)).toBeGreaterThan(1);
    });

    it('lets a key live that is written again and again', async () => {
      const keys = await bench.bus.keys('own', { ttlMs: 1_500 });
      let revision = await keys.put('kept', 0);
      await keys.put('left', 0);
      await eventually('the other is gone', async () => {
        revision = await keys.update('kept', 0, revision);
        return (await keys.get('left')) === undefined;
      });
      expect((await keys.get('kept'))?.revision).toBe(revision);
    });

    it('publishes new values under the subject that it was told', async () => {
      const subject = `troupe.v1.${bench.bus.ns}.mem`;
      const got: string[] = [];
      bench.bus.subscribe(`${subject}.>`, ({ subject: at }) => void got.push(at));
      await bench.bus.flush();
      const keys = await bench.bus.keys('mem', { republish: subject });
      await keys.put('run.a', { n: 1 });
      await keys.create('run.b', 2);
      await keys.update('run.b', 3, (await keys.get('run.b'))?.revision ?? 0);
      await eventually('all are published', () => got.length === 3);
      expect(got).toEqual([`${subject}.run.a`, `${subject}.run.b`, `${subject}.run.b`]);
    });

    it.each(['', 'a b', 'a.b', 'a_b', 'a*', 'a\r\n', 'ä', 'x'.repeat(65)])(
      'refuses a bucket named %j',
      async (bucket) => {
        await rejectsWith('TRP_BUS_SUBJECT', bench.bus.keys(bucket));
      },
    );

    it.each([0, 65, 1.5, -1])('refuses a history of %d versions', async (history) => {
      await rejectsWith('TRP_OPTION_INVALID', bench.bus.keys('mem', { history }));
    });
  });
}

function revisionSuite(driver: BusUnderTest): void {
  describe(`${driver.name}: revisions of keys`, () => {
    const bench = benchFor(driver);

    it('counts revisions over all keys of the bucket', async () => {
      const keys = await bench.bus.keys('mem');
      const revisions = [
        await keys.put('a', 1),
        await keys.create('b', 1),
        await keys.put('a', 2),
        await keys.delete('b'),
        await keys.create('b', 2),
      ];
      expect(revisions).toEqual([...new Set(revisions)].sort((a, b) => a - b));
      expect(revisions[0]).toBeGreaterThan(0);
    });

    it('creates only what has no value', async () => {
      const keys = await bench.bus.keys('mem');
      const first = await keys.create('a', 1);
      await rejectsWith('TRP_BUS_CONFLICT', keys.create('a', 2));
      expect(await keys.get('a')).toMatchObject({ value: 1, revision: first });
      await keys.delete('a');
      expect(await keys.create('a', 3)).toBeGreaterThan(first);
      expect((await keys.get('a'))?.value).toBe(3);
    });

    it('updates only from the latest change', async () => {
      const keys = await bench.bus.keys('mem');
      const first = await keys.put('a', 1);
      await keys.put('other', 1);
      const second = await keys.update('a', 2, first);
      await rejectsWith('TRP_BUS_CONFLICT', keys.update('a', 3, first));
      await rejectsWith('TRP_BUS_CONFLICT', keys.update('a', 3, second + 1));
      await rejectsWith('TRP_BUS_CONFLICT', keys.update('none', 3, second));
      expect((await keys.get('a'))?.value).toBe(2);
      expect(await keys.get('none')).toBeUndefined();
    });

    it('counts a deletion as a change', async () => {
      const keys = await bench.bus.keys('mem');
      const first = await keys.put('a', 1);
      const deleted = await keys.delete('a');
      await rejectsWith('TRP_BUS_CONFLICT', keys.update('a', 2, first));
      expect(await keys.update('a', 3, deleted)).toBeGreaterThan(deleted);
      expect((await keys.get('a'))?.value).toBe(3);
    });

    it('deletes only the revision that is named, where one is named', async () => {
      const keys = await bench.bus.keys('mem');
      const first = await keys.put('a', 1);
      const second = await keys.put('a', 2);
      await rejectsWith('TRP_BUS_CONFLICT', keys.delete('a', first));
      expect((await keys.get('a'))?.value).toBe(2);
      expect(await keys.delete('a', second)).toBeGreaterThan(second);
      expect(await keys.get('a')).toBeUndefined();
    });

    it.each(['create', 'update'] as const)('lets one of many that %s at once win', async (verb) => {
      const keys = [await bench.bus.keys('mem'), await (await bench.again()).keys('mem')] as const;
      const keysOf = (n: number): KeyBucket => keys[n % 2 === 0 ? 0 : 1];
      const base = verb === 'update' ? await keys[0].put('a', 'base') : 0;
      const ends = await Promise.allSettled(
        upTo(10).map((n) =>
          verb === 'create' ? keysOf(n).create('a', n) : keysOf(n).update('a', n, base),
        ),
      );
      const winners = ends.flatMap(({ status }, n) => (status === 'fulfilled' ? [n] : []));
      expect(winners).toHaveLength(1);
      expect((await keys[1].get('a'))?.value).toBe(winners[0]);
    });

    it('loses no update of many writers that try again', async () => {
      const keys = [await bench.bus.keys('mem'), await (await bench.again()).keys('mem')] as const;
      const keysOf = (n: number): KeyBucket => keys[n % 2 === 0 ? 0 : 1];
      await keys[0].put('n', 0);
      const add = async (writer: number): Promise<void> => {
        for (let done = 0; done < 10;) {
          const entry = await keysOf(writer).get('n');
          const next = Number(entry?.value) + 1;
          const won = await keysOf(writer)
            .update('n', next, entry?.revision ?? 0)
            .then(
              () => true,
              (error: { code: string }) => error.code !== 'TRP_BUS_CONFLICT',
            );
          if (won) done++;
        }
      };
      await Promise.all(upTo(4).map(add));
      expect((await keys[0].get('n'))?.value).toBe(40);
    });
  });
}

function historySuite(driver: BusUnderTest): void {
  describe(`${driver.name}: history of keys`, () => {
    const bench = benchFor(driver);

    it('keeps the versions of a key, oldest first, deletions included', async () => {
      const keys = await bench.bus.keys('mem');
      const first = await keys.put('a', 1);
      await keys.put('b', 1);
      const second = await keys.delete('a');
      const third = await keys.put('a', 3);
      expect(await keys.history('a')).toEqual([
        { key: 'a', value: 1, revision: first },
        { key: 'a', value: undefined, revision: second },
        { key: 'a', value: 3, revision: third },
      ]);
      expect(await keys.history('none')).toEqual([]);
    });

    it.each([
      [undefined, 8],
      [1, 1],
      [3, 3],
      [64, 12],
    ])('keeps %s versions, where that is asked for', async (history, kept) => {
      const keys = await bench.bus.keys('mem', history === undefined ? {} : { history });
      for (const n of upTo(12)) await keys.put('a', n);
      const values = (await keys.history('a')).map(({ value }) => value);
      expect(values).toEqual(upTo(12).slice(-kept));
    });

    it('keeps what a bucket was made with when it is opened with other options', async () => {
      await bench.bus.keys('mem', { history: 2 });
      const keys = await (await bench.again()).keys('mem', { history: 9 });
      for (const n of upTo(5)) await keys.put('a', n);
      expect((await keys.history('a')).map(({ value }) => value)).toEqual([3, 4]);
    });
  });
}
