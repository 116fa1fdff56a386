import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Bus, BusMessage } from '../../src/bus/bus.ts';
import { subjectMatches } from '../../src/bus/subject-grammar.ts';
import type { Plain } from '../../src/core/plain.ts';

/** A driver under test: `open` gives a fresh bus on which nobody else talks. */
export interface BusUnderTest {
  open(onError: (error: unknown) => void): Promise<Bus>;
}

/** What every bus driver keeps, in process or on a server. */
export function busSuite(name: string, driver: BusUnderTest): void {
  describe(`${name} keeps the contract of the bus`, () => {
    let bus: Bus;
    let errors: unknown[];

    beforeEach(async () => {
      errors = [];
      bus = await driver.open((error) => errors.push(error));
    });
    afterEach(() => bus.close());

    const listen = (pattern: string, queue?: string): BusMessage[] => {
      const got: BusMessage[] = [];
      bus.subscribe(pattern, (message) => void got.push(message), queue === undefined ? {} : { queue });
      return got;
    };

    it('delivers in the order of publishing, and not on the publisher’s stack', async () => {
      const got = listen('a.b');
      for (let n = 0; n < 3_000; n++) bus.publish('a.b', n);
      expect(got).toHaveLength(0);
      await bus.flush();
      expect(got.map((message) => message.payload)).toEqual(
        Array.from({ length: 3_000 }, (_, n) => n),
      );
    });

    it('reaches exactly the patterns that match', async () => {
      const patterns = ['a', 'a.b', 'a.*', '*.b', 'a.>', '>', '*', 'a.*.c', '*.*.*', 'a.b.>'];
      const heard = patterns.map((pattern) => listen(pattern));
      const subjects = ['a', 'b', 'a.b', 'a.c', 'c.b', 'a.b.c', 'a.b.c.d'];
      for (const subject of subjects) bus.publish(subject, null);
      await bus.flush();
      for (const [index, pattern] of patterns.entries()) {
        const expected = subjects.filter((subject) => subjectMatches(pattern, subject));
        expect(
          heard[index]?.map((message) => message.subject),
          pattern,
        ).toEqual(expected);
      }
    });

    it('hands over plain data unchanged and frozen, with its headers', async () => {
      const got = listen('x');
      const payload = {
        text: 'é',
        list: [1, -2.5, null, true, { deep: 'yes' }],
        bytes: Uint8Array.of(1, 2),
      };
      bus.publish('x', payload, { headers: { 'Troupe-Type': 'test' } });
      await bus.flush();
      const [message] = got;
      expect(message?.payload).toEqual(payload);
      expect(message?.headers).toMatchObject({ 'Troupe-Type': 'test' });
      const parts = Object.values((message?.payload ?? {}) as object);
      expect([message?.payload, ...parts.filter(Array.isArray)].every(Object.isFrozen)).toBe(true);
      expect(parts.filter(Array.isArray)).toHaveLength(1);
    });

    it('is not affected by what the publisher does to the payload afterwards', async () => {
      const got = listen('x');
      const payload = { n: 1 };
      bus.publish('x', payload);
      payload.n = 2;
      await bus.flush();
      expect(got[0]?.payload).toEqual({ n: 1 });
    });

    it.each(['', 'a..b', '.a', 'a.', 'a b', 'a.*', 'a.>', 'a\r\nPUB b', 'ä', 'x'.repeat(600)])(
      'refuses to publish on %j',
      (subject) => {
        expect(() => bus.publish(subject, null)).toThrow(
          expect.objectContaining({ code: 'TRP_BUS_SUBJECT' }),
        );
      },
    );

    it.each(['', 'a..b', '>.a', 'a.>.b', 'a*', 'a.b>', 'a b'])(
      'refuses to subscribe to %j',
      (pattern) => {
        expect(() => bus.subscribe(pattern, () => undefined)).toThrow(
          expect.objectContaining({ code: 'TRP_BUS_SUBJECT' }),
        );
      },
    );

    it('refuses a queue group whose name is no token', () => {
      expect(() => bus.subscribe('a', () => undefined, { queue: 'a b' })).toThrow(
        expect.objectContaining({ code: 'TRP_BUS_SUBJECT' }),
      );
    });

    const circular: { self?: unknown } = {};
    circular.self = circular;
    it.each([
      ['a function', { f: () => 1 }],
      ['a date', { at: new Date(0) }],
      ['NaN', [Number.NaN]],
      ['a bigint', 1n],
      ['a cycle', circular],
      ['more than 1 MiB', 'x'.repeat(1_048_577)],
      ['a key named __proto__', JSON.parse('{"__proto__":1}')],
    ])('refuses a payload that is or holds %s', (_, payload) => {
      expect(() => bus.publish('a', payload as Plain)).toThrow(
        expect.objectContaining({ code: 'TRP_BUS_PAYLOAD' }),
      );
    });

    it('takes a payload of exactly 1 MiB encoded', async () => {
      const got = listen('big');
      bus.publish('big', 'x'.repeat(1_048_576 - 5));
      await bus.flush();
      expect(got).toHaveLength(1);
    });

    it('refuses a header that could forge another', () => {
      expect(() => bus.publish('a', null, { headers: { a: 'b\r\nc: d' } })).toThrow(
        expect.objectContaining({ code: 'TRP_BUS_PAYLOAD' }),
      );
    });

    it('gives each message to exactly one member of a queue group, and to every group', async () => {
      const members = [listen('w', 'g'), listen('w', 'g'), listen('w', 'g')];
      const other = listen('w', 'h');
      const single = listen('w');
      for (let n = 0; n < 60; n++) bus.publish('w', n);
      await bus.flush();
      const shared = members.flat().map((message) => message.payload as number);
      expect(shared.sort((a, b) => a - b)).toEqual(Array.from({ length: 60 }, (_, n) => n));
      expect(members.filter((member) => member.length > 0).length).toBeGreaterThan(1);
      expect([other.length, single.length]).toEqual([60, 60]);
    });

    it('delivers nothing after unsubscribe, not even what was published before', async () => {
      const got: BusMessage[] = [];
      const subscription = bus.subscribe('a', (message) => void got.push(message));
      bus.publish('a', 1);
      subscription.unsubscribe();
      subscription.unsubscribe();
      await bus.flush();
      expect(got).toEqual([]);
    });

    it('goes on when a handler throws or rejects, and reports it', async () => {
      bus.subscribe('a', () => {
        throw new Error('first');
      });
      const rejecting = (): Promise<void> => Promise.reject(new Error('second'));
      bus.subscribe('a', rejecting);
      const got = listen('a');
      bus.publish('a', 1);
      await bus.flush();
      await bus.flush();
      expect(got).toHaveLength(1);
      expect(errors.map((error) => (error as Error).message).sort()).toEqual(['first', 'second']);
    });

    it('answers a request with the first response', async () => {
      bus.subscribe('sum', (message) => {
        const { a, b } = message.payload as { a: number; b: number };
        message.respond(a + b);
        message.respond('too late');
      });
      expect(await bus.request('sum', { a: 2, b: 3 })).toBe(5);
    });

    it('keeps many requests apart', async () => {
      bus.subscribe('echo', (message) => message.respond(message.payload), { queue: 'q' });
      const asked = Array.from({ length: 200 }, (_, n) => n);
      expect(await Promise.all(asked.map((n) => bus.request('echo', n)))).toEqual(asked);
    });

    it('lets a responder answer a plain message into nothing', async () => {
      bus.subscribe('a', (message) => message.respond('unheard'));
      bus.publish('a', 1);
      await bus.flush();
      expect(errors).toEqual([]);
    });

    it('says at once that nobody listens', async () => {
      await expect(bus.request('nobody', 1, { timeoutMs: 60_000 })).rejects.toMatchObject({
        code: 'TRP_BUS_NO_RESPONDERS',
      });
    });

    it('gives up on a request that nobody answers', async () => {
      listen('silent');
      await expect(bus.request('silent', 1, { timeoutMs: 5 })).rejects.toMatchObject({
        code: 'TRP_BUS_TIMEOUT',
      });
    });

    it('knows whether anybody listens', () => {
      const subscription = bus.subscribe('a.*', () => undefined);
      expect([bus.hasSubscribers('a.b'), bus.hasSubscribers('b.a')]).toEqual([true, false]);
      subscription.unsubscribe();
      expect(bus.hasSubscribers('a.b')).toBe(false);
    });

    it('delivers what is queued on close, then refuses everything', async () => {
      const got = listen('a');
      bus.publish('a', 1);
      const closed = bus.close();
      expect(() => bus.publish('a', 2)).toThrow(
        expect.objectContaining({ code: 'TRP_BUS_CLOSED' }),
      );
      await closed;
      expect(got.map((message) => message.payload)).toEqual([1]);
      expect(() => bus.subscribe('a', () => undefined)).toThrow(
        expect.objectContaining({ code: 'TRP_BUS_CLOSED' }),
      );
      await expect(bus.request('a', 1)).rejects.toMatchObject({ code: 'TRP_BUS_CLOSED' });
    });

    it('ends open requests on close', async () => {
      listen('silent');
      const asked = bus.request('silent', 1).catch((error: unknown) => error);
      await bus.close();
      expect(await asked).toMatchObject({ code: 'TRP_BUS_CLOSED' });
    });

    it('keeps order per publisher when handlers publish in turn', async () => {
      const got = listen('out');
      bus.subscribe('in', (message) => bus.publish('out', message.payload));
      for (let n = 0; n < 100; n++) bus.publish('in', n);
      await bus.flush();
      await bus.flush();
      expect(got.map((message) => message.payload)).toEqual(
        Array.from({ length: 100 }, (_, n) => n),
      );
    });

    it('matches any pattern against any subject as the grammar says', async () => {
      const token = fc.constantFrom('a', 'b', 'c');
      const subject = fc
        .array(token, { minLength: 1, maxLength: 4 })
        .map((tokens) => tokens.join('.'));
      const pattern = fc
        .tuple(
          fc.array(fc.constantFrom('a', 'b', '*'), { minLength: 1, maxLength: 3 }),
          fc.boolean(),
        )
        .map(([tokens, rest]) => [...tokens, ...(rest ? ['>'] : [])].join('.'));
      await fc.assert(
        fc.asyncProperty(pattern, subject, async (wanted, sent) => {
          const got: BusMessage[] = [];
          const subscription = bus.subscribe(wanted, (message) => void got.push(message));
          bus.publish(sent, null);
          await bus.flush();
          subscription.unsubscribe();
          expect(got.length).toBe(subjectMatches(wanted, sent) ? 1 : 0);
        }),
        { numRuns: 60 },
      );
    });
  });
}
