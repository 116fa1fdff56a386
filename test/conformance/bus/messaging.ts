import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BusMessage } from '../../../src/bus/bus.ts';
import { subjectMatches } from '../../../src/bus/subject-grammar.ts';
import { eventually } from '../../support/eventually.ts';
import { benchFor, settled, upTo } from './under-test.ts';
import type { BusUnderTest } from './under-test.ts';

/** Publish and subscribe: what reaches whom, in which order, and that handlers harm nobody. */
export function messagingSuite(driver: BusUnderTest): void {
  describe(`${driver.name}: publish and subscribe`, () => {
    const bench = benchFor(driver);

    it('delivers in the order of publishing, and not on the publisher’s stack', async () => {
      const got = bench.listen('a.b');
      for (const n of upTo(3_000)) bench.bus.publish('a.b', n);
      expect(got).toHaveLength(0);
      await bench.settled();
      expect(got.map(({ payload }) => payload)).toEqual(upTo(3_000));
    });

    it('keeps the order of one publisher over several subjects and a wildcard', async () => {
      const got = bench.listen('a.>');
      for (const n of upTo(300)) bench.bus.publish(`a.${n % 7}.x`, n);
      await bench.settled();
      expect(got.map(({ payload }) => payload)).toEqual(upTo(300));
    });

    it('keeps order when handlers publish in turn', async () => {
      const got = bench.listen('out');
      bench.bus.subscribe('in', (message) => bench.bus.publish('out', message.payload));
      for (const n of upTo(100)) bench.bus.publish('in', n);
      await eventually('all came through', () => got.length === 100);
      expect(got.map(({ payload }) => payload)).toEqual(upTo(100));
    });

    it('reaches exactly the patterns that match', async () => {
      const patterns = ['a', 'a.b', 'a.*', '*.b', 'a.>', '*', 'a.*.c', '*.*.*', 'a.b.>', '*.*.>'];
      const heard = patterns.map((pattern) => bench.listen(pattern));
      const subjects = ['a', 'b', 'a.b', 'a.c', 'c.b', 'a.b.c', 'a.b.c.d', 'A.b'];
      for (const subject of subjects) bench.bus.publish(subject, null);
      await bench.settled();
      for (const [index, pattern] of patterns.entries()) {
        const expected = subjects.filter((subject) => subjectMatches(pattern, subject));
        const got = heard[index]?.map(({ subject }) => subject);
        expect(
          got?.filter((subject) => !subject.startsWith('fence')),
          pattern,
        ).toEqual(expected);
      }
    });

    it('lets > hear everything', async () => {
      const got = bench.listen('>');
      for (const subject of ['a', 'a.b', 'a.b.c']) bench.bus.publish(subject, null);
      await bench.settled();
      const subjects = got.map(({ subject }) => subject);
      expect(subjects.filter((subject) => subject.startsWith('a'))).toEqual(['a', 'a.b', 'a.b.c']);
    });

    it('matches any pattern against any subject as the grammar says', async () => {
      const tokens = fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 4 });
      const wild = fc.array(fc.constantFrom('a', 'b', '*'), { minLength: 1, maxLength: 3 });
      const pattern = fc
        .tuple(wild, fc.boolean())
        .map(([parts, rest]) => [...parts, ...(rest ? ['>'] : [])].join('.'));
      await fc.assert(
        fc.asyncProperty(pattern, tokens, async (wanted, sent) => {
          const got: BusMessage[] = [];
          const subscription = bench.bus.subscribe(wanted, (message) => void got.push(message));
          bench.bus.publish(sent.join('.'), 1);
          await bench.settled();
          subscription.unsubscribe();
          const fitting = got.filter(({ payload }) => payload === 1);
          expect(fitting).toHaveLength(subjectMatches(wanted, sent.join('.')) ? 1 : 0);
        }),
        { numRuns: 60 },
      );
    });

    it('gives every subscription of a subject its own delivery', async () => {
      const all = [bench.listen('a'), bench.listen('a'), bench.listen('*')];
      bench.bus.publish('a', 1);
      await bench.settled();
      expect(all.map((got) => got.length)).toEqual([1, 1, 1]);
    });

    it('hands over the headers with the message', async () => {
      const got = bench.listen('a');
      const headers = { 'Troupe-Type': 'x', traceparent: '00-ab', Empty: '', Spaced: 'a  b\tc' };
      bench.bus.publish('a', 1, { headers });
      bench.bus.publish('a', 2);
      await bench.settled();
      expect(got.map((message) => message.headers)).toEqual([headers, {}]);
    });

    it('keeps the case of header names', async () => {
      const got = bench.listen('a');
      bench.bus.publish('a', 1, { headers: { 'X-a': '1', 'x-A': '2' } });
      await bench.settled();
      expect(got[0]?.headers).toEqual({ 'X-a': '1', 'x-A': '2' });
    });

    it('drops what is published before anybody listens', async () => {
      bench.bus.publish('a', 'early');
      await bench.settled();
      const got = bench.listen('a');
      bench.bus.publish('a', 'later');
      await bench.settled();
      expect(got.map(({ payload }) => payload)).toEqual(['later']);
    });

    it('gives each message to exactly one member of a queue group, and to every group', async () => {
      const members = upTo(3).map(() => bench.listen('w', { queue: 'g' }));
      const other = bench.listen('w', { queue: 'h' });
      const single = bench.listen('w');
      for (const n of upTo(60)) bench.bus.publish('w', n);
      await bench.settled();
      const shared = members.flat().map(({ payload }) => payload as number);
      expect(shared.sort((a, b) => a - b)).toEqual(upTo(60));
      expect(members.filter((member) => member.length > 0).length).toBeGreaterThan(1);
      expect([other.length, single.length]).toEqual([60, 60]);
    });

    it('gives a message once to a queue group whose members have different patterns', async () => {
      const members = ['w.a', 'w.*', '>'].map((pattern) => bench.listen(pattern, { queue: 'g' }));
      for (const n of upTo(60)) bench.bus.publish('w.a', n);
      await bench.settled();
      const got = members.flat().filter(({ subject }) => subject === 'w.a');
      expect(got.map(({ payload }) => Number(payload)).toSorted((a, b) => a - b)).toEqual(upTo(60));
    });

    it('goes on with the members of a queue group that are left', async () => {
      const stay = bench.listen('w', { queue: 'g' });
      const leaving = bench.bus.subscribe('w', () => undefined, { queue: 'g' });
      leaving.unsubscribe();
      for (const n of upTo(20)) bench.bus.publish('w', n);
      await bench.settled();
      expect(stay).toHaveLength(20);
    });

    it('delivers nothing after unsubscribe, not even what was published before', async () => {
      const got: BusMessage[] = [];
      const subscription = bench.bus.subscribe('a', (message) => void got.push(message));
      bench.bus.publish('a', 1);
      subscription.unsubscribe();
      subscription.unsubscribe();
      await bench.settled();
      expect(got).toEqual([]);
    });

    it('lets a handler unsubscribe itself and subscribe another', async () => {
      const [first, second]: [unknown[], unknown[]] = [[], []];
      const once = bench.bus.subscribe('a', ({ payload }) => {
        first.push(payload);
        once.unsubscribe();
        bench.bus.subscribe('a', (message) => void second.push(message.payload));
      });
      bench.bus.publish('a', 1);
      await bench.settled();
      bench.bus.publish('a', 2);
      await bench.settled();
      expect([first, second]).toEqual([[1], [2]]);
    });

    it('goes on when a handler throws or rejects, and reports it', async () => {
      bench.bus.subscribe('a', () => {
        throw new Error('first');
      });
      bench.bus.subscribe('a', () => Promise.reject(new Error('second')));
      bench.bus.subscribe('a', async () => {
        await Promise.resolve();
        throw new Error('third');
      });
      const got = bench.listen('a');
      for (const n of upTo(3)) bench.bus.publish('a', n);
      await bench.settled();
      expect(got).toHaveLength(3);
      await eventually('all faults are reported', () => bench.errors.length === 9);
      const messages = new Set(bench.errors.map((error) => (error as Error).message));
      expect([...messages].sort()).toEqual(['first', 'second', 'third']);
    });

    it('lets the next message of a sequential subscription wait for the handler', async () => {
      const log: string[] = [];
      const release: (() => void)[] = [];
      bench.bus.subscribe(
        'a',
        async ({ payload }) => {
          log.push(`begin ${String(payload)}`);
          await new Promise<void>((resolve) => release.push(resolve));
          log.push(`end ${String(payload)}`);
        },
        { sequential: true },
      );
      const beside = bench.listen('a');
      for (const n of upTo(3)) bench.bus.publish('a', n);
      await bench.settled();
      expect(log).toEqual(['begin 0']);
      expect(beside).toHaveLength(3);
      for (const n of upTo(3)) {
        await eventually('the next begins', () => release.length > n);
        release[n]?.();
      }
      await eventually('the last ends', () => log.length === 6);
      expect(log).toEqual(['begin 0', 'end 0', 'begin 1', 'end 1', 'begin 2', 'end 2']);
    });

    it('goes on with a sequential subscription whose handler rejects', async () => {
      const got: unknown[] = [];
      const failing = async ({ payload }: BusMessage): Promise<void> => {
        got.push(payload);
        await Promise.reject(new Error('no'));
      };
      bench.bus.subscribe('a', failing, { sequential: true });
      for (const n of upTo(3)) bench.bus.publish('a', n);
      await eventually('all were handed over', () => got.length === 3);
      await eventually('all faults are reported', () => bench.errors.length === 3);
    });

    it('does not wait for a handler that is not sequential', async () => {
      const got: unknown[] = [];
      bench.bus.subscribe('a', async ({ payload }) => {
        got.push(payload);
        await new Promise(() => undefined);
      });
      for (const n of upTo(3)) bench.bus.publish('a', n);
      await bench.settled();
      expect(got).toEqual([0, 1, 2]);
    });

    it('drops and counts the newer messages that a slow subscription has no room for', async () => {
      const got: unknown[] = [];
      let release = (): void => undefined;
      const gate = new Promise<void>((resolve) => {
        release = resolve;
      });
      const slow = bench.bus.subscribe(
        'a',
        ({ payload }) => {
          got.push(payload);
          return gate;
        },
        { sequential: true, maxPending: 2 },
      );
      const quick = bench.listen('a');
      for (const n of upTo(10)) bench.bus.publish('a', n);
      await bench.settled();
      expect(quick).toHaveLength(10);
      release();
      await eventually('the rest came', () => got.length + slow.dropped === 10);
      expect(got).toEqual(upTo(got.length));
      expect(got.length).toBeGreaterThanOrEqual(2);
      expect(got.length).toBeLessThanOrEqual(3);
      bench.bus.publish('a', 'later');
      await eventually('there is room again', () => got.includes('later'));
    });

    it('knows whether anybody listens, or answers that somebody may', () => {
      const subscription = bench.bus.subscribe('a.*', () => undefined);
      expect(bench.bus.hasSubscribers('a.b')).toBe(true);
      subscription.unsubscribe();
      expect(typeof bench.bus.hasSubscribers('b.a')).toBe('boolean');
    });

    it('resolves flush when what was published is delivered or with the server', async () => {
      const other = await bench.again();
      const got: unknown[] = [];
      other.subscribe('a', ({ payload }) => void got.push(payload));
      await other.flush();
      for (const n of upTo(100)) bench.bus.publish('a', n);
      await bench.bus.flush();
      await settled(other);
      await eventually('all arrived', () => got.length === 100);
      expect(got).toEqual(upTo(100));
    });
  });
}
