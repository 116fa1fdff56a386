import { describe, expect, it } from 'vitest';
import { SimulatedClock } from '../../../src/core/simulated-clock.ts';
import type { TimerHandle } from '../../../src/core/clock.ts';
import { listen, simulatedBus, turn } from './support.ts';

const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

/** A clock that knows how many timers are pending. */
class CountingClock extends SimulatedClock {
  private readonly pendingTimers = new Set<TimerHandle>();
  most = 0;

  get pendingCount(): number {
    return this.pendingTimers.size;
  }

  override setTimeout(fn: () => void, delayMs: number): TimerHandle {
    const timer = super.setTimeout(() => {
      this.pendingTimers.delete(timer);
      fn();
    }, delayMs);
    this.pendingTimers.add(timer);
    this.most = Math.max(this.most, this.pendingTimers.size);
    return timer;
  }

  override clearTimeout(handle: TimerHandle): void {
    this.pendingTimers.delete(handle);
    super.clearTimeout(handle);
  }
}

describe('timers of the embedded bus', () => {
  it('are one for all requests, items, delays and waits', async () => {
    const clock = new CountingClock();
    const { bus } = simulatedBus({ clock });
    listen(bus, 'silent');
    const ends: Promise<unknown>[] = [];
    const queue = await bus.workQueue('p');
    for (const n of upTo(200)) {
      ends.push(bus.request('silent', n, { timeoutMs: 1_000 + n }).catch(() => undefined));
      await queue.add(n, { id: String(n) });
      const item = await queue.pull();
      if (n % 2 === 0) await item?.nak(1_000 + n);
    }
    const idle = await bus.workQueue('idle');
    for (const n of upTo(50)) ends.push(idle.pull({ waitMs: 100 + n }));
    await turn();
    expect([clock.pendingCount, clock.most]).toEqual([1, 1]);
    await clock.runUntil(() => false);
    await Promise.all(ends);
    expect(await queue.depth()).toMatchObject({ inFlight: 0, waiting: { p2: 200 } });
    await bus.close();
  });

  it('are none for requests that are answered within the turn', async () => {
    const clock = new CountingClock();
    const { bus } = simulatedBus({ clock });
    bus.subscribe('echo', (message) => message.respond(message.payload));
    for (const n of upTo(100)) await bus.request('echo', n);
    await turn();
    expect([clock.pendingCount, clock.most]).toEqual([0, 0]);
    await bus.close();
  });

  it('go when the last request that needs them is answered', async () => {
    const clock = new CountingClock();
    const { bus } = simulatedBus({ clock });
    const asked: (() => void)[] = [];
    bus.subscribe('slow', (message) => void asked.push(() => message.respond(1)));
    const answers = [bus.request('slow', 1), bus.request('slow', 2)];
    await turn();
    expect(clock.pendingCount).toBe(1);
    for (const answer of asked) answer();
    await Promise.all(answers);
    await turn();
    expect(clock.pendingCount).toBe(0);
    void bus.request('slow', 3, { timeoutMs: 9 }).catch(() => undefined);
    await turn();
    expect(clock.pendingCount).toBe(1);
    await bus.close();
    expect(clock.pendingCount).toBe(0);
  });

  it('are gone after close, whatever was under way', async () => {
    const clock = new CountingClock();
    const { bus } = simulatedBus({ clock, faults: { delayMs: 500 } });
    listen(bus, '>');
    bus.publish('a', 1);
    const request = bus.request('silent', 1).catch(({ code }: { code: string }) => code);
    const queue = await bus.workQueue('p');
    await queue.add(1, { id: '1' });
    const served = queue.pull().catch(({ code }: { code: string }) => code);
    const pull = queue.pull({ waitMs: 9_000 }).catch(({ code }: { code: string }) => code);
    await turn();
    expect(clock.pendingCount).toBeGreaterThan(0);
    await bus.close();
    expect(await Promise.all([request, served, pull])).toEqual([
      'TRP_BUS_CLOSED',
      'TRP_BUS_CLOSED',
      'TRP_BUS_CLOSED',
    ]);
    expect(clock.pendingCount).toBe(0);
  });

  it('end requests of one timeout each at its own time', async () => {
    const { bus, clock, pass } = simulatedBus();
    listen(bus, 'silent');
    const ended: number[] = [];
    for (const _ of upTo(3)) {
      void bus
        .request('silent', 1, { timeoutMs: 100 })
        .catch(() => void ended.push(clock.monotonic()));
      await pass(5);
    }
    await pass(100);
    expect(ended).toEqual([100, 105, 110]);
    await bus.close();
  });

  it('end requests of different timeouts each at its own time', async () => {
    const { bus, clock, pass } = simulatedBus();
    listen(bus, 'silent');
    const ended: string[] = [];
    for (const timeoutMs of [30, 10, 20, 10]) {
      void bus.request('silent', 1, { timeoutMs }).catch(({ code }: { code: string }) => {
        ended.push(`${timeoutMs} at ${clock.monotonic()}: ${code}`);
      });
    }
    await pass(30);
    expect(ended).toEqual([10, 10, 20, 30].map((ms) => `${ms} at ${ms}: TRP_BUS_TIMEOUT`));
    await bus.close();
  });
});

