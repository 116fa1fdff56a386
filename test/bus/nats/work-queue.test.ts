import { expect, test } from 'vitest';
import type { NatsLink } from '../../../src/bus/nats/link.ts';
import { createWorkQueues } from '../../../src/bus/nats/work-queue.ts';
import { encode } from '../../../src/bus/codec.ts';
import type { WorkItem, WorkQueue, WorkQueueOptions } from '../../../src/bus/work-queue.ts';
import { TroupeError } from '../../../src/core/errors.ts';
import { eventually } from '../../support/eventually.ts';
import { onEveryServer, rejectsWith } from './support/bench.ts';
import type { Bench } from './support/bench.ts';
import { loseAnswers } from './support/lost-answers.ts';
import { untilDone } from './support/until-done.ts';
import { silentWorker } from './support/worker-process.ts';

async function queueOf(
  bench: Bench,
  options?: WorkQueueOptions,
  link?: NatsLink,
): Promise<WorkQueue> {
  const queues = createWorkQueues(link ?? (await bench.link()));
  bench.after(() => queues.close());
  return queues.open('pool', options);
}

async function pulled(queue: WorkQueue): Promise<WorkItem> {
  const item = await queue.pull({ waitMs: 20_000 });
  if (!item) throw new Error('The queue gave nothing.');
  return item;
}

async function api<T>(link: NatsLink, subject: string, body?: object): Promise<T> {
  const data = new TextEncoder().encode(body ? JSON.stringify(body) : '');
  return (await link.request({ subject: `$JS.API.${subject}`, data })).json<T>();
}

