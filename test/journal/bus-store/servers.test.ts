import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Bus } from '../../../src/bus/bus.ts';
import { connectNats } from '../../../src/bus/nats/connect.ts';
import { systemClock } from '../../../src/core/clock.ts';
import type { TroupeError } from '../../../src/core/errors.ts';
import type { JournalStore, OwnedRun } from '../../../src/journal/journal.ts';
import { leaseTerms } from '../../../src/journal/lease.ts';
import type { JournalRecord } from '../../../src/journal/record.ts';
import { openBusStore } from '../../../src/journal/stores/bus-store/bus-store.ts';
import { freshNamespace, upTo } from '../../conformance/bus/under-test.ts';
import { appended, recordOf, recordsOf } from '../../conformance/journal-suite.ts';
import { eventually } from '../../support/eventually.ts';
import { natsServers, startNatsServer } from '../../support/nats-server.ts';
import type { NatsServer } from '../../support/nats-server.ts';
import { TcpProxy } from '../../support/tcp-proxy.ts';

const schedule = (fn: () => void): void => void setImmediate(fn);
const terms = leaseTerms(1_000);

/** How often the server is killed while records are appended. */
const kills = Number(process.env['TROUPE_SERVER_KILLS'] ?? 3);

const large = (seq: number, bytes: number): JournalRecord => ({
  ...(recordOf(seq) as Extract<JournalRecord, { type: 'task.succeeded' }>),
  output: 'x'.repeat(bytes),
});

/** What the lease actor does: renew, and look at every run after a doubt. */
async function keep({ lease }: JournalStore): Promise<void> {
  try {
    await lease?.renew();
    if (lease?.isDoubted()) await lease.verify();
  } catch {
    // The next time.
  }
}