describe('what passes with time', () => {
  it('is a key that was not written for its time to live, without a timer and without a change', async () => {
    const clock = new CountingClock();
    const { bus, pass } = simulatedBus({ clock });
    const keys = await bus.keys('leases', { ttlMs: 100, history: 4 });
    const seen: unknown[] = [];
    await keys.watch('>', (event) => void seen.push(event));
    await keys.put('a', 1);
    await pass(60);
    expect(clock.pendingCount).toBe(0);
    await keys.put('b', 1);
    await keys.update('a', 2, 1);
    await pass(99);
    expect([await keys.keys(), (await keys.history('a')).length]).toEqual([['a', 'b'], 1]);
    await pass(1);
    expect([await keys.keys(), await keys.get('a')]).toEqual([[], undefined]);
    expect(seen).toHaveLength(4);
    expect(await keys.create('a', 3)).toBe(4);
    await bus.close();
  });

  it('is an identity that was added longer ago than the window', async () => {
    const { bus, pass } = simulatedBus();
    const queue = await bus.workQueue('p', { dedupeWindowMs: 100 });
    const add = (): Promise<unknown> => queue.add(1, { id: 'x' });
    expect(await add()).toEqual({ duplicate: false });
    await (await queue.pull())?.ack();
    await pass(100);
    expect(await add()).toEqual({ duplicate: true });
    await pass(1);
    expect(await add()).toEqual({ duplicate: false });
    await bus.close();
  });
});

describe('those who wait for work', () => {
  it('are served in the order in which they came', async () => {
    const { bus } = simulatedBus();
    const queue = await bus.workQueue('p');
    const served: string[] = [];
    for (const name of ['first', 'second', 'third'])
      void queue.pull({ waitMs: 1_000 }).then((item) => served.push(`${name} ${item?.id}`));
    for (const n of upTo(3)) await queue.add(n, { id: String(n) });
    await turn();
    expect(served).toEqual(['first 0', 'second 1', 'third 2']);
    await bus.close();
  });

  it('give way when they are called off, and an item on its way goes back', async () => {
    const { bus, pass } = simulatedBus({ faults: { delayMs: 50 } });
    const queue = await bus.workQueue('p', { ackWaitMs: 60_000 });
    const controller = new AbortController();
    const pull = queue.pull({ waitMs: 1_000, signal: controller.signal });
    await queue.add('work', { id: '1' });
    controller.abort();
    expect(await pull).toBeUndefined();
    await pass(50);
    expect(await queue.depth()).toMatchObject({ inFlight: 0, waiting: { p2: 1 } });
    const again = queue.pull({ waitMs: 1_000 });
    await pass(50);
    expect(await again).toMatchObject({ payload: 'work', deliveries: 2 });
    await bus.close();
  });
});
