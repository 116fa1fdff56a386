import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BusStatus } from '../../../src/bus/bus.ts';
import { listen, simulatedBus, turn } from './support.ts';

const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

describe('a connection that is cut', () => {
  it('tells its listeners, with how much may not have arrived', async () => {
    const { bus } = simulatedBus();
    const told: BusStatus[] = [];
    bus.onStatus((status) => void told.push(status));
    listen(bus, 'a');
    listen(bus, '>');
    for (const n of upTo(3)) bus.publish('a', n);
    bus.disconnect();
    expect([bus.state, told]).toEqual(['disconnected', []]);
    bus.reconnect();
    await bus.close();
    expect(told).toMatchObject([
      { state: 'disconnected', uncertain: 3 },
      { state: 'connected', uncertain: 0 },
      { state: 'closed', uncertain: 0 },
    ]);
  });

  it('loses what was on its way, keeps what is published meanwhile, and sends it in order', async () => {
    const { bus } = simulatedBus();
    const got = listen(bus, 'a');
    bus.publish('a', 'lost');
    bus.disconnect();
    for (const n of upTo(3)) bus.publish('a', n);
    await turn();
    expect(got).toEqual([]);
    bus.reconnect();
    bus.publish('a', 'after');
    await bus.flush();
    expect(got).toEqual([0, 1, 2, 'after']);
    await bus.close();
  });

  it('loses what a slow network still carries', async () => {
    const { bus, pass } = simulatedBus({ faults: { delayMs: 50 }, maxPending: 1 });
    const got = listen(bus, 'a');
    bus.publish('a', 'lost');
    bus.disconnect();
    bus.reconnect();
    await pass(50);
    bus.publish('a', 'after');
    await pass(50);
    expect([got, bus.dropped]).toEqual([['after'], 0]);
    await bus.close();
  });

  it('refuses what its outbox has no room for', async () => {
    const { bus } = simulatedBus({ maxPending: 2 });
    const got = listen(bus, 'a');
    bus.disconnect();
    bus.publish('a', 1);
    bus.publish('a', 2);
    const full = expect.objectContaining({ code: 'TRP_BUS_FULL' });
    expect(() => bus.publish('a', 3)).toThrow(full);
    expect(() => bus.publish('a b', 3)).toThrow(
      expect.objectContaining({ code: 'TRP_BUS_SUBJECT' }),
    );
    bus.reconnect();
    await bus.flush();
    expect(got).toEqual([1, 2]);
    await bus.close();
  });

  it('takes new subscriptions, and has the old ones again afterwards', async () => {
    const { bus } = simulatedBus();
    const [old, gone] = [listen(bus, 'a'), [] as unknown[]];
    const leaving = bus.subscribe('a', ({ payload }) => void gone.push(payload));
    bus.disconnect();
    const fresh = listen(bus, 'a');
    leaving.unsubscribe();
    bus.reconnect();
    bus.publish('a', 1);
    await bus.flush();
    expect([old, fresh, gone]).toEqual([[1], [1], []]);
    await bus.close();
  });

  it('does not count what it lost as still waiting', async () => {
    const { bus } = simulatedBus({ maxPending: 2 });
    const got = listen(bus, 'a');
    for (const n of upTo(2)) bus.publish('a', n);
    bus.disconnect();
    bus.reconnect();
    for (const n of upTo(2)) bus.publish('a', n);
    await bus.flush();
    expect([got, bus.dropped]).toEqual([[0, 1], 0]);
    await bus.close();
  });

  it('ends open requests, and refuses new ones, at once', async () => {
    const { bus, clock } = simulatedBus();
    const cut = { code: 'TRP_BUS_DISCONNECTED' };
    listen(bus, 'silent');
    const open = expect(bus.request('silent', 1)).rejects.toMatchObject(cut);
    bus.disconnect();
    await open;
    await expect(bus.request('silent', 1)).rejects.toMatchObject(cut);
    expect(clock.monotonic()).toBe(0);
    await bus.close();
  });

  it('lets calls wait for its return, and refuses them when their time is over', async () => {
    const { bus, pass } = simulatedBus();
    const [log, keys] = [await bus.log('jrn', 'r'), await bus.keys('mem')];
    bus.disconnect();
    const appended = log.append(1);
    await pass(4_000);
    bus.reconnect();
    expect(await appended).toBe(1);
    bus.disconnect();
    const calls = [log.append(2), keys.put('a', 1), bus.workQueue('p'), bus.blobs(), bus.flush()];
    const refused = calls.map((call) =>
      expect(call).rejects.toMatchObject({ code: 'TRP_BUS_DISCONNECTED' }),
    );
    await pass(5_000);
    await Promise.all(refused);
    bus.reconnect();
    expect([await log.lastSeq(), await keys.get('a')]).toEqual([1, undefined]);
    await bus.close();
  });

  it('lets a pull that waits go on waiting, and refuses it when its time is over', async () => {
    const { bus, pass } = simulatedBus();
    const far = bus.peer();
    const [queue, other] = [await bus.workQueue('p'), await far.workQueue('p')];
    const pulling = queue.pull({ waitMs: 1_000 });
    bus.disconnect();
    await other.add('work', { id: '1' });
    await pass(500);
    bus.reconnect();
    expect((await pulling)?.payload).toBe('work');
    const second = queue.pull({ waitMs: 1_000 });
    bus.disconnect();
    const refused = expect(second).rejects.toMatchObject({ code: 'TRP_BUS_DISCONNECTED' });
    await pass(1_000);
    await refused;
    await Promise.all([bus.close(), far.close()]);
  });

  it('keeps items in hand, which go to others when their time is over', async () => {
    const { bus, pass } = simulatedBus();
    const far = bus.peer();
    const [queue, other] = [await bus.workQueue('p', { ackWaitMs: 100 }), await far.workQueue('p')];
    await queue.add('work', { id: '1' });
    const item = await queue.pull();
    bus.disconnect();
    await pass(100);
    expect(await other.pull()).toMatchObject({ payload: 'work', deliveries: 2 });
    bus.reconnect();
    await expect(item?.ack()).rejects.toMatchObject({ code: 'TRP_BUS_NOT_HELD' });
    await Promise.all([bus.close(), far.close()]);
  });

  it('ends waiting calls when the bus is closed', async () => {
    const { bus, clock } = simulatedBus();
    const queue = await bus.workQueue('p');
    const pulling = queue.pull({ waitMs: 1_000 });
    bus.disconnect();
    const calls = [pulling, queue.depth(), bus.flush()].map((call) =>
      expect(call).rejects.toMatchObject({ code: 'TRP_BUS_CLOSED' }),
    );
    await turn();
    await bus.close();
    await Promise.all(calls);
    expect(clock.step()).toBe(false);
  });

  it('stops in the middle of a long log, and goes on there', async () => {
    const { bus } = simulatedBus();
    const log = await bus.log('jrn', 'r');
    for (const n of upTo(300)) await log.append(n);
    const got: unknown[] = [];
    let caughtUp = 0;
    const hear = ({ payload }: { payload: unknown }): void => {
      got.push(payload);
      if (got.length === 70) bus.disconnect();
    };
    await log.follow(hear, { caughtUp: () => void caughtUp++ });
    await turn();
    await turn();
    expect([got.length, caughtUp]).toEqual([70, 0]);
    bus.reconnect();
    await bus.flush();
    await turn();
    expect([got, caughtUp]).toEqual([upTo(300), 1]);
    await bus.close();
  });

  it('loses and repeats nothing that is followed or watched, wherever it is cut', async () => {
    const steps = fc.array(fc.constantFrom('write', 'write', 'cut', 'mend', 'turn'), {
      maxLength: 40,
    });
    await fc.assert(
      fc.asyncProperty(steps, fc.nat(5), async (story, before) => {
        const { bus } = simulatedBus();
        const far = bus.peer();
        const [log, keys] = [await far.log('jrn', 'r'), await far.keys('mem', { history: 64 })];
        let written = 0;
        const write = async (): Promise<void> => {
          written++;
          await log.append(written);
          await keys.put(`k.${written % 3}`, written);
        };
        for (let n = 0; n < before; n++) await write();
        const [followed, watched, marks]: [unknown[], unknown[], unknown[]] = [[], [], []];
        const own = await bus.log('jrn', 'r');
        const states = new Set<string>();
        const hear = ({ payload }: { payload: unknown }): void => {
          followed.push(payload);
          states.add(bus.state);
        };
        await own.follow(hear, {
          caughtUp: () => void marks.push(['caught up', followed.length]),
        });
        await (
          await bus.keys('mem')
        ).watch(
          '>',
          (event) => {
            states.add(bus.state);
            if (event.type === 'entry') watched.push(event.value);
            else marks.push(['ready', event.revision === watched.length]);
          },
          { after: 0 },
        );
        for (const step of story) {
          if (step === 'write') await write();
          else if (step === 'cut') bus.disconnect();
          else if (step === 'mend') bus.reconnect();
          else await turn();
        }
        bus.reconnect();
        await bus.flush();
        await turn();
        const all = upTo(written).map((n) => n + 1);
        expect([followed, watched]).toEqual([all, all]);
        expect(marks).toHaveLength(2);
        states.delete('connected');
        expect(states).toEqual(new Set());
        expect(marks).toContainEqual(['ready', true]);
        await Promise.all([bus.close(), far.close()]);
      }),
      { numRuns: 200 },
    );
  });
});

describe('a peer of a bus', () => {
  it('is reached by what the other publishes, and is cut and closed by itself', async () => {
    const { bus, clock } = simulatedBus();
    const far = bus.peer();
    const [here, there] = [listen(bus, 'a'), listen(far, 'a')];
    bus.publish('a', 1);
    await bus.flush();
    far.disconnect();
    bus.publish('a', 2);
    await bus.flush();
    far.reconnect();
    far.publish('a', 3);
    await far.flush();
    await far.close();
    bus.publish('a', 4);
    await bus.flush();
    expect([here, there]).toEqual([
      [1, 2, 3, 4],
      [1, 3],
    ]);
    expect([bus.state, far.state]).toEqual(['connected', 'closed']);
    await bus.close();
    expect(clock.step()).toBe(false);
  });
});
