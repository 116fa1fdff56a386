import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Bus } from '../../src/bus/bus.ts';
import type { KeyBucket } from '../../src/bus/key-bucket.ts';
import { connectNats } from '../../src/bus/nats/connect.ts';
import { systemClock } from '../../src/core/clock.ts';
import { TroupeError } from '../../src/core/errors.ts';
import { freshNamespace, upTo } from '../conformance/bus/under-test.ts';
import { eventually } from '../support/eventually.ts';
import { natsServers, startNatsServer } from '../support/nats-server.ts';
import type { NatsServer } from '../support/nats-server.ts';

const schedule = (fn: () => void): void => void setImmediate(fn);
const writers = 8;

/** How often the server is killed while they write, and how much each of them writes. */
const kills = Number(process.env['TROUPE_SERVER_KILLS'] ?? 3);
const perWriter = 120;

/** Codes after which a call may have had its effect, or none: it is repeated. */
const transient = ['TRP_BUS_DISCONNECTED', 'TRP_BUS_TIMEOUT', 'TRP_BUS_NO_RESPONDERS'];

/** Repeats what may be repeated until it is answered. */
async function persist<T>(act: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await act();
    } catch (error) {
      if (!(error instanceof TroupeError) || !transient.includes(error.code)) throw error;
    }
  }
}

