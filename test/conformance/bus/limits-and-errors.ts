import { describe, expect, it } from 'vitest';
import type { Plain } from '../../../src/core/plain.ts';
import { eventually } from '../../support/eventually.ts';
import { benchFor, rejectsWith, withCode } from './under-test.ts';
import type { BusUnderTest } from './under-test.ts';

const mebibyte = 1_048_576;

/** Text that takes so many bytes encoded: five of them are MessagePack's own. */
const textOf = (encodedBytes: number): string => 'x'.repeat(encodedBytes - 5);

const badSubjects = [
  '',
  '.',
  'a..b',
  '.a',
  'a.',
  'a b',
  ' a',
  'a\t',
  'a.*',
  '*',
  'a.>',
  '>',
  'a*',
  'a\r\nPUB b 0\r\n\r\n',
  'a\n',
  'a\0',
  'ä',
  'a/b',
  'x'.repeat(600),
  `${'ab.'.repeat(200)}a`,
];
const badPatterns = ['', 'a..b', '>.a', 'a.>.b', 'a*', '*a', 'a.b>', '>>', 'a b', 'a\r\n', 'ä'];
const badNames = ['', 'a b', 'a.b', 'a\r\nb', '*', '>', 'x'.repeat(600)];

const circular: { self?: unknown } = {};
circular.self = circular;
const badPayloads: [string, unknown][] = [
  ['undefined', undefined],
  ['a function', { f: () => 1 }],
  ['a date', { at: new Date(0) }],
  ['a map', new Map()],
  ['a class instance', new (class Point {})()],
  ['NaN', [Number.NaN]],
  ['Infinity', Infinity],
  ['a bigint', 1n],
  ['a symbol', Symbol('s')],
  ['a cycle', circular],
  ['an accessor', Object.defineProperty({}, 'a', { enumerable: true, get: () => 1 })],
  ['nesting without end', JSON.parse('['.repeat(101) + ']'.repeat(101))],
  ['a key named __proto__', JSON.parse('{"__proto__":1}')],
];

/** What every part refuses alike, and how payloads are kept from harm. */
export function limitsSuite(driver: BusUnderTest): void {
  subjectLimits(driver);
  payloadLimits(driver);
  payloadCare(driver);
}

function subjectLimits(driver: BusUnderTest): void {
  describe(`${driver.name}: subjects and names`, () => {
    const bench = benchFor(driver);

    it.each(titled(badSubjects))('refuses to publish on and ask at %s', async (_, subject) => {
      expect(() => bench.bus.publish(subject, null)).toThrow(withCode('TRP_BUS_SUBJECT') as Error);
      await rejectsWith('TRP_BUS_SUBJECT', bench.bus.request(subject, null));
    });

    it.each(titled(badPatterns))('refuses to subscribe to %s', (_, pattern) => {
      const subscribe = (): unknown => bench.bus.subscribe(pattern, () => undefined);
      expect(subscribe).toThrow(withCode('TRP_BUS_SUBJECT') as Error);
    });

    it.each(titled(badNames))('refuses a queue group named %s', (_, queue) => {
      const subscribe = (): unknown => bench.bus.subscribe('a', () => undefined, { queue });
      expect(subscribe).toThrow(withCode('TRP_BUS_SUBJECT') as Error);
    });

    it.each(titled(badSubjects))('refuses the key %s in all verbs', async (_, key) => {
      const keys = await bench.bus.keys('limits');
      await rejectsWith('TRP_BUS_SUBJECT', keys.get(key));
      await rejectsWith('TRP_BUS_SUBJECT', keys.put(key, 1));
      await rejectsWith('TRP_BUS_SUBJECT', keys.create(key, 1));
      await rejectsWith('TRP_BUS_SUBJECT', keys.update(key, 1, 1));
      await rejectsWith('TRP_BUS_SUBJECT', keys.delete(key));
      await rejectsWith('TRP_BUS_SUBJECT', keys.history(key));
    });

    it.each(titled(badPatterns))('refuses the key pattern %s', async (_, pattern) => {
      const keys = await bench.bus.keys('limits');
      await rejectsWith('TRP_BUS_SUBJECT', keys.keys(pattern));
      await rejectsWith('TRP_BUS_SUBJECT', keys.purge(pattern));
      await rejectsWith(
        'TRP_BUS_SUBJECT',
        keys.watch(pattern, () => undefined),
      );
    });

    it('takes a subject of 512 characters, a token of 192, and 100 tokens', async () => {
      const subjects = [
        `${'a'.repeat(192)}.${'b'.repeat(192)}.${'c'.repeat(126)}`,
        'd'.repeat(192),
        Array.from({ length: 100 }, () => 'e').join('.'),
        'A-Z_0=9',
      ];
      for (const subject of subjects) {
        const got = bench.listen(subject);
        bench.bus.publish(subject, subject.length);
        await bench.settled();
        expect(got.map(({ payload }) => payload)).toEqual([subject.length]);
      }
    });
  });
}

