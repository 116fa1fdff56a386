import { describe, expect, it } from 'vitest';
import type { KeyBucket, WatchEvent, WatchOptions } from '../../../src/bus/key-bucket.ts';
import { eventually } from '../../support/eventually.ts';
import { benchFor, upTo } from './under-test.ts';
import type { BusUnderTest } from './under-test.ts';

/** Watching keys. */
export function keyWatchSuite(driver: BusUnderTest): void {
  describe(`${driver.name}: watching keys`, () => {
    const bench = benchFor(driver);

    it('hands over the present values, then the marker, then each change', async () => {
      const keys = await bench.bus.keys('mem');
      await keys.put('a', 0);
      const a = await keys.put('a', 1);
      await keys.put('gone', 1);
      const gone = await keys.delete('gone');
      const b = await keys.put('b', 2);
      const seen = await watched(keys, '>');
      await ready(seen);
      expect(seen).toEqual([
        { type: 'entry', key: 'a', value: 1, revision: a },
        { type: 'entry', key: 'b', value: 2, revision: b },
        { type: 'ready', revision: Math.max(b, gone) },
      ]);
      const far = await (await bench.again()).keys('mem');
      const c = await far.put('c', 3);
      const deleted = await far.delete('a');
      await eventually('both changes came', () => seen.length === 5);
      expect(seen.slice(3)).toEqual([
        { type: 'entry', key: 'c', value: 3, revision: c },
        { type: 'entry', key: 'a', value: undefined, revision: deleted },
      ]);
    });

    it('gives the marker also for a bucket without keys', async () => {
      const keys = await bench.bus.keys('empty');
      const seen = await watched(keys, '>');
      await ready(seen);
      expect(seen).toEqual([{ type: 'ready', revision: 0 }]);
      await keys.put('a', 1);
      await eventually('the change came', () => seen.length === 2);
      expect(seen[1]).toMatchObject({ type: 'entry', key: 'a', value: 1 });
    });

    it('gives the marker where no key fits, with the revision of the bucket', async () => {
      const keys = await bench.bus.keys('mem');
      const revision = await keys.put('other', 1);
      const seen = await watched(keys, 'run.>');
      await ready(seen);
      expect(seen).toEqual([{ type: 'ready', revision }]);
    });

    it('gives the marker where all keys are deleted', async () => {
      const keys = await bench.bus.keys('mem');
      await keys.put('a', 1);
      const revision = await keys.delete('a');
      const seen = await watched(keys, '>');
      await ready(seen);
      expect(seen).toEqual([{ type: 'ready', revision }]);
    });

    it.each([
      ['run.>', ['run.a', 'run.b.c']],
      ['run.*', ['run.a']],
      ['*.a', ['run.a', 'other.a']],
      ['run.a', ['run.a']],
      ['>', ['run.a', 'run.b.c', 'other.a']],
    ])('shows only what fits %s', async (pattern, fitting) => {
      const keys = await bench.bus.keys('mem');
      const all = ['run.a', 'run.b.c', 'other.a'];
      for (const key of all) await keys.put(key, 1);
      const seen = await watched(keys, pattern);
      await ready(seen);
      for (const key of all) await keys.put(key, 2);
      await eventually('the changes came', () => seen.length === 1 + 2 * fitting.length);
      await bench.settled();
      expect(keysOf(seen)).toEqual([...fitting, 'ready', ...fitting]);
    });

    it('begins after a revision, deletions included', async () => {
      const keys = await bench.bus.keys('mem');
      for (const key of ['a', 'b', 'c']) await keys.put(key, 1);
      const seenSoFar = await keys.put('a', 2);
      const changes = [await keys.delete('a'), await keys.put('b', 3), await keys.put('d', 4)];
      const seen = await watched(keys, '>', { after: seenSoFar });
      await ready(seen);
      expect(seen).toEqual([
        { type: 'entry', key: 'a', value: undefined, revision: changes[0] },
        { type: 'entry', key: 'b', value: 3, revision: changes[1] },
        { type: 'entry', key: 'd', value: 4, revision: changes[2] },
        { type: 'ready', revision: changes[2] },
      ]);
    });

    it('begins after revision 0 with everything that is kept', async () => {
      const keys = await bench.bus.keys('mem', { history: 3 });
      const [one, two] = [await keys.put('a', 1), await keys.put('a', 2)];
      const deleted = await keys.delete('b');
      const seen = await watched(keys, '>', { after: 0 });
      await ready(seen);
      expect(seen).toEqual([
        { type: 'entry', key: 'a', value: 1, revision: one },
        { type: 'entry', key: 'a', value: 2, revision: two },
        { type: 'entry', key: 'b', value: undefined, revision: deleted },
        { type: 'ready', revision: deleted },
      ]);
    });

    it('begins with the marker when there is nothing after the revision', async () => {
      const keys = await bench.bus.keys('mem');
      const revision = await keys.put('a', 1);
      const seen = await watched(keys, '>', { after: revision });
      await ready(seen);
      await keys.put('b', 2);
      await eventually('the change came', () => seen.length === 2);
      expect(keysOf(seen)).toEqual(['ready', 'b']);
      expect(seen[0]).toEqual({ type: 'ready', revision });
    });

    it('resumes without a gap from any revision that it has seen', async () => {
      const keys = await bench.bus.keys('mem', { history: 64 });
      const revisions: number[] = [];
      for (const n of upTo(10))
        revisions.push(n % 4 === 3 ? await keys.delete('a') : await keys.put(n % 2 ? 'a' : 'b', n));
      for (const [index, after] of revisions.entries()) {
        const seen = await watched(keys, '>', { after });
        await ready(seen);
        const got = seen.flatMap((event) => (event.type === 'entry' ? [event.revision] : []));
        expect(got).toEqual(revisions.slice(index + 1));
      }
    });

    it('hands over every change once and in order while others write', async () => {
      const keys = await bench.bus.keys('mem', { history: 64 });
      const far = await (await bench.again()).keys('mem');
      const writing = Promise.all(upTo(200).map((n) => far.put(`k.${n % 10}`, n)));
      const seen = await watched(keys, 'k.>', { after: 0 });
      const written = await writing;
      const last = Math.max(...written);
      const revisions = (): number[] =>
        seen.flatMap((event) => (event.type === 'entry' ? [event.revision] : []));
      await eventually('the last has come', () => revisions().at(-1) === last);
      expect(revisions()).toEqual(written.sort((a, b) => a - b));
      expect(seen.filter(({ type }) => type === 'ready')).toHaveLength(1);
    });

    it('has handed over everything up to the revision of the marker', async () => {
      const keys = await bench.bus.keys('mem', { history: 64 });
      const writing = Promise.all(upTo(50).map((n) => keys.put(`k${n}`, n)));
      const seen = await watched(keys, '>');
      await ready(seen);
      const at = seen.findIndex(({ type }) => type === 'ready');
      const marker = seen[at]?.revision ?? 0;
      const written = (await writing).filter((revision) => revision <= marker);
      const before = seen.slice(0, at).map(({ revision }) => revision);
      expect(before).toEqual(written.sort((a, b) => a - b));
    });

    it('is not called after it was stopped', async () => {
      const keys = await bench.bus.keys('mem');
      const stopped: WatchEvent[] = [];
      const watch = await keys.watch('>', (event) => void stopped.push(event));
      const going = await watched(keys, '>');
      await ready(stopped);
      await ready(going);
      watch.stop();
      watch.stop();
      await keys.put('a', 1);
      await eventually('the other goes on', () => going.length === 2);
      await bench.settled();
      expect(keysOf(stopped)).toEqual(['ready']);
    });

    it('goes on when a handler throws, and reports it', async () => {
      const keys = await bench.bus.keys('mem');
      const seen: WatchEvent[] = [];
      await keys.watch('>', (event) => {
        seen.push(event);
        throw new Error('broken');
      });
      await ready(seen);
      await keys.put('a', 1);
      await keys.put('b', 1);
      await eventually('both changes came', () => seen.length === 3);
      await eventually('all faults are reported', () => bench.errors.length === 3);
    });

    it('hands over frozen values', async () => {
      const keys = await bench.bus.keys('mem');
      const seen = await watched(keys, '>');
      await keys.put('a', { deep: { n: 1 } });
      await eventually('the change came', () => seen.length === 2);
      const [entry] = seen.filter((event) => event.type === 'entry');
      const value = entry?.value as { deep: object };
      expect([Object.isFrozen(value), Object.isFrozen(value.deep)]).toEqual([true, true]);
    });

    it('goes on behind a purge, which it does not see', async () => {
      const keys = await bench.bus.keys('mem');
      await keys.put('a.b', 1);
      const seen = await watched(keys, '>');
      await ready(seen);
      await keys.purge('a.>');
      await keys.put('a.c', 2);
      await eventually('the change came', () => seen.length === 3);
      expect(keysOf(seen)).toEqual(['a.b', 'ready', 'a.c']);
    });
  });
}

async function watched(
  keys: KeyBucket,
  pattern: string,
  options?: WatchOptions,
): Promise<WatchEvent[]> {
  const seen: WatchEvent[] = [];
  await keys.watch(pattern, (event) => void seen.push(event), options);
  return seen;
}

async function ready(seen: readonly WatchEvent[]): Promise<void> {
  await eventually('the watch is ready', () => seen.some(({ type }) => type === 'ready'));
}

function keysOf(seen: readonly WatchEvent[]): string[] {
  return seen.map((event) => (event.type === 'entry' ? event.key : 'ready'));
}