onEveryServer('The work queue', (bench) => {
  test('adds once when answers are lost, and knows its own addition', async () => {
    const lossy = loseAnswers(await bench.link(), (subject) => subject.endsWith('.pool.p2'));
    const queue = await queueOf(bench, {}, lossy);
    expect(await queue.add('x', { id: 'a' })).toEqual({ duplicate: false });
    expect(lossy.lost).toBe(1);
    expect(await queue.add('y', { id: 'a' })).toEqual({ duplicate: true });
    await (await pulled(queue)).ack();
    expect(await queue.pull()).toBeUndefined();
  });

  test('does not add again what was done while the answer was lost and the server restarted', async () => {
    const worker = await queueOf(bench);
    const link = await bench.link();
    const lossy = loseAnswers(
      link,
      (subject) => subject.endsWith('.pool.p2'),
      async () => {
        const item = await pulled(worker);
        await item.ack();
        await bench.server.restart();
      },
    );
    const queue = await queueOf(bench, {}, lossy);
    await untilDone(() => queue.add('x', { id: 'a' }));
    expect(lossy.lost).toBe(1);
    expect(await untilDone(() => worker.pull())).toBeUndefined();
  });

  test.each(['hold', 'JS.ACK'])('settles once when answers on %s are lost', async (part) => {
    const lossy = loseAnswers(await bench.link(), (subject) => subject.includes(part));
    const queue = await queueOf(bench, { maxInFlight: 1, ackWaitMs: 10_000 }, lossy);
    await queue.add('x', { id: 'a' });
    await (await pulled(queue)).nak();
    const again = await pulled(queue);
    expect(again.deliveries).toBe(2);
    await again.inProgress();
    await again.term('bad');
    expect(lossy.lost).toBeGreaterThan(2);
    expect(await queue.deadLetters()).toMatchObject([{ id: 'a', reason: 'bad', deliveries: 2 }]);
    await rejectsWith('TRP_BUS_NOT_HELD', again.ack());
    await queue.add('y', { id: 'b' });
    await (await pulled(queue)).ack();
    const { inFlight } = await queue.depth();
    expect(inFlight).toBe(0);
  });

  test('gives an item of a killed process to another', async () => {
    const queue = await queueOf(bench, { ackWaitMs: 1_500, maxInFlight: 1 });
    await queue.add('x', { id: 'a' });
    const worker = await silentWorker(bench.server.url, bench.ns, 'pool');
    worker.kill('SIGKILL');
    expect(await queue.pull()).toBeUndefined();
    const item = await pulled(queue);
    expect([item.id, item.deliveries]).toEqual(['a', 2]);
    await item.ack();
  });

  test('lets only one of two processes hold a permit for the last place', async () => {
    const one = await queueOf(bench, { maxInFlight: 3 });
    const two = await queueOf(bench);
    for (let n = 0; n < 12; n++) await one.add(n, { id: String(n), level: n % 2 ? 'p0' : 'p3' });
    let [held, most] = [0, 0];
    const work = async (queue: WorkQueue): Promise<number> => {
      for (let done = 0; ; done++) {
        const item = await queue.pull({ waitMs: 400 });
        if (!item) return done;
        most = Math.max(most, ++held);
        await new Promise((resolve) => setTimeout(resolve, 10));
        held--;
        await item.ack();
      }
    };
    const done = await Promise.all([one, two, one, two, one].map(work));
    expect(done.reduce((sum, n) => sum + n, 0)).toBe(12);
    expect(most).toBe(3);
  });

  test('does not give back a permit that is with somebody else by now', async () => {
    const queue = await queueOf(bench, { maxInFlight: 1, ackWaitMs: 1_000, maxDeliveries: 50 });
    await queue.add('slow', { id: 'slow', level: 'p3' });
    const slow = await pulled(queue);
    await queue.add('next', { id: 'next', level: 'p0' });
    const next = await pulled(queue);
    expect(next.id).toBe('next');
    // Late, but nobody else has been given it.
    await slow.ack();
    await queue.add('third', { id: 'third', level: 'p0' });
    expect(await queue.pull()).toBeUndefined();
    await next.ack();
    expect((await pulled(queue)).id).toBe('third');
  });

  test('knows after kill -9 who had what and what was done, though the server forgets both', async () => {
    const before = await queueOf(bench, { ackWaitMs: 1_000, maxDeliveries: 50 });
    const after = await queueOf(bench);
    const done = new Set<string>();
    for (let round = 0; round < 3; round++) {
      for (let n = 0; n < 60; n++) await before.add(n, { id: `${round}/${n}` });
      const held = new Map<string, WorkItem>();
      while (held.size + done.size < 60 * (round + 1)) {
        const item = await pulled(before);
        // On a slow machine an item comes again before the server is killed.
        if (held.has(item.id) || held.size < 30) held.set(item.id, item);
        else await item.ack().then(() => done.add(item.id));
      }
      await bench.server.restart();
      while (held.size > 0) {
        const item = await untilDone(() => pulled(after));
        expect(done).not.toContain(item.id);
        const former = held.get(item.id) as WorkItem;
        await rejectsWith(
          'TRP_BUS_NOT_HELD',
          untilDone(() => former.ack()),
        );
        await untilDone(() => item.ack());
        held.delete(item.id);
        done.add(item.id);
      }
      expect(await untilDone(() => after.pull())).toBeUndefined();
    }
    expect(done.size).toBe(180);
  });

  test('ends what was written down as done or dead, and never hands it out again', async () => {
    const link = await bench.link();
    // The worker dies after it has written down what is to become of the item, and before it says so to the server.
    const halfway = await queueOf(
      bench,
      { ackWaitMs: 400 },
      refuse(
        link,
        (subject, data) =>
          subject.startsWith('$JS.ACK.') && subject.includes('_WORK.') && /ACK|TERM/.test(data),
      ),
    );
    await halfway.add('done', { id: 'done', level: 'p0' });
    await halfway.add('dead', { id: 'dead', level: 'p1', headers: { H: '1' } });
    const [done, dead] = [await pulled(halfway), await pulled(halfway)];
    await rejectsWith('TRP_BUS_DENIED', done.ack());
    await rejectsWith('TRP_BUS_DENIED', dead.term('bad'));
    const queue = await queueOf(bench);
    expect(await queue.pull({ waitMs: 900 })).toBeUndefined();
    expect(await queue.deadLetters()).toMatchObject([
      { id: 'dead', reason: 'bad', headers: { H: '1' }, payload: 'dead' },
    ]);
    await eventually('nothing is left', async () => {
      const { state } = await api<{ state: { messages: number } }>(
        link,
        `STREAM.INFO.TROUPE_${bench.ns}_WORK`,
      );
      return state.messages === 0;
    });
  });

  test('repeats a settlement that was cut off where it was', async () => {
    const link = await bench.link();
    let refusing = true;
    const queue = await queueOf(
      bench,
      {},
      refuse(
        link,
        (subject, data) => refusing && subject.startsWith('$JS.ACK.') && data === '+ACK',
      ),
    );
    await queue.add('x', { id: 'a' });
    const item = await pulled(queue);
    await rejectsWith('TRP_BUS_DENIED', item.ack());
    refusing = false;
    await item.ack();
    await rejectsWith('TRP_BUS_NOT_HELD', item.ack());
    expect((await queue.depth()).inFlight).toBe(0);
  });

  test('buries what cannot be read, with the bytes as they are', async () => {
    const queue = await queueOf(bench);
    const link = await bench.link();
    const subject = `troupe.v1.${bench.ns}.work.pool.p2`;
    await link.request({ subject, data: Uint8Array.of(0xc1) });
    await link.request({ subject, data: encode({ foreign: true }) });
    const item = await pulled(queue);
    expect(item.payload).toEqual({ foreign: true });
    const [letter] = await queue.deadLetters();
    expect(letter?.payload).toEqual(Uint8Array.of(0xc1));
    expect(letter?.reason).toMatch(/read/);
  });

  test('gives back at once what arrives for a pull that is gone', async () => {
    const queue = await queueOf(bench, { ackWaitMs: 60_000, maxDeliveries: 1_000 });
    const counts: number[] = [];
    for (let n = 0; n < 30; n++) {
      const abort = new AbortController();
      const waiting = queue.pull({ waitMs: 30_000, signal: abort.signal });
      await new Promise((resolve) => setTimeout(resolve, n % 7));
      const adding = queue.add(n, { id: String(n) });
      await new Promise((resolve) => setTimeout(resolve, n % 3));
      abort.abort();
      const item = (await waiting) ?? (await pulled(queue));
      await adding;
      counts.push(item.payload as number);
      await item.ack();
    }
    expect(counts).toEqual(Array.from({ length: 30 }, (_, n) => n));
  });

  test('gives items of several levels that come at once to those who wait, and leaves none to its ack wait', async () => {
    const options = { ackWaitMs: 120_000, maxDeliveries: 1_000 };
    const [adder, ...pullers] = [
      await queueOf(bench, options),
      await queueOf(bench, options),
      await queueOf(bench, options),
    ];
    const levels = ['p0', 'p2', 'p2', 'p3', 'p3'] as const;
    for (let round = 0; round < 25; round++) {
      const got: string[] = [];
      const work = async (queue: WorkQueue): Promise<void> => {
        while (got.length < levels.length) {
          const item = await queue.pull({ waitMs: 20_000, signal: isOver.signal });
          if (!item) continue;
          got.push(item.level);
          await item.ack();
          if (got.length === levels.length) isOver.abort();
        }
      };
      const isOver = new AbortController();
      const working = Promise.all(pullers.map(work));
      await new Promise((resolve) => setTimeout(resolve, 20));
      await Promise.all(levels.map((level, n) => adder?.add(null, { id: `${round}/${n}`, level })));
      await working;
      expect(got.toSorted()).toEqual(levels);
    }
  });

  test('is opened by many at the same moment, where nothing of it is there yet', async () => {
    const links = [];
    for (let n = 0; n < 6; n++) links.push(await bench.link());
    const queues = await Promise.all(links.map((link) => queueOf(bench, {}, link)));
    await queues[0]?.add('x', { id: 'a' });
    expect(await (queues[1] as WorkQueue).pull({ waitMs: 20_000 })).toMatchObject({ id: 'a' });
  });

  test('sends next to nothing while it waits, and nothing when it is closed', async () => {
    const link = await bench.link();
    const queues = createWorkQueues(link);
    const queue = await queues.open('pool', { ackWaitMs: 30_000 });
    await queue.add('x', { id: 'a' });
    await (await pulled(queue)).ack();
    const waiting = queue.pull({ waitMs: 20_000 });
    const sent = (): number => link.connection.stats().outMsgs;
    let [before, quiet] = [sent(), 0];
    await eventually('the pull waits', () => {
      quiet = before === sent() ? quiet + 1 : 0;
      before = sent();
      return quiet > 20;
    });
    const closing = rejectsWith('TRP_BUS_CLOSED', waiting);
    await queues.close();
    await closing;
    await rejectsWith('TRP_BUS_CLOSED', queue.pull());
  });

  test('goes on waiting over a restart, and gets what is added then', async () => {
    const worker = await queueOf(bench);
    const queue = await queueOf(bench);
    const waiting = worker.pull({ waitMs: 25_000 });
    await bench.server.restart();
    await untilDone(() => queue.add('x', { id: 'a' }));
    const item = await waiting;
    expect(item?.payload).toBe('x');
    await item?.ack();
  });

  test('says what differs when a stream of its name is something else', async () => {
    const link = await bench.link();
    const name = `TROUPE_${bench.ns}_WORK`;
    await api(link, `STREAM.CREATE.${name}`, { name, subjects: [`other.${bench.ns}`] });
    await expect(queueOf(bench)).rejects.toMatchObject({
      code: 'TRP_BUS_SERVER',
      place: name,
      message: expect.stringContaining('subjects') as string,
    });
  });

  test('keeps the settings that a pool was made with, and widens the window for ids', async () => {
    const link = await bench.link();
    await queueOf(bench, { dedupeWindowMs: 1_000, maxDeliveries: 1 });
    const queues = createWorkQueues(link);
    await queues.open('other', { dedupeWindowMs: 300_000 });
    const { config } = await api<{ config: { duplicate_window: number } }>(
      link,
      `STREAM.INFO.TROUPE_${bench.ns}_WORK`,
    );
    expect(config.duplicate_window).toBe(300_000 * 1_000_000);
    await queues.close();
    await rejectsWith('TRP_OPTION_INVALID', queueOf(bench, { maxInFlight: 0 }));
  });
});

/** A link whose user may not do some things. */
function refuse(link: NatsLink, denies: (subject: string, data: string) => boolean): NatsLink {
  const request: NatsLink['request'] = (raw) =>
    denies(raw.subject, Buffer.from(raw.data).toString())
      ? Promise.reject(new TroupeError('TRP_BUS_DENIED', 'Not this user.'))
      : link.request(raw);
  return new Proxy(link, {
    get: (target, name) => {
      if (name === 'request') return request;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
