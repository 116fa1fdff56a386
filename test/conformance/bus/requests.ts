import { describe, expect, it } from 'vitest';
import type { BusMessage } from '../../../src/bus/bus.ts';
import type { Plain } from '../../../src/core/plain.ts';
import { eventually } from '../../support/eventually.ts';
import { benchFor, rejectsWith, upTo } from './under-test.ts';
import type { BusUnderTest } from './under-test.ts';

/** Requests and their answers. */
export function requestSuite(driver: BusUnderTest): void {
  describe(`${driver.name}: requests`, () => {
    const bench = benchFor(driver);

    it('answers with the first response', async () => {
      bench.bus.subscribe('sum', (message) => {
        const { a, b } = message.payload as { a: number; b: number };
        message.respond(a + b);
        message.respond('too late');
      });
      expect(await bench.bus.request('sum', { a: 2, b: 3 })).toBe(5);
    });

    it('keeps many requests apart', async () => {
      bench.bus.subscribe('echo', (message) => message.respond(message.payload), { queue: 'q' });
      const asked = upTo(200);
      expect(await Promise.all(asked.map((n) => bench.bus.request('echo', n)))).toEqual(asked);
    });

    it('carries any plain value there and back', async () => {
      bench.bus.subscribe('echo', (message) => message.respond(message.payload));
      const value = { text: 'é', list: [1, -2.5, null, true], bytes: Uint8Array.of(0, 255) };
      for (const each of [value, null, 0, '', false, []] as Plain[])
        expect(await bench.bus.request('echo', each)).toEqual(each);
    });

    it('answers after a while, out of order', async () => {
      const waiting: BusMessage[] = [];
      bench.bus.subscribe('slow', (message) => void waiting.push(message));
      const answers = Promise.all([bench.bus.request('slow', 1), bench.bus.request('slow', 2)]);
      await eventually('both are there', () => waiting.length === 2);
      for (const message of waiting.reverse()) message.respond({ to: message.payload });
      expect(await answers).toEqual([{ to: 1 }, { to: 2 }]);
    });

    it('hands the headers of a request to the responder', async () => {
      bench.bus.subscribe('a', ({ headers, respond }) => void [headers, respond]);
      bench.bus.subscribe('b', (message) => message.respond(message.headers));
      expect(await bench.bus.request('b', 1, { headers: { 'Troupe-Op': 'x' } })).toMatchObject({
        'Troupe-Op': 'x',
      });
    });

    it('gives an answer that is frozen', async () => {
      bench.bus.subscribe('a', (message) => message.respond({ deep: { n: 1 } }));
      const answer = (await bench.bus.request('a', 1)) as { deep: object };
      expect([Object.isFrozen(answer), Object.isFrozen(answer.deep)]).toEqual([true, true]);
    });

    it('asks one member of a queue group only', async () => {
      let asked = 0;
      for (const _ of upTo(3)) {
        bench.bus.subscribe(
          'q',
          (message) => {
            asked++;
            message.respond(null);
          },
          { queue: 'g' },
        );
      }
      for (const n of upTo(10)) await bench.bus.request('q', n);
      await bench.settled();
      expect(asked).toBe(10);
    });

    it('reaches a responder behind another door of the bus', async () => {
      const other = await bench.again();
      other.subscribe('far.*', (message) => message.respond(message.subject));
      await other.flush();
      expect(await bench.bus.request('far.away', null)).toBe('far.away');
    });

    it('lets a responder answer a plain message into nothing', async () => {
      bench.bus.subscribe('a', (message) => message.respond('unheard'));
      bench.bus.publish('a', 1);
      await bench.settled();
      expect(bench.errors).toEqual([]);
    });

    it('tells a responder whose answer is not plain data, and leaves the request to others', async () => {
      bench.bus.subscribe('a', (message) => message.respond((() => 1) as unknown as Plain));
      bench.bus.subscribe('a', (message) => message.respond('right'));
      expect(await bench.bus.request('a', 1)).toBe('right');
      await eventually('the fault is reported', () => bench.errors.length === 1);
      expect(bench.errors[0]).toMatchObject({ code: 'TRP_BUS_PAYLOAD' });
    });

    it('says at once that nobody listens', async () => {
      await rejectsWith(
        'TRP_BUS_NO_RESPONDERS',
        bench.bus.request('nobody', 1, { timeoutMs: 60_000 }),
      );
    });

    it('says so again when the last responder has left', async () => {
      const responder = bench.bus.subscribe('a', (message) => message.respond(1));
      expect(await bench.bus.request('a', 1)).toBe(1);
      responder.unsubscribe();
      await bench.settled();
      await rejectsWith('TRP_BUS_NO_RESPONDERS', bench.bus.request('a', 1, { timeoutMs: 60_000 }));
    });

    it('gives up on a request that nobody answers', async () => {
      bench.listen('silent');
      await rejectsWith('TRP_BUS_TIMEOUT', bench.bus.request('silent', 1, { timeoutMs: 5 }));
    });

    it('ignores an answer that comes too late', async () => {
      const got = bench.listen('late');
      await rejectsWith('TRP_BUS_TIMEOUT', bench.bus.request('late', 1, { timeoutMs: 5 }));
      await eventually('the request is there', () => got.length === 1);
      got[0]?.respond('late');
      await bench.settled();
      expect(bench.errors).toEqual([]);
    });

    it('times out when the responder throws, and reports what it threw', async () => {
      bench.bus.subscribe('a', () => {
        throw new Error('broken');
      });
      await rejectsWith('TRP_BUS_TIMEOUT', bench.bus.request('a', 1, { timeoutMs: 50 }));
      await eventually('the fault is reported', () => bench.errors.length === 1);
    });
  });
}