describe.each(natsServers())('journals on nats-server $version', (binary) => {
  let server: NatsServer;
  let ns: string;
  let nodes: number;
  let ending: (() => Promise<void>)[];

  beforeAll(async () => {
    server = await startNatsServer({ server: binary });
  });
  afterAll(() => server.stop());
  beforeEach(() => {
    [ns, nodes, ending] = [freshNamespace(), 0, []];
  });
  afterEach(async () => {
    for (const end of ending.toReversed()) await end();
  });

  async function connected(url: string): Promise<Bus> {
    const bus = await connectNats({
      url,
      ns,
      clock: systemClock,
      schedule,
      onError: () => undefined,
      pingIntervalMs: 300,
      closeTimeoutMs: 200,
    });
    ending.push(() => bus.close());
    return bus;
  }

  /** A store of a process that renews its lease, as the lease actor would have it do. */
  async function store(url = server.url): Promise<JournalStore> {
    const bus = await connected(url);
    const made = openBusStore({
      bus,
      node: `node-${++nodes}`,
      clock: systemClock,
      schedule,
      terms,
    });
    const renewing = setInterval(() => {
      void keep(made);
    }, terms.renewMs);
    ending.push(async () => {
      clearInterval(renewing);
      await made.close();
    });
    return made;
  }

  async function proxied(): Promise<{ readonly proxy: TcpProxy; readonly journals: JournalStore }> {
    const proxy = await TcpProxy.to(server.port);
    ending.push(() => proxy.close());
    return { proxy, journals: await store(proxy.url) };
  }

  /** Appends one record after the other while it is not told to stop; gives how many were acknowledged. */
  function writer(
    run: OwnedRun,
    from = 1,
  ): { stop(): Promise<number>; readonly done: () => number } {
    let isStopped = false;
    let done = from - 1;
    const writing = (async () => {
      while (!isStopped) {
        await appended(run, [recordOf(done + 1)]);
        done++;
      }
    })();
    return {
      done: () => done,
      stop: async () => {
        isStopped = true;
        await writing;
        return done;
      },
    };
  }

  it('loses no acknowledged record, and stores none twice, when the server is killed under load', async () => {
    const journals = await store();
    const runs = await Promise.all(upTo(4).map((n) => journals.create(`run-${n}`)));
    const writers = runs.map((run) => writer(run));
    for (const kill of upTo(kills)) {
      const least = writers.map(({ done }) => done() + 5);
      await eventually(`kill ${kill}: all have written more`, () =>
        writers.every(({ done }, index) => done() >= (least[index] ?? 0)),
      );
      await server.restart('SIGKILL');
    }
    const counts = await Promise.all(writers.map((one) => one.stop()));
    const reader = await store();
    for (const [n, count] of counts.entries())
      expect(await reader.read(`run-${n}`)).toEqual(recordsOf(1, count));
  });

  it('finds out what became of an append whose answer was lost, and stores it once', async () => {
    const { proxy, journals } = await proxied();
    const run = await journals.create('run-1');
    await appended(run, [recordOf(1)]);
    proxy.mute();
    const second = appended(run, [recordOf(2)]);
    const reader = await store();
    await eventually('it is stored', async () => (await reader.read('run-1')).length === 2);
    proxy.heal();
    await second;
    await appended(run, [recordOf(3)]);
    expect(proxy.swallowed).toBeGreaterThan(0);
    expect(await reader.read('run-1')).toEqual(recordsOf(1, 3));
  });

  it('lets another process take over after a partition, and fences the old owner off', async () => {
    const { proxy, journals } = await proxied();
    const old = await journals.create('run-1');
    await appended(old, recordsOf(1, 2));
    const lost: TroupeError[] = [];
    old.onLost?.((error) => lost.push(error));
    proxy.cut();
    const stale = appended(old, [recordOf(3, 'stale')]);
    stale.catch(() => undefined);
    const other = await store();
    const taken = await other.adopt('run-1');
    expect([taken.epoch, taken.records]).toEqual([2, recordsOf(1, 2)]);
    await appended(taken, [recordOf(3)]);
    proxy.heal();
    await expect(stale).rejects.toMatchObject({ code: 'TRP_JOURNAL_FENCED' });
    expect(lost).toMatchObject([{ code: 'TRP_JOURNAL_FENCED', place: 'run-1' }]);
    expect(await other.read('run-1')).toEqual(recordsOf(1, 3));
  });

  it('tells an owner that has nothing to append that its run was taken over', async () => {
    const { proxy, journals } = await proxied();
    const old = await journals.create('run-1');
    await appended(old, [recordOf(1)]);
    const lost: TroupeError[] = [];
    old.onLost?.((error) => lost.push(error));
    proxy.cut();
    const other = await store();
    await other.adopt('run-1');
    let isSure = false;
    expect(old.inDoubt?.(() => (isSure = true))).toBe(true);
    proxy.heal();
    await eventually('it is told', () => lost.length > 0);
    expect(isSure).toBe(false);
    expect(old.inDoubt?.(() => undefined)).toBe(true);
  });

  it('lets an owner go on after a partition in which nobody took over', async () => {
    const { proxy, journals } = await proxied();
    const run = await journals.create('run-1');
    await appended(run, [recordOf(1)]);
    proxy.cut();
    await eventually('it doubts', () => journals.lease?.isDoubted() === true);
    let isSure = false;
    expect(run.inDoubt?.(() => (isSure = true))).toBe(true);
    proxy.heal();
    await eventually('it is sure', () => isSure);
    await appended(run, [recordOf(2)]);
    expect(await journals.read('run-1')).toEqual(recordsOf(1, 2));
  });

  it('refuses to take a run whose owner is alive, however long one looks', async () => {
    const [first, second] = [await store(), await store()];
    await first.create('run-1');
    await expect(second.adopt('run-1')).rejects.toMatchObject({ code: 'TRP_RUN_OWNED' });
    expect(await second.list()).toEqual([{ run: 'run-1', owner: first.node }]);
    expect(await second.orphans?.()).toEqual([]);
  });

  it('lets one of many have a run that was left, and none twice', async () => {
    const first = await store();
    const run = await first.create('run-1');
    await appended(run, [recordOf(1)]);
    await run.release();
    const others = await Promise.all(upTo(6).map(() => store()));
    const ends = await Promise.allSettled(others.map((other) => other.adopt('run-1')));
    const winners = ends.filter(({ status }) => status === 'fulfilled');
    expect(winners).toHaveLength(1);
  });

  it('names runs without an owner: those that were left, and those whose process has died', async () => {
    const { proxy, journals } = await proxied();
    for (const id of ['dead', 'left', 'ended']) {
      const run = await journals.create(id);
      await appended(run, [recordOf(1)]);
      if (id === 'ended') {
        const end = { type: 'run.ended', outcome: 'succeeded', reason: 'completed', outputs: null };
        await appended(run, [{ seq: 2, at: 1, ...end } as unknown as JournalRecord]);
      }
      if (id !== 'dead') await run.release();
    }
    const other = await store();
    expect(await other.orphans?.()).toEqual(['left']);
    proxy.cut();
    await eventually('the sign of life is old', async () => {
      return JSON.stringify(await other.orphans?.()) === '["dead","left"]';
    });
    proxy.heal();
  });

  it('keeps what is too large for a message, also when the server takes less than usual', async () => {
    const journals = await store();
    const run = await journals.create('run-1');
    const records = [recordOf(1), large(2, 700_000), large(3, 3_000_000), recordOf(4)];
    await Promise.all(records.map((record) => appended(run, [record])));
    expect(await (await store()).read('run-1')).toEqual(records);
  });

  it('follows a run record by record, from its beginning', async () => {
    const journals = await store();
    const run = await journals.create('run-1');
    await appended(run, recordsOf(1, 3));
    const seen: JournalRecord[] = [];
    const following = await journals.follow?.('run-1', (records) => seen.push(...records));
    await appended(run, [large(4, 2_000_000)]);
    await appended(run, [recordOf(5)]);
    await eventually('all are seen', () => seen.length === 5);
    following?.stop();
    expect(seen.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5]);
  });

  it('removes a run whole, and no other', async () => {
    const journals = await store();
    for (const id of ['run-1', 'run-2']) {
      const run = await journals.create(id);
      await appended(run, [large(1, 2_000_000)]);
      if (id === 'run-2') continue;
      await expect((await store()).delete?.(id)).rejects.toMatchObject({ code: 'TRP_RUN_OWNED' });
      await run.release();
    }
    await journals.delete?.('run-1');
    await expect(journals.read('run-1')).rejects.toMatchObject({ code: 'TRP_RUN_NOT_FOUND' });
    expect(await journals.list()).toEqual([{ run: 'run-2', owner: journals.node }]);
    expect(await journals.read('run-2')).toHaveLength(1);
    expect(await (await (await connected(server.url)).blobs('journal')).list()).toHaveLength(1);
  });
});
