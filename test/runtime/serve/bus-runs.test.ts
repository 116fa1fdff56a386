import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { TaskFunction } from '../../../src/actors/behaviours/behaviour.ts';
import type { Bus } from '../../../src/bus/bus.ts';
import { connectNats } from '../../../src/bus/nats/connect.ts';
import { createEmbeddedBus } from '../../../src/bus/embedded/embedded-bus.ts';
import { systemClock } from '../../../src/core/clock.ts';
import type { Troupe, TroupeOptions } from '../../../src/runtime/api.ts';
import { createTroupe } from '../../../src/runtime/troupe.ts';
import { freshNamespace } from '../../conformance/bus/under-test.ts';
import { eventually } from '../../support/eventually.ts';
import { natsServers, startNatsServer } from '../../support/nats-server.ts';
import type { NatsServer } from '../../support/nats-server.ts';

const schedule = (fn: () => void): void => void setImmediate(fn);

/** Two tasks, one after the other. */
const flow = {
  version: 1,
  name: 'two',
  agents: { worker: { uses: 'function', module: 'host:work' } },
  tasks: { one: { agent: 'worker' }, two: { agent: 'worker', needs: ['one'] } },
};

interface Driver {
  readonly name: string;
  open(ns: string): Promise<Bus>;
}

