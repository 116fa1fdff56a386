import { afterEach, describe, expect, it } from 'vitest';
import type { Bus } from '../../../src/bus/bus.ts';
import { createEmbeddedBus } from '../../../src/bus/embedded/embedded-bus.ts';
import { SimulatedClock } from '../../../src/core/simulated-clock.ts';
import { emptyQuota } from '../../../src/policies/quota-slices.ts';
import { createTroupe } from '../../../src/runtime/troupe.ts';
import type { RunHandle, Troupe } from '../../../src/runtime/api.ts';
import { eventually } from '../../support/eventually.ts';
import { startNatsServer } from '../../support/nats-server.ts';
import { SimulatedProvider } from '../../support/simulated-provider.ts';

const opened: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close();
});

const document = (tasks: number): object => ({
  version: 1,
  name: 'shared',
  agents: { caller: { uses: 'function', module: 'host:call', provider: 'llm' } },
  providers: { llm: { requests_per_minute: 20 } },
  tasks: Object.fromEntries(
    Array.from({ length: tasks }, (_, index) => [`t${index}`, { agent: 'caller' }]),
  ),
});

/** A process of its own as far as the quota goes: a Troupe on a bus that it shares with others. */
async function processOn(
  bus: Bus | string,
  handle: (request: string) => Promise<void>,
  clock?: SimulatedClock,
): Promise<Troupe> {
  const troupe = await createTroupe({
    bus,
    concurrency: 100,
    ...(clock && { clock }),
    functions: {
      call: ({ provider, operation }) =>
        provider().call({}, async () => {
          await handle(operation);
          return { value: operation };
        }),
    },
  });
  opened.push(() => troupe.close());
  return troupe;
}

function embedded(clock: SimulatedClock): Bus {
  const bus = createEmbeddedBus({ clock, ns: 'default', schedule: setImmediate });
  opened.push(() => bus.close());
  return bus;
}

async function ended(handles: readonly RunHandle[], clock: SimulatedClock): Promise<void> {
  let left = handles.length;
  for (const handle of handles) void handle.outcome().finally(() => left--);
  expect(await clock.runUntil(() => left === 0)).toBe(true);
  for (const handle of handles) expect((await handle.outcome()).status).toBe('succeeded');
}

/** The most that any minute holds. */
function mostPerMinute(times: readonly number[]): number {
  return Math.max(
    ...times.map((at) => times.filter((other) => other >= at && other < at + 60_000).length),
  );
}

describe('two processes on one embedded bus', () => {
  it('never exceed the quota together, and use nearly all of it', async () => {
    const clock = new SimulatedClock();
    const server = new SimulatedProvider(clock, { perMinute: 20, latencyMs: 500 });
    const bus = embedded(clock);
    const call = (request: string): Promise<void> => server.handle(request);
    const first = await processOn(bus, call, clock);
    const second = await processOn(bus, call, clock);
    const handles = [await first.run(document(100)), await second.run(document(100))];
    await ended(handles, clock);
    expect(server.refused).toBe(0);
    expect(server.accepted).toBe(200);
    expect(mostPerMinute(server.times)).toBeLessThanOrEqual(20);
    expect(clock.monotonic()).toBeLessThanOrEqual(1.3 * server.boundMs(200));
  });

  it('pass on to one what the other does not use any more', async () => {
    const clock = new SimulatedClock();
    const server = new SimulatedProvider(clock, { perMinute: 20, latencyMs: 500 });
    const bus = embedded(clock);
    const call = (request: string): Promise<void> => server.handle(request);
    const short = await processOn(bus, call, clock);
    const long = await processOn(bus, call, clock);
    await ended([await short.run(document(10)), await long.run(document(150))], clock);
    expect(server.refused).toBe(0);
    expect(clock.monotonic()).toBeLessThanOrEqual(1.4 * server.boundMs(160));
  });

  it('wait both when one of them was refused', async () => {
    const clock = new SimulatedClock();
    const bus = embedded(clock);
    const times: number[] = [];
    let refusals = 0;
    const call = async (): Promise<void> => {
      times.push(clock.now());
      if (refusals++ === 0)
        throw Object.assign(new Error('busy'), { status: 429, retryAfterMs: 30_000 });
      await new Promise<void>((resolve) => clock.setTimeout(resolve, 5_000));
    };
    const first = await processOn(bus, call, clock);
    const second = await processOn(bus, call, clock);
    const refused = await first.run(document(1));
    clock.setTimeout(() => undefined, 2_000);
    await clock.runUntil(() => clock.now() >= 2_000);
    await ended([refused, await second.run(document(3))], clock);
    expect(times.length).toBe(5);
    expect(times.slice(1).every((at) => at >= 30_000)).toBe(true);
  });

  it('get the slice of one that has crashed, but not before its last minute is over', async () => {
    const clock = new SimulatedClock();
    const server = new SimulatedProvider(clock, { perMinute: 20, latencyMs: 500 });
    const bus = embedded(clock);
    const bucket = await bus.keys('quota', { history: 1, ttlMs: 3_600_000 });
    const slice = { requests: 20, tokens: -1, limits: { requests: 20, tokens: -1 } };
    await bucket.put('llm.=', {
      ...emptyQuota,
      slices: { 'node-dead': { ...slice, hungry: true, beat: 7 } },
    });
    const troupe = await processOn(bus, (request) => server.handle(request), clock);
    await ended([await troupe.run(document(20))], clock);
    expect(server.times.length).toBe(20);
    expect(Math.min(...server.times)).toBeGreaterThanOrEqual(90_000);
    expect(Math.max(...server.times)).toBeLessThan(120_000);
  });

  it('leave nothing behind when they close', async () => {
    const clock = new SimulatedClock();
    const bus = embedded(clock);
    const troupe = await processOn(bus, () => Promise.resolve(), clock);
    await ended([await troupe.run(document(3))], clock);
    const bucket = await bus.keys('quota');
    expect(Object.keys((await bucket.get('llm.='))?.value?.['slices' as never] ?? {}).length).toBe(
      1,
    );
    await troupe.close();
    expect((await bucket.get('llm.='))?.value).toMatchObject({ slices: {} });
  });
});

describe('two processes on one NATS server', () => {
  it('never exceed the quota together', async () => {
    const server = await startNatsServer();
    opened.push(() => server.stop());
    let calls = 0;
    const call = (): Promise<void> => {
      calls++;
      return Promise.resolve();
    };
    const first = await processOn(server.url, call);
    const second = await processOn(server.url, call);
    const handles = [await first.run(document(40)), await second.run(document(40))];
    await eventually('twenty calls', () => calls === 20);
    // What waits goes on waiting: the minute is not over.
    await Promise.all(handles.map((handle) => handle.cancel()));
    expect(calls).toBe(20);
  });
});
