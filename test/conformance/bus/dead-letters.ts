import { describe, expect, it } from 'vitest';
import type { DeadLetter, WorkQueue } from '../../../src/bus/work-queue.ts';
import { eventually } from '../../support/eventually.ts';
import { benchFor } from './under-test.ts';
import type { BusUnderTest } from './under-test.ts';
import { pulled } from './work-queue.ts';

/** Work that nobody could carry out. */
export function deadLetterSuite(driver: BusUnderTest): void {
  describe(`${driver.name}: dead letters`, () => {
    const bench = benchFor(driver);

    it('makes a dead letter of an item that is ended with a reason', async () => {
      const queue = await bench.bus.workQueue('pool');
      await queue.add({ n: 1 }, { id: 'a', level: 'p1', headers: { H: '1' } });
      await (await pulled(queue)).nak();
      await (await pulled(queue)).term('cannot be parsed: ü\n2');
      const [letter] = await lettersOf(queue, 1);
      expect(letter).toMatchObject({ id: 'a', level: 'p1', payload: { n: 1 }, deliveries: 2 });
      expect(letter).toMatchObject({ headers: { H: '1' }, reason: 'cannot be parsed: ü\n2' });
      expect(await queue.pull()).toBeUndefined();
    });

    it('makes a dead letter of an item that was given back too often', async () => {
      const queue = await bench.bus.workQueue('pool', { maxDeliveries: 3 });
      await queue.add('x', { id: 'a', headers: { H: '1' } });
      for (const deliveries of [1, 2, 3]) {
        const item = await pulled(queue);
        expect(item.deliveries).toBe(deliveries);
        await item.nak();
      }
      const [letter] = await lettersOf(queue, 1);
      expect(letter).toMatchObject({ id: 'a', payload: 'x', deliveries: 3, headers: { H: '1' } });
      expect(letter?.reason).toMatch(/3/);
      expect(await queue.pull({ waitMs: 100 })).toBeUndefined();
    });

    it('makes a dead letter of an item whose consumers were silent too often', async () => {
      const queue = await bench.bus.workQueue('pool', { ackWaitMs: 300, maxDeliveries: 2 });
      await queue.add('x', { id: 'a' });
      await pulled(queue);
      await pulled(queue);
      // Also a server that keeps such items to itself has to be asked once more.
      const [letter] = await lettersOf(queue, 1);
      expect(letter).toMatchObject({ id: 'a', payload: 'x', deliveries: 2 });
      expect(await queue.pull({ waitMs: 600 })).toBeUndefined();
    });

    it('lists the dead letters of all queues, by pool, and makes no queue for that', async () => {
      expect(await bench.bus.deadLetters()).toEqual([]);
      for (const pool of ['b.c', 'a']) {
        const queue = await bench.bus.workQueue(pool);
        for (const id of ['1', '2']) {
          await queue.add({ pool, id }, { id });
          await (await pulled(queue)).term(`not by ${pool}`);
        }
      }
      const letters = await bench.bus.deadLetters();
      expect(letters.map(({ pool, id }) => [pool, id])).toEqual([
        ['a', '1'],
        ['a', '2'],
        ['b.c', '1'],
        ['b.c', '2'],
      ]);
      expect(letters[2]).toMatchObject({
        payload: { pool: 'b.c', id: '1' },
        reason: 'not by b.c',
        deliveries: 1,
      });
    });

    it('does not hold up the others behind a dead item', async () => {
      const queue = await bench.bus.workQueue('pool', { maxDeliveries: 1, maxInFlight: 1 });
      for (const id of ['a', 'b', 'c']) await queue.add(id, { id });
      await (await pulled(queue)).nak();
      await (await pulled(queue)).term('bad');
      expect((await pulled(queue)).payload).toBe('c');
      expect((await lettersOf(queue, 2)).map(({ id }) => id)).toEqual(['a', 'b']);
    });

    it('lists dead letters in the order of their deaths, and forgets them one by one', async () => {
      const queue = await bench.bus.workQueue('pool');
      for (const id of ['a', 'b', 'c']) await queue.add(id, { id });
      const [a, b, c] = [await pulled(queue), await pulled(queue), await pulled(queue)];
      for (const item of [b, c, a]) {
        await item.term('bad');
        await eventually('it is dead', async () => (await idsOf(queue)).includes(item.id));
      }
      const letters = await lettersOf(queue, 3);
      expect(letters.map(({ id }) => id)).toEqual(['b', 'c', 'a']);
      const [, second] = letters;
      expect(await queue.forget(second?.seq ?? 0)).toBe(true);
      expect(await queue.forget(second?.seq ?? 0)).toBe(false);
      expect(await queue.forget(999_999)).toBe(false);
      expect(await idsOf(queue)).toEqual(['b', 'a']);
      expect((await queue.depth()).deadLetters).toBe(2);
    });

    it('keeps the dead letters of pools apart', async () => {
      const [one, two] = [await bench.bus.workQueue('one'), await bench.bus.workQueue('two')];
      await one.add(1, { id: 'a' });
      await two.add(2, { id: 'b' });
      await (await pulled(one)).term('bad');
      const [letter] = await lettersOf(one, 1);
      expect(await two.deadLetters()).toEqual([]);
      expect(await two.forget(letter?.seq ?? 0)).toBe(false);
      expect(await idsOf(one)).toEqual(['a']);
    });

    it('shows them through every door, with none counted twice', async () => {
      const near = await bench.bus.workQueue('pool', { maxDeliveries: 1 });
      const far = await (await bench.again()).workQueue('pool');
      await near.add(1, { id: 'a' });
      await near.add(2, { id: 'b' });
      await (await pulled(far)).nak();
      await (await pulled(near)).nak();
      expect((await lettersOf(near, 2)).map(({ id }) => id).sort()).toEqual(['a', 'b']);
      expect(await far.deadLetters()).toEqual(await near.deadLetters());
    });

    it('lets an item of a dead letter’s id be a duplicate as any other', async () => {
      const queue = await bench.bus.workQueue('pool');
      await queue.add(1, { id: 'a' });
      await (await pulled(queue)).term('bad');
      expect(await queue.add(1, { id: 'a' })).toEqual({ duplicate: true });
      expect(await queue.add(1, { id: 'a#2' })).toEqual({ duplicate: false });
    });
  });
}

async function lettersOf(queue: WorkQueue, count: number): Promise<readonly DeadLetter[]> {
  await eventually(`there are ${count} dead letters`, async () => {
    const letters = await queue.deadLetters();
    return letters.length >= count;
  });
  const letters = await queue.deadLetters();
  expect(letters).toHaveLength(count);
  return letters;
}

async function idsOf(queue: WorkQueue): Promise<string[]> {
  return (await queue.deadLetters()).map(({ id }) => id);
}