describe.each(natsServers())('a server that is killed while eight write, $version', (binary) => {
  let server: NatsServer;
  let buses: Bus[];

  beforeAll(async () => {
    server = await startNatsServer({ server: binary });
    const ns = freshNamespace();
    const onError = (): void => undefined;
    buses = await Promise.all(
      upTo(2).map(() =>
        connectNats({ url: server.url, ns, clock: systemClock, schedule, onError }),
      ),
    );
  });
  afterAll(async () => {
    await Promise.all(buses.map((bus) => bus.close()));
    await server.stop();
  });

  const busOf = (writer: number): Bus => buses[writer % 2] as Bus;

  /** Kills and restarts each time when another part of the work is done, while the rest is being done. */
  const killing = async (done: () => number, total: number): Promise<void> => {
    let early = 0;
    for (const kill of upTo(kills)) {
      const mark = ((kill + 1) * total) / (kills + 2);
      await eventually(`${mark} of ${total} are done`, () => done() >= mark);
      await server.restart('SIGKILL');
      if (done() < total) early++;
    }
    expect(early).toBeGreaterThan(0);
  };

  it('loses no acknowledged entry of a log, and appends none twice', async () => {
    const acknowledged: string[] = [];
    const write = async (writer: number): Promise<void> => {
      const log = await busOf(writer).log('jrn', `run ${writer}`);
      let last = 0;
      for (const n of upTo(perWriter)) {
        const [op, expectedSeq] = [`${writer}/${n}`, last];
        last = await persist(() => log.append(op, { op, expectedSeq }));
        acknowledged.push(op);
      }
    };
    const killer = killing(() => acknowledged.length, writers * perWriter);
    await Promise.all([...upTo(writers).map(write), killer]);
    for (const writer of upTo(writers)) {
      const stored: unknown[] = [];
      for await (const { payload } of (await busOf(writer + 1).log('jrn', `run ${writer}`)).read())
        stored.push(payload);
      expect(stored).toEqual(upTo(perWriter).map((n) => `${writer}/${n}`));
    }
  });

  it('lets one of those win who append to one log, each operation once', async () => {
    const won: string[] = [];
    const share = perWriter / 4;
    const write = async (writer: number): Promise<void> => {
      const log = await busOf(writer).log('jrn', 'shared');
      for (const n of upTo(share)) {
        const op = `${writer}/${n}`;
        for (;;) {
          const expectedSeq = await persist(() => log.lastSeq());
          if (await wins(() => log.append(op, { op, expectedSeq }))) break;
        }
        won.push(op);
      }
    };
    await Promise.all([...upTo(writers).map(write), killing(() => won.length, writers * share)]);
    const stored: string[] = [];
    for await (const { payload } of (await busOf(0).log('jrn', 'shared')).read())
      stored.push(String(payload));
    expect(stored.toSorted()).toEqual(won.toSorted());
  });

  it('loses no update of a key, and applies none twice', async () => {
    const bucket = await busOf(0).keys('mem');
    const share = perWriter / 4;
    await bucket.put('shared', []);
    let done = 0;
    const write = async (writer: number): Promise<void> => {
      const keys = await busOf(writer).keys('mem');
      for (const n of upTo(share)) {
        const op = `${writer}/${n}`;
        for (;;) {
          const entry = await persist(() => keys.get('shared'));
          const list = entry?.value as readonly string[];
          if (list.includes(op)) break;
          if (await wins(() => keys.update('shared', [...list, op], entry?.revision ?? 0))) break;
        }
        done++;
      }
    };
    await Promise.all([...upTo(writers).map(write), killing(() => done, writers * share)]);
    const list = (await bucket.get('shared'))?.value as string[];
    const all = upTo(writers).flatMap((writer) => upTo(share).map((n) => `${writer}/${n}`));
    expect(list.toSorted()).toEqual(all.toSorted());
  });

  it('hands followers and watchers each entry and change once, in order', async () => {
    const total = perWriter * 2;
    const [near, far] = [busOf(0), busOf(1)];
    const log = await near.log('jrn', 'followed');
    const keys = await near.keys('watched', { history: 64 });
    const [entries, changes]: [unknown[], unknown[]] = [[], []];
    await (await far.log('jrn', 'followed')).follow(({ payload }) => void entries.push(payload));
    await (
      await far.keys('watched')
    ).watch('>', (event) => {
      changes.push(event.type === 'ready' ? 'ready' : event.value);
    });
    let [written, revision, last] = [0, 0, 0];
    const write = async (): Promise<void> => {
      for (const n of upTo(total)) {
        const expectedSeq = last;
        last = await persist(() => log.append(n, { op: String(n), expectedSeq }));
        revision = await putAfter(keys, { key: `k${n % 5}`, value: n, revision });
        written++;
      }
    };
    await Promise.all([write(), killing(() => written, total)]);
    await eventually('the last entry is followed', () => entries.length >= total);
    await eventually('the last change is watched', () => changes.length > total);
    expect(entries).toEqual(upTo(total));
    expect(changes).toEqual(['ready', ...upTo(total)]);
  });

  it('loses no item of a queue, adds none twice, and delivers none again that was acknowledged', async () => {
    const total = writers * perWriter;
    const added = new Set<string>();
    const acknowledged: string[] = [];
    const write = async (writer: number): Promise<void> => {
      const queue = await busOf(writer).workQueue('pool', { ackWaitMs: 2_000, maxDeliveries: 100 });
      for (const n of upTo(perWriter)) {
        const id = `${writer}/${n}`;
        await persist(() => queue.add(id, { id }));
        added.add(id);
      }
    };
    const settledIds = new Set<string>();
    const redelivered: string[] = [];
    const work = async (worker: number): Promise<void> => {
      const queue = await busOf(worker).workQueue('pool', { ackWaitMs: 2_000, maxDeliveries: 100 });
      while (settledIds.size < total) {
        const item = await persist(() => queue.pull({ waitMs: 200 }));
        if (!item) continue;
        if (settledIds.has(item.id)) redelivered.push(item.id);
        try {
          await item.ack();
          settledIds.add(item.id);
          acknowledged.push(item.id);
        } catch (error) {
          // Whether the acknowledgement arrived is not known: the item may come again, or is done.
          if (!(error instanceof TroupeError)) throw error;
          unsure.add(item.id);
        }
        for (const id of unsure) if (await gone()) settledIds.add(id);
      }
    };
    const unsure = new Set<string>();
    /** True: nothing waits and nobody holds anything, so what is unsure is done. */
    const gone = async (): Promise<boolean> => {
      if (added.size < total) return false;
      const { waiting, inFlight } = await persist(async () =>
        (await busOf(0).workQueue('pool')).depth(),
      );
      return inFlight + Object.values(waiting).reduce((sum, count) => sum + count, 0) === 0;
    };
    const killer = killing(() => added.size, total);
    await Promise.all([...upTo(writers).map(write), ...upTo(4).map(work), killer]);
    expect([...settledIds].toSorted()).toEqual([...added].toSorted());
    expect(new Set(acknowledged).size).toBe(acknowledged.length);
    expect(redelivered).toEqual([]);
    expect(await (await busOf(0).workQueue('pool')).deadLetters()).toEqual([]);
  });
});

/** A put that is not repeated when it was carried out and only its answer was lost. */
async function putAfter(
  keys: KeyBucket,
  { key, value, revision }: { key: string; value: number; revision: number },
): Promise<number> {
  return persist(async () => {
    const entry = await keys.get(key);
    if (entry?.value === value && entry.revision > revision) return entry.revision;
    return entry ? keys.update(key, value, entry.revision) : keys.create(key, value);
  });
}

/** Whether a conditional write was carried out; false: another was first. */
async function wins(act: () => Promise<unknown>): Promise<boolean> {
  return persist(act).then(
    () => true,
    (error: unknown) => {
      if (error instanceof TroupeError && error.code === 'TRP_BUS_CONFLICT') return false;
      throw error;
    },
  );
}
