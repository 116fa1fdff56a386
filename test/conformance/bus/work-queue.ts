import { describe, expect, it } from 'vitest';
import type { WorkItem, WorkQueue } from '../../../src/bus/work-queue.ts';
import { eventually } from '../../support/eventually.ts';
import { benchFor, rejectsWith, upTo } from './under-test.ts';
import type { BusUnderTest } from './under-test.ts';

/** How long a pull waits that is to get something, in milliseconds. */
export const soonMs = 15_000;

/** Queues of work: identity, order, levels, limits. */
export function workQueueSuite(driver: BusUnderTest): void {
  itemSuite(driver);
  orderSuite(driver);
  capacitySuite(driver);
  pullSuite(driver);
}

/** The next item, which is known to come. */
export async function pulled(queue: WorkQueue): Promise<WorkItem> {
  const item = await queue.pull({ waitMs: soonMs });
  if (!item) throw new Error('The queue gave nothing.');
  return item;
}

/** Pulls and acknowledges everything that is there; the payloads. */
export async function drained(queue: WorkQueue): Promise<unknown[]> {
  const got: unknown[] = [];
  for (;;) {
    const item = await queue.pull();
    if (!item) return got;
    got.push(item.payload);
    await item.ack();
  }
}

function itemSuite(driver: BusUnderTest): void {
  describe(`${driver.name}: items of work queues`, () => {
    const bench = benchFor(driver);

    it('gives an added item with all that was said of it', async () => {
      const queue = await bench.bus.workQueue('pool');
      expect(queue.pool).toBe('pool');
      const headers = { 'Troupe-Op': 'run/task', Other: 'x' };
      expect(await queue.add({ n: 1 }, { id: 'a', level: 'p1', headers })).toEqual({
        duplicate: false,
      });
      const item = await pulled(queue);
      expect(item).toMatchObject({ id: 'a', level: 'p1', payload: { n: 1 }, headers });
      expect(Object.keys(item.headers).sort()).toEqual(['Other', 'Troupe-Op']);
      expect(item.deliveries).toBe(1);
    });

    it('gives an item the level p2 and no headers where nothing is said', async () => {
      const queue = await bench.bus.workQueue('pool');
      await queue.add(null, { id: 'a' });
      expect(await pulled(queue)).toMatchObject({ level: 'p2', payload: null, headers: {} });
    });

    it.each([
      'x',
      'run/task[0]#1',
      'with spaces and ünï',
      'a.b.*.>',
      'l\r\nf',
      '=',
      'y'.repeat(500),
    ])('takes any text for an id: %j', async (id) => {
      const queue = await bench.bus.workQueue('pool');
      expect(await queue.add(1, { id })).toEqual({ duplicate: false });
      expect(await queue.add(2, { id })).toEqual({ duplicate: true });
      expect(await pulled(queue)).toMatchObject({ id, payload: 1 });
    });

    it.each(['gpu', 'big models', 'ünï.code', 'a*b>c'])(
      'takes any text for a pool: %j',
      async (name) => {
        const queue = await bench.bus.workQueue(name);
        await queue.add(name, { id: '1' });
        expect(queue.pool).toBe(name);
        expect(await drained(await bench.bus.workQueue(name))).toEqual([name]);
      },
    );

    it('is done with an item that was acknowledged', async () => {
      const queue = await bench.bus.workQueue('pool', { ackWaitMs: 300 });
      await queue.add(1, { id: 'a' });
      await (await pulled(queue)).ack();
      expect(await queue.pull({ waitMs: 900 })).toBeUndefined();
      expect(await queue.depth()).toEqual({
        waiting: { p0: 0, p1: 0, p2: 0, p3: 0 },
        inFlight: 0,
        deadLetters: 0,
      });
    });

    it('delivers an item that was given back again, and counts', async () => {
      const queue = await bench.bus.workQueue('pool');
      await queue.add('x', { id: 'a', level: 'p0', headers: { H: '1' } });
      await (await pulled(queue)).nak();
      const again = await pulled(queue);
      expect(again).toMatchObject({ id: 'a', level: 'p0', payload: 'x', headers: { H: '1' } });
      expect(again.deliveries).toBe(2);
      await again.ack();
    });

    it('holds an item back for the delay that it was given back with', async () => {
      const queue = await bench.bus.workQueue('pool');
      await queue.add('later', { id: 'a' });
      await queue.add('now', { id: 'b' });
      await (await pulled(queue)).nak(400);
      expect((await queue.depth()).waiting.p2).toBe(2);
      const first = await pulled(queue);
      expect(first.payload).toBe('now');
      await first.ack();
      expect(await queue.pull()).toBeUndefined();
      expect(await pulled(queue)).toMatchObject({ payload: 'later', deliveries: 2 });
    });

    it('delivers an item again when its consumer is silent', async () => {
      const queue = await bench.bus.workQueue('pool', { ackWaitMs: 300 });
      await queue.add('x', { id: 'a' });
      const lost = await pulled(queue);
      const again = await pulled(queue);
      expect([lost.deliveries, again.deliveries]).toEqual([1, 2]);
      expect(again.payload).toBe('x');
      await again.ack();
    });

    it('lets a consumer keep an item that says it is still at work', async () => {
      const queue = await bench.bus.workQueue('pool', { ackWaitMs: 1_500 });
      await queue.add('x', { id: 'a' });
      const item = await pulled(queue);
      for (const _ of upTo(5)) {
        expect(await queue.pull({ waitMs: 500 })).toBeUndefined();
        await item.inProgress();
      }
      await item.ack();
    });

    it('refuses every verb of an item that went to somebody else', async () => {
      const queue = await bench.bus.workQueue('pool', { ackWaitMs: 400 });
      await queue.add('x', { id: 'a' });
      const lost = await pulled(queue);
      const held = await pulled(queue);
      await rejectsWith('TRP_BUS_NOT_HELD', lost.ack());
      await rejectsWith('TRP_BUS_NOT_HELD', lost.nak());
      await rejectsWith('TRP_BUS_NOT_HELD', lost.inProgress());
      await rejectsWith('TRP_BUS_NOT_HELD', lost.term('no'));
      await held.ack();
      expect(await queue.deadLetters()).toEqual([]);
    });

    it.each(['ack', 'nak', 'term'] as const)('refuses every verb after %s', async (verb) => {
      const queue = await bench.bus.workQueue('pool');
      await queue.add('x', { id: 'a' });
      const item = await pulled(queue);
      await (verb === 'term' ? item.term('reason') : item[verb]());
      await rejectsWith('TRP_BUS_NOT_HELD', item.ack());
      await rejectsWith('TRP_BUS_NOT_HELD', item.nak());
      await rejectsWith('TRP_BUS_NOT_HELD', item.inProgress());
      await rejectsWith('TRP_BUS_NOT_HELD', item.term('again'));
    });

    it('lets one of two settlements at the same time win', async () => {
      const queue = await bench.bus.workQueue('pool');
      await queue.add('x', { id: 'a' });
      const item = await pulled(queue);
      const ends = await Promise.allSettled([item.ack(), item.ack()]);
      expect(ends.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    });
  });
}

function orderSuite(driver: BusUnderTest): void {
  describe(`${driver.name}: order of work queues`, () => {
    const bench = benchFor(driver);

    it('gives items of one level in the order of adding', async () => {
      const queue = await bench.bus.workQueue('pool');
      for (const n of upTo(30)) await queue.add(n, { id: String(n) });
      expect(await drained(queue)).toEqual(upTo(30));
    });

    it('gives the lowest-numbered level that has an item first, at every pull', async () => {
      const queue = await bench.bus.workQueue('pool');
      for (const level of ['p3', 'p1', 'p2', 'p0', 'p3', 'p0'] as const)
        await queue.add(level, { id: `${level}-${Math.random()}`, level });
      const first = await pulled(queue);
      await first.ack();
      expect(first.level).toBe('p0');
      await queue.add('p0', { id: 'urgent', level: 'p0' });
      expect(await drained(queue)).toEqual(['p0', 'p0', 'p1', 'p2', 'p3', 'p3']);
    });

    it('does not add an item of a known id again, at whatever level, done or not', async () => {
      const queue = await bench.bus.workQueue('pool');
      expect(await queue.add(1, { id: 'a' })).toEqual({ duplicate: false });
      expect(await queue.add(2, { id: 'a', level: 'p0' })).toEqual({ duplicate: true });
      expect(await drained(queue)).toEqual([1]);
      expect(await queue.add(3, { id: 'a' })).toEqual({ duplicate: true });
      expect(await drained(queue)).toEqual([]);
    });

    it('adds once when the same item is added many times at once', async () => {
      const queue = await bench.bus.workQueue('pool');
      const added = await Promise.all(upTo(10).map((n) => queue.add(n, { id: 'a' })));
      expect(added.filter(({ duplicate }) => !duplicate)).toHaveLength(1);
      expect(await drained(queue)).toHaveLength(1);
    });

    it('adds an item of a known id again when the window for duplicates is over', async () => {
      const queue = await bench.bus.workQueue('pool', { dedupeWindowMs: 200 });
      await queue.add(1, { id: 'a' });
      await eventually('the window is over', async () => {
        const { duplicate } = await queue.add(2, { id: 'a' });
        return !duplicate;
      });
      expect(await drained(queue)).toEqual([1, 2]);
    });

    it('keeps pools apart, ids included', async () => {
      const [one, two] = [await bench.bus.workQueue('one'), await bench.bus.workQueue('two')];
      expect(await one.add('one', { id: 'a' })).toEqual({ duplicate: false });
      expect(await two.add('two', { id: 'a' })).toEqual({ duplicate: false });
      expect([await drained(one), await drained(two)]).toEqual([['one'], ['two']]);
      expect((await one.depth()).waiting.p2).toBe(0);
    });

    it('is one queue, however often it is opened', async () => {
      const [one, two] = [await bench.bus.workQueue('pool'), await bench.bus.workQueue('pool')];
      const far = await (await bench.again()).workQueue('pool');
      await one.add('x', { id: 'a' });
      expect(await far.add('y', { id: 'a' })).toEqual({ duplicate: true });
      const item = await pulled(two);
      expect([await one.pull(), await far.pull()]).toEqual([undefined, undefined]);
      await item.nak();
      expect((await pulled(far)).deliveries).toBe(2);
    });

    it('keeps what it was made with when it is opened with other options', async () => {
      await bench.bus.workQueue('pool', { maxDeliveries: 1 });
      const queue = await (await bench.again()).workQueue('pool', { maxDeliveries: 9 });
      await queue.add('x', { id: 'a' });
      await (await pulled(queue)).nak();
      await eventually('it is dead', async () => (await queue.deadLetters()).length === 1);
    });
  });
}

function capacitySuite(driver: BusUnderTest): void {
  describe(`${driver.name}: limits of work queues`, () => {
    const bench = benchFor(driver);

    it('refuses items above what may wait, until some are done', async () => {
      const queue = await bench.bus.workQueue('pool', { maxWaiting: 3 });
      for (const n of upTo(3)) await queue.add(n, { id: String(n) });
      await rejectsWith('TRP_BUS_FULL', queue.add(3, { id: '3' }));
      await (await pulled(queue)).ack();
      expect(await queue.add(4, { id: '4' })).toEqual({ duplicate: false });
      expect(await drained(queue)).toEqual([1, 2, 4]);
    });

    it('takes an item that was refused for want of room, when there is room', async () => {
      const queue = await bench.bus.workQueue('pool', { maxWaiting: 1 });
      await queue.add('a', { id: 'a' });
      await rejectsWith('TRP_BUS_FULL', queue.add('b', { id: 'b' }));
      await (await pulled(queue)).ack();
      expect(await queue.add('b', { id: 'b' })).toEqual({ duplicate: false });
      expect(await drained(queue)).toEqual(['b']);
    });

    it.each(['ackWaitMs', 'maxDeliveries', 'dedupeWindowMs', 'maxInFlight', 'maxWaiting'])(
      'refuses %s that is no whole number from 1',
      async (option) => {
        for (const value of [0, -1, 1.5, Number.NaN, Infinity])
          await rejectsWith('TRP_OPTION_INVALID', bench.bus.workQueue('pool', { [option]: value }));
      },
    );

    it('counts what waits over all levels', async () => {
      const queue = await bench.bus.workQueue('pool', { maxWaiting: 2 });
      await queue.add(0, { id: '0', level: 'p0' });
      await queue.add(1, { id: '1', level: 'p3' });
      await rejectsWith('TRP_BUS_FULL', queue.add(2, { id: '2', level: 'p1' }));
    });

    it('lets no more items out at one time than it may', async () => {
      const queue = await bench.bus.workQueue('pool', { maxInFlight: 2 });
      for (const level of ['p0', 'p1', 'p2', 'p3'] as const)
        await queue.add(level, { id: level, level });
      const out = [await pulled(queue), await pulled(queue)];
      expect(out.map(({ level }) => level)).toEqual(['p0', 'p1']);
      expect(await queue.pull()).toBeUndefined();
      const next = pulled(queue);
      await out[0]?.ack();
      expect((await next).level).toBe('p2');
      expect(await queue.pull()).toBeUndefined();
    });

    it('tells how many wait by level, are with consumers, and are dead', async () => {
      const queue = await bench.bus.workQueue('pool');
      for (const level of ['p0', 'p2', 'p2', 'p3', 'p3', 'p3'] as const)
        await queue.add(level, { id: `${level} ${Math.random()}`, level });
      const [held, dead] = [await pulled(queue), await pulled(queue)];
      await dead.term('no use');
      await eventually('the dead letter is there', async () => {
        const { deadLetters } = await queue.depth();
        return deadLetters === 1;
      });
      expect(await queue.depth()).toEqual({
        waiting: { p0: 0, p1: 0, p2: 1, p3: 3 },
        inFlight: 1,
        deadLetters: 1,
      });
      await held.nak(60_000);
      expect(await queue.depth()).toMatchObject({ waiting: { p0: 1 }, inFlight: 0 });
    });
  });
}

function pullSuite(driver: BusUnderTest): void {
  describe(`${driver.name}: pulling work`, () => {
    const bench = benchFor(driver);

    it('gives nothing where nothing is, at once or when the wait is over', async () => {
      const queue = await bench.bus.workQueue('pool');
      expect(await queue.pull()).toBeUndefined();
      expect(await queue.pull({ waitMs: 50 })).toBeUndefined();
    });

    it.each(['p0', 'p3'] as const)(
      'gives an item of level %s that comes while it waits',
      async (level) => {
        const queue = await bench.bus.workQueue('pool');
        const waiting = pulled(queue);
        await queue.add('x', { id: 'a', level });
        expect(await waiting).toMatchObject({ payload: 'x', level, deliveries: 1 });
      },
    );

    it('gives each of several that wait one item', async () => {
      const queue = await bench.bus.workQueue('pool');
      const other = await (await bench.again()).workQueue('pool');
      const waiting = [queue, other, queue, other, queue].map(pulled);
      for (const n of upTo(5)) await queue.add(n, { id: String(n) });
      const items = await Promise.all(waiting);
      expect(items.map(({ payload }) => Number(payload)).toSorted((a, b) => a - b)).toEqual(
        upTo(5),
      );
      await Promise.all(items.map((item) => item.ack()));
    });

    it('gives each item to one consumer only', async () => {
      const queues = [
        await bench.bus.workQueue('pool'),
        await (await bench.again()).workQueue('pool'),
      ] as const;
      await Promise.all(upTo(60).map((n) => queues[0].add(n, { id: String(n) })));
      const got = await Promise.all(queues.map(drained));
      expect(got.flat().sort((a, b) => Number(a) - Number(b))).toEqual(upTo(60));
    });

    it('ends a pull that is aborted, and loses no item by that', async () => {
      const queue = await bench.bus.workQueue('pool');
      const abort = new AbortController();
      const waiting = queue.pull({ waitMs: 60_000, signal: abort.signal });
      abort.abort();
      expect(await waiting).toBeUndefined();
      await queue.add('x', { id: 'a' });
      expect((await pulled(queue)).payload).toBe('x');
    });

    it('gives nothing to a pull whose signal is aborted already', async () => {
      const queue = await bench.bus.workQueue('pool');
      await queue.add('x', { id: 'a' });
      expect(await queue.pull({ waitMs: 60_000, signal: AbortSignal.abort() })).toBeUndefined();
      expect((await pulled(queue)).payload).toBe('x');
    });

    it('loses no item to pulls that are aborted while items arrive', async () => {
      const queue = await bench.bus.workQueue('pool', { ackWaitMs: 2_000, maxDeliveries: 50 });
      const got: unknown[] = [];
      for (const n of upTo(20)) {
        const abort = new AbortController();
        const waiting = queue.pull({ waitMs: 60_000, signal: abort.signal });
        const adding = queue.add(n, { id: String(n) });
        abort.abort();
        const item = await waiting;
        got.push(item?.payload);
        await item?.ack();
        await adding;
      }
      const rest = got.filter((payload) => payload === undefined).length;
      for (const _ of upTo(rest)) {
        const item = await pulled(queue);
        got.push(item.payload);
        await item.ack();
      }
      const numbers = got.filter((payload) => payload !== undefined) as number[];
      expect(numbers.sort((a, b) => a - b)).toEqual(upTo(20));
    });

    it('gives items by priority also to a pull that waited', async () => {
      const queue = await bench.bus.workQueue('pool', { maxInFlight: 1 });
      await queue.add('first', { id: '1' });
      const held = await pulled(queue);
      const waiting = pulled(queue);
      await queue.add('low', { id: '2', level: 'p3' });
      await queue.add('high', { id: '3', level: 'p0' });
      await held.ack();
      expect((await waiting).payload).toBe('high');
    });
  });
}