function payloadLimits(driver: BusUnderTest): void {
  describe(`${driver.name}: what a payload may be`, () => {
    const bench = benchFor(driver);

    it.each(badPayloads)('refuses %s wherever a payload goes', async (_, value) => {
      const payload = value as Plain;
      const { bus } = bench;
      expect(() => bus.publish('a', payload)).toThrow(withCode('TRP_BUS_PAYLOAD') as Error);
      await rejectsWith('TRP_BUS_PAYLOAD', bus.request('a', payload));
      const [queue, log, keys] = await Promise.all([
        bus.workQueue('limits'),
        bus.log('jrn', 'limits'),
        bus.keys('limits'),
      ]);
      await rejectsWith('TRP_BUS_PAYLOAD', queue.add(payload, { id: '1' }));
      await rejectsWith('TRP_BUS_PAYLOAD', log.append(payload));
      await rejectsWith('TRP_BUS_PAYLOAD', keys.put('a', payload));
      await rejectsWith('TRP_BUS_PAYLOAD', keys.create('a', payload));
      expect([await queue.pull(), await log.lastSeq(), await keys.keys()]).toEqual([
        undefined,
        0,
        [],
      ]);
    });

    it('publishes 1 MiB encoded, and not a byte more', async () => {
      const got = bench.listen('big');
      bench.bus.publish('big', textOf(mebibyte));
      await eventually('it arrives', () => got.length === 1);
      expect(String(got[0]?.payload)).toHaveLength(mebibyte - 5);
      expect(() => bench.bus.publish('big', textOf(mebibyte + 1))).toThrow(
        withCode('TRP_BUS_PAYLOAD') as Error,
      );
    });

    it('counts bytes, not characters', () => {
      expect(() => bench.bus.publish('a', 'é'.repeat(600_000))).toThrow(
        withCode('TRP_BUS_PAYLOAD') as Error,
      );
    });

    it('asks and answers with 1 MiB encoded, and not a byte more', async () => {
      bench.bus.subscribe('big', (message) => message.respond(message.payload));
      const answer = await bench.bus.request('big', textOf(mebibyte));
      expect((answer as string).length).toBe(mebibyte - 5);
      await rejectsWith('TRP_BUS_PAYLOAD', bench.bus.request('big', textOf(mebibyte + 1)));
    });

    it('carries large headers with a large payload', async () => {
      const got = bench.listen('big');
      const headers = { One: 'h'.repeat(8_000) };
      bench.bus.publish('big', textOf(mebibyte - 16_384), { headers });
      await eventually('it arrives', () => got.length === 1);
      expect(got[0]?.headers).toEqual(headers);
    });

    it('keeps 1 MiB less 16 KiB in queues and logs, and refuses a byte above 1 MiB', async () => {
      const [queue, log] = [await bench.bus.workQueue('big'), await bench.bus.log('jrn', 'big')];
      const [fits, over] = [textOf(mebibyte - 16_384), textOf(mebibyte + 1)];
      await queue.add(fits, { id: '1' });
      expect((await queue.pull())?.payload).toBe(fits);
      await rejectsWith('TRP_BUS_PAYLOAD', queue.add(over, { id: '2' }));
      await log.append(fits, { op: 'x', expectedSeq: 0 });
      for await (const entry of log.read()) expect(entry.payload).toBe(fits);
      await rejectsWith('TRP_BUS_PAYLOAD', log.append(over));
    });

    it('keeps values of 1 MiB less 16 KiB as JSON, and refuses a byte above 1 MiB', async () => {
      const keys = await bench.bus.keys('big');
      const fits = 'x'.repeat(mebibyte - 16_384);
      await keys.put('a', fits);
      expect((await keys.get('a'))?.value).toBe(fits);
      await rejectsWith('TRP_BUS_PAYLOAD', keys.put('a', 'x'.repeat(mebibyte + 1)));
    });

    it.each([
      ['a line break in a value', { a: 'b\r\nc: d' }],
      ['a bare line feed', { a: 'b\nc' }],
      ['a null character', { a: '\0' }],
      ['a colon in a name', { 'a:b': 'c' }],
      ['a line break in a name', { 'a\r\nb': 'c' }],
      ['an empty name', { '': 'c' }],
      ['a value that is no text', { a: 1 as unknown as string }],
      ['a value above 8 KiB', { a: 'x'.repeat(8_193) }],
    ])('refuses headers with %s', async (_, headers) => {
      const { bus } = bench;
      expect(() => bus.publish('a', null, { headers })).toThrow(
        withCode('TRP_BUS_PAYLOAD') as Error,
      );
      await rejectsWith('TRP_BUS_PAYLOAD', bus.request('a', null, { headers }));
      const [queue, log] = [await bus.workQueue('limits'), await bus.log('jrn', 'limits')];
      await rejectsWith('TRP_BUS_PAYLOAD', queue.add(null, { id: '1', headers }));
      await rejectsWith('TRP_BUS_PAYLOAD', log.append(null, { headers }));
    });
  });
}

