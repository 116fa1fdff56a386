import { describe, expect, it } from 'vitest';
import type { NetworkFaults } from '../../../src/bus/embedded/faults.ts';
import { listen, simulatedBus, turn } from './support.ts';

const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

/** What a subscription hears of 400 messages over a network with these faults. */
async function heard(faults: NetworkFaults, seed: number): Promise<unknown[]> {
  const { bus, pass } = simulatedBus({ faults, seed });
  const got = listen(bus, 'a');
  for (const n of upTo(400)) bus.publish('a', n);
  await turn();
  await pass(1_000);
  await bus.close();
  return got;
}

const sorted = (values: readonly unknown[]): unknown[] =>
  values.toSorted((a, b) => (a as number) - (b as number));

describe('faults of the network', () => {
  it('lose some messages, in order, and none for certain', async () => {
    const got = await heard({ drop: 0.25 }, 1);
    expect(got.length).toBeGreaterThan(200);
    expect(got.length).toBeLessThan(400);
    expect(got).toEqual(sorted(got));
    expect(await heard({ drop: 1 }, 1)).toEqual([]);
    expect(await heard({ drop: 0 }, 1)).toEqual(upTo(400));
  });

  it('double some messages, right behind each other', async () => {
    const got = await heard({ duplicate: 0.25 }, 1);
    expect(got.length).toBeGreaterThan(420);
    expect(got).toEqual(sorted(got));
    expect([...new Set(got)]).toEqual(upTo(400));
  });

  it.each([0, 20])(
    'let some messages be overtaken, none lost, with a delay of %d',
    async (delayMs) => {
      const got = await heard({ reorder: 0.25, delayMs }, 1);
      expect(got).not.toEqual(upTo(400));
      expect(sorted(got)).toEqual(upTo(400));
    },
  );

  it('delay messages without breaking their order, when nothing is to be overtaken', async () => {
    const { bus, pass, clock } = simulatedBus({ faults: { delayMs: 50 } });
    const arrivals: number[] = [];
    bus.subscribe('a', () => void arrivals.push(clock.now()));
    const got = listen(bus, 'a');
    for (const n of upTo(20)) {
      bus.publish('a', n);
      await pass(5);
    }
    await pass(50);
    expect(got).toEqual(upTo(20));
    expect(arrivals.filter((at, n) => at > n * 5).length).toBeGreaterThan(10);
    await bus.close();
  });

  it('are the same for the same seed, and others for another', async () => {
    const faults = { drop: 0.1, duplicate: 0.1, reorder: 0.1, delayMs: 20 };
    const once = await heard(faults, 7);
    expect(await heard(faults, 7)).toEqual(once);
    expect(await heard(faults, 8)).not.toEqual(once);
  });

  it('keep flush waiting until what is on its way has arrived', async () => {
    const { bus, pass } = simulatedBus({ faults: { delayMs: 50 } });
    const got = listen(bus, 'a');
    for (const n of upTo(10)) bus.publish('a', n);
    let flushed: number | undefined;
    void bus.flush().then(() => {
      flushed = got.length;
    });
    await turn();
    expect(flushed).toBeUndefined();
    await pass(50);
    expect(flushed).toBe(10);
    await bus.close();
  });

  it('make requests end in time when question or answer is lost', async () => {
    const { bus, pass } = simulatedBus({ faults: { drop: 0.5 }, seed: 3 });
    bus.subscribe('echo', (message) => message.respond(message.payload));
    const ends = upTo(40).map((n) =>
      bus.request('echo', n).then(
        () => 'answered',
        (error: { code: string }) => error.code,
      ),
    );
    await pass(5_000);
    const codes = await Promise.all(ends);
    expect([...new Set(codes)].sort()).toEqual(['TRP_BUS_TIMEOUT', 'answered']);
    await bus.close();
  });

  it('do not settle a request twice when its answer comes twice', async () => {
    const { bus } = simulatedBus({ faults: { duplicate: 1 } });
    bus.subscribe('echo', (message) => message.respond(message.payload));
    expect(await Promise.all(upTo(20).map((n) => bus.request('echo', n)))).toEqual(upTo(20));
    await bus.close();
  });

  it('leave an item that is lost on its way to a consumer until its time is over', async () => {
    const { bus, pass } = simulatedBus({ faults: { drop: 0.5 }, seed: 2 });
    const queue = await bus.workQueue('pool', { ackWaitMs: 100, maxDeliveries: 50 });
    for (const n of upTo(20)) await queue.add(n, { id: String(n) });
    const done: unknown[] = [];
    let again = 0;
    for (let round = 0; done.length < 20 && round < 200; round++) {
      const item = await queue.pull();
      if (!item) {
        expect((await queue.depth()).inFlight).toBe(20 - done.length);
        await pass(100);
        continue;
      }
      if (item.deliveries > 1) again++;
      await item.ack();
      done.push(item.payload);
    }
    expect(sorted(done)).toEqual(upTo(20));
    expect(again).toBeGreaterThan(0);
    await bus.close();
  });

  it('hand a lost item to nobody before its time is over', async () => {
    const { bus, pass } = simulatedBus({ faults: { drop: 1 } });
    const queue = await bus.workQueue('pool', { ackWaitMs: 100 });
    await queue.add('lost', { id: '1' });
    expect(await queue.pull()).toBeUndefined();
    expect(await queue.depth()).toMatchObject({ inFlight: 1, waiting: { p2: 0 } });
    await pass(99);
    expect(await queue.depth()).toMatchObject({ inFlight: 1, waiting: { p2: 0 } });
    await pass(1);
    expect(await queue.depth()).toMatchObject({ inFlight: 0, waiting: { p2: 1 } });
    await bus.close();
  });

  it('give an item to two consumers, of whom the newer one holds it', async () => {
    const { bus } = simulatedBus({ faults: { duplicate: 1 } });
    const queue = await bus.workQueue('pool', { maxDeliveries: 2 });
    await queue.add('once', { id: '1' });
    const [first, second] = [await queue.pull(), await queue.pull()];
    expect([first?.payload, second?.payload]).toEqual(['once', 'once']);
    await expect(first?.ack()).rejects.toMatchObject({ code: 'TRP_BUS_NOT_HELD' });
    await second?.ack();
    expect(await queue.pull()).toBeUndefined();
    await bus.close();
  });

  it('lose nothing of queues, logs and keys, whatever they do to messages', async () => {
    const faults = { drop: 0.3, duplicate: 0.3, reorder: 0.3, delayMs: 10 };
    const { bus, pass } = simulatedBus({ faults, seed: 5 });
    const options = { ackWaitMs: 100, maxDeliveries: 1_000 };
    const queue = await bus.workQueue('pool', options);
    const log = await bus.log('jrn', 'run');
    const keys = await bus.keys('mem');
    const [followed, watched]: [unknown[], unknown[]] = [[], []];
    await log.follow(({ payload }) => void followed.push(payload));
    await keys.watch('>', (event) => event.type === 'entry' && void watched.push(event.value));
    for (const n of upTo(50)) {
      await queue.add(n, { id: String(n) });
      await log.append(n);
      await keys.put(`k.${n % 5}`, n);
    }
    const done = new Set<unknown>();
    for (let round = 0; done.size < 50 && round < 1_000; round++) {
      const pulling = queue.pull({ waitMs: 50 });
      await pass(60);
      const item = await pulling;
      const acked = await item?.ack().then(
        () => true,
        () => false,
      );
      if (acked) done.add(item?.payload);
    }
    expect(sorted([...done])).toEqual(upTo(50));
    expect([followed, watched]).toEqual([upTo(50), upTo(50)]);
    await bus.close();
  });
});
