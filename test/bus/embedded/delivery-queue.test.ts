import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DeliveryQueue } from '../../../src/bus/embedded/delivery-queue.ts';
import { schedule, turn } from './support.ts';

describe('the queue of deliveries', () => {
  it('keeps the order over any growth, wherever its ring begins', async () => {
    const bursts = fc.array(fc.integer({ min: 1, max: 3_000 }), { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(bursts, async (sizes) => {
        const got: number[] = [];
        const receiver = { receive: (item: number | undefined) => void got.push(item ?? -1) };
        const queue = new DeliveryQueue<number>(schedule, () => undefined);
        let sent = 0;
        for (const size of sizes) {
          for (let n = 0; n < size; n++) queue.deliver(receiver, sent++);
          await new Promise<void>((resolve) => queue.push(resolve));
        }
        expect(got).toEqual(Array.from({ length: sent }, (_, n) => n));
      }),
      { numRuns: 100 },
    );
  });

  it('grows while it is being drained', async () => {
    const got: number[] = [];
    const queue = new DeliveryQueue<number>(schedule, () => undefined);
    let sent = 0;
    const receiver = {
      receive: (item: number): void => {
        got.push(item);
        for (let n = 0; n < 3 && sent < 5_000; n++) queue.deliver(receiver, sent++);
      },
    };
    queue.deliver(receiver, sent++);
    while (got.length < 5_000) await turn();
    expect(got).toEqual(Array.from({ length: 5_000 }, (_, n) => n));
  });

  it('takes out what is told to go, and keeps the rest in order', async () => {
    const got: string[] = [];
    const queue = new DeliveryQueue<number>(schedule, () => undefined);
    const named = (name: string) => ({
      receive: (item: number) => void got.push(`${name} ${item}`),
    });
    const [stays, goes] = [named('stays'), named('goes')];
    for (let n = 0; n < 4; n++) queue.deliver(n % 2 === 0 ? stays : goes, n);
    queue.discard((receiver) => receiver === goes);
    await turn();
    expect(got).toEqual(['stays 0', 'stays 2']);
  });

  it('goes on behind a receiver that throws, and reports what it threw', async () => {
    const errors: unknown[] = [];
    const queue = new DeliveryQueue(schedule, (error) => errors.push(error));
    let reached = false;
    queue.push(() => {
      throw new Error('broken');
    });
    queue.push(() => {
      reached = true;
    });
    expect(reached).toBe(false);
    await turn();
    expect([reached, errors]).toEqual([true, [new Error('broken')]]);
  });
});