function busRuns(driver: () => Driver): void {
  let ns: string;
  let opened: (() => Promise<void>)[];
  let effects: string[];
  let gate: Promise<void>;
  let open: () => void;

  const work: TaskFunction = async ({ task, run }) => {
    await gate;
    effects.push(`${run} ${task}`);
    return `${task} done`;
  };

  async function troupe(options: TroupeOptions = {}): Promise<Troupe> {
    const bus = await driver().open(ns);
    const made = await createTroupe({ bus, ns, journal: 'bus', functions: { work }, ...options });
    opened.push(async () => {
      await made.close();
      await bus.close();
    });
    return made;
  }

  beforeEach(() => {
    [ns, opened, effects] = [freshNamespace(), [], []];
    gate = Promise.resolve();
    open = () => undefined;
  });
  afterEach(async () => {
    open();
    for (const close of opened.toReversed()) await close();
  });

  function closeGate(): void {
    gate = new Promise((resolve) => (open = resolve));
  }

  it('keeps the journal of a run on the bus, where every process reads it', async () => {
    const [first, second] = [await troupe(), await troupe()];
    const handle = await first.run(flow);
    const report = await handle.outcome();
    expect(report).toMatchObject({ status: 'succeeded', outputs: { two: 'two done' } });
    expect(await second.show(handle.id)).toEqual(report);
    await eventually('the run is released', async () => (await second.runs())[0]?.owner === null);
    expect(await second.runs()).toMatchObject([{ run_id: handle.id, status: 'succeeded' }]);
  });

  it('lets a process that takes runs carry a submitted one, and others follow it', async () => {
    const submitter = await troupe();
    closeGate();
    await troupe({ takeRuns: 4 });
    const run = await submitter.submit(flow, {}, { id: 'mine' });
    const followed = await submitter.follow(run);
    const events: string[] = [];
    const reading = (async () => {
      for await (const { type } of followed.events()) events.push(type);
    })();
    open();
    expect(await followed.outcome()).toMatchObject({ run_id: 'mine', status: 'succeeded' });
    await reading;
    expect(events).toContain('run.ended');
    expect(effects).toEqual(['mine one', 'mine two']);
  });

  it('takes two submissions of one id for one run', async () => {
    const submitter = await troupe();
    await submitter.submit(flow, {}, { id: 'same' });
    await troupe({ takeRuns: 1 });
    await (await submitter.follow('same')).outcome();
    await submitter.submit(flow, {}, { id: 'same' });
    const later = await submitter.submit(flow, {}, { id: 'later' });
    await (await submitter.follow(later)).outcome();
    expect(effects).toEqual(['same one', 'same two', 'later one', 'later two']);
  });

  it('shares submitted runs among processes, each at most so many at one time', async () => {
    const submitter = await troupe();
    const takers = [await troupe({ takeRuns: 2 }), await troupe({ takeRuns: 2 })];
    closeGate();
    const ids = await Promise.all(
      [1, 2, 3, 4, 5].map((n) => submitter.submit(flow, {}, { id: `r${n}` })),
    );
    const owners = async (): Promise<(string | null)[]> =>
      (await submitter.runs()).map(({ owner }) => owner);
    await eventually('four have begun', async () => (await owners()).length === 4);
    const counts = takers.map(
      async ({ node }) => (await owners()).filter((owner) => owner === node).length,
    );
    expect(await Promise.all(counts)).toEqual([2, 2]);
    open();
    for (const id of ids) await (await submitter.follow(id)).outcome();
    expect(effects.toSorted()).toEqual(ids.flatMap((id) => [`${id} one`, `${id} two`]).toSorted());
  });

  it('hands its runs over when it closes, and another goes on with them at once', async () => {
    const submitter = await troupe();
    const first = await troupe({ takeRuns: 1 });
    closeGate();
    const run = await submitter.submit(flow);
    const followed = await submitter.follow(run);
    await eventually(
      'the first has it',
      async () => (await submitter.runs())[0]?.owner === first.node,
    );
    await first.close();
    const second = await troupe({ adopt: true });
    await eventually(
      'the second has it',
      async () => (await submitter.runs())[0]?.owner === second.node,
    );
    open();
    expect(await followed.outcome()).toMatchObject({ status: 'succeeded' });
    const taken = (await submitter.records(run)).flatMap((record) =>
      record.type === 'lease.taken' ? [record.node, record.epoch] : [],
    );
    expect(taken).toEqual([first.node, 1, second.node, 2]);
  });

  it('cancels a run of another process by the bus', async () => {
    const [owner, other] = [await troupe(), await troupe()];
    closeGate();
    const handle = await owner.run(flow);
    await other.cancel(handle.id, 'somebody far away');
    open();
    expect(await handle.outcome()).toMatchObject({ status: 'cancelled' });
  });

  it('refuses to resume a run whose owner is alive, and to own it twice', async () => {
    const [owner, other] = [await troupe(), await troupe()];
    closeGate();
    const handle = await owner.run(flow);
    await expect(other.resume(handle.id)).rejects.toMatchObject({ code: 'TRP_RUN_OWNED' });
    open();
    expect(await handle.outcome()).toMatchObject({ status: 'succeeded' });
  });

  it('takes no more runs while it drains, and waits for those that it has', async () => {
    const submitter = await troupe();
    const taker = await troupe({ takeRuns: 1 });
    closeGate();
    const first = await submitter.submit(flow, {}, { id: 'first' });
    const followed = await submitter.follow(first);
    let isDrained = false;
    const drained = taker.drain(60_000).then(() => (isDrained = true));
    await submitter.submit(flow, {}, { id: 'second' });
    expect(isDrained).toBe(false);
    open();
    await drained;
    expect(followed.report()).toMatchObject({ run_id: 'first' });
    await expect(submitter.records('second')).rejects.toMatchObject({ code: 'TRP_RUN_NOT_FOUND' });
  });

  it('shows the memory of a run to others from its journal', async () => {
    const [owner, other] = [await troupe(), await troupe()];
    const writes = { ...flow, tasks: { one: { agent: 'worker', writes: ['notes.*'] } } };
    const handle = await owner.run(writes);
    await handle.outcome();
    const memory = await other.memory(handle.id);
    expect(memory.revision).toBe(0);
    await memory.close();
  });
}

describe('runs whose journals are on the embedded bus', () => {
  const buses = new Map<string, Bus>();
  afterAll(async () => {
    for (const bus of buses.values()) await bus.close();
  });
  busRuns(() => ({
    name: 'embedded',
    open: async (ns) => {
      const known =
        buses.get(ns) ??
        createEmbeddedBus({ clock: systemClock, ns, schedule, onError: () => undefined });
      buses.set(ns, known);
      return new Proxy(known, {
        get: (target, name) => {
          if (name === 'close') return async () => undefined;
          const value: unknown = Reflect.get(target, name, target);
          return typeof value === 'function' ? (value.bind(target) as unknown) : value;
        },
      });
    },
  }));
});

describe.each(natsServers())('runs whose journals are on nats-server $version', (binary) => {
  let server: NatsServer;
  beforeAll(async () => {
    server = await startNatsServer({ server: binary });
  });
  afterAll(() => server.stop());
  busRuns(() => ({
    name: binary.version,
    open: (ns) => connectNats({ url: server.url, ns, clock: systemClock, schedule }),
  }));
});