function payloadCare(driver: BusUnderTest): void {
  describe(`${driver.name}: payloads are kept from harm`, () => {
    const bench = benchFor(driver);

    it('hands over plain data unchanged and frozen to its depths', async () => {
      const got = bench.listen('x');
      const payload = {
        text: 'é\u{1F600}',
        list: [1, -2.5, null, true, { deep: ['yes'] }],
        numbers: [0, 2 ** 53 - 1, -(2 ** 53), 1e300, 5e-324],
        bytes: Uint8Array.of(1, 2),
        'odd key \n': { '': 1, constructor: 2, toString: 3 },
      };
      bench.bus.publish('x', payload);
      await bench.settled();
      expect(got[0]?.payload).toEqual(payload);
      expect(isDeeplyFrozen(got[0]?.payload)).toBe(true);
      expect(Object.isFrozen(got[0]?.headers)).toBe(true);
    });

    it('gives bytes that no other receiver can change', async () => {
      const [first, second] = [bench.listen('x'), bench.listen('x')];
      const bytes = Uint8Array.of(1, 2, 3);
      bench.bus.publish('x', bytes);
      bytes[0] = 9;
      await bench.settled();
      expect(first[0]?.payload).toEqual(Uint8Array.of(1, 2, 3));
      expect(second[0]?.payload).toEqual(Uint8Array.of(1, 2, 3));
    });

    it('drops properties that hold undefined', async () => {
      const got = bench.listen('x');
      bench.bus.publish('x', { a: undefined, b: 1 } as unknown as Plain);
      await bench.settled();
      expect(Object.keys(got[0]?.payload as object)).toEqual(['b']);
    });

    it('is not affected by what the sender does to the value afterwards', async () => {
      const { bus } = bench;
      const got = bench.listen('x');
      bus.subscribe('echo', (message) => message.respond(message.payload));
      const [queue, log, keys] = await Promise.all([
        bus.workQueue('care'),
        bus.log('jrn', 'care'),
        bus.keys('care'),
      ]);
      const value = { n: 1, deep: { list: [1] } };
      const headers = { H: '1' };
      bus.publish('x', value, { headers });
      const done = Promise.all([
        bus.request('echo', value),
        queue.add(value, { id: '1', headers }),
        log.append(value, { headers }),
        keys.put('k', value),
      ]);
      value.n = 2;
      value.deep.list.push(2);
      headers.H = '2';
      const [answer] = await done;
      await bench.settled();
      const item = await queue.pull();
      const entries = [];
      for await (const entry of log.read()) entries.push(entry);
      const seen = [got[0]?.payload, answer, item?.payload, entries[0]?.payload];
      for (const each of [...seen, (await keys.get('k'))?.value]) {
        expect(each).toEqual({ n: 1, deep: { list: [1] } });
        expect(isDeeplyFrozen(each)).toBe(true);
      }
      for (const each of [got[0]?.headers, item?.headers, entries[0]?.headers])
        expect(each).toEqual({ H: '1' });
    });
  });
}

/** Each text behind a title that is not longer than a line. */
function titled(texts: readonly string[]): [title: string, text: string][] {
  return texts.map((text) => [JSON.stringify(text.slice(0, 30)), text]);
}

function isDeeplyFrozen(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return true;
  return Object.isFrozen(value) && Object.values(value).every(isDeeplyFrozen);
}
