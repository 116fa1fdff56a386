import { expect, test } from 'vitest';
import type { EventLog, LogEntry } from '../../../src/bus/event-log.ts';
import { createEventLogs } from '../../../src/bus/nats/event-log.ts';
import { eventually } from '../../support/eventually.ts';
import { onEveryServer, rejectsWith } from './support/bench.ts';
import type { Bench } from './support/bench.ts';
import { loseAnswers } from './support/lost-answers.ts';
import { untilDone } from './support/until-done.ts';

async function logOf(bench: Bench, name = 'a'): Promise<EventLog> {
  const logs = createEventLogs(await bench.link());
  bench.after(() => logs.close());
  return logs.open('jrn', name);
}

async function all(log: EventLog, from?: number): Promise<LogEntry[]> {
  const entries: LogEntry[] = [];
  for await (const entry of log.read(from === undefined ? {} : { from })) entries.push(entry);
  return entries;
}

onEveryServer('The event log', (bench) => {
  test('gives back what was appended, in order, with headers and operation', async () => {
    const log = await logOf(bench);
    const payload = { n: 1, bytes: Uint8Array.of(1, 2), text: 'ä\n', deep: [{ a: null }] };
    const headers = { 'Troupe-Op': 'mine', 'Nats-Msg-Id': 'mine too', plain: ' spaced ' };
    const first = await log.append(payload, { op: 'op/ä 1', headers });
    const second = await log.append('two');
    expect(second).toBeGreaterThan(first);
    const [one, two] = await all(log);
    expect(one).toEqual({ seq: first, payload, headers, op: 'op/ä 1' });
    expect(two).toEqual({ seq: second, payload: 'two', headers: {}, op: '' });
    expect(Object.isFrozen(one?.payload)).toBe(true);
    expect(await log.lastSeq()).toBe(second);
    expect((await all(log, second)).map(({ payload: p }) => p)).toEqual(['two']);
    expect(await all(log, second + 1)).toEqual([]);
  });

  test('keeps logs of one kind apart, and is empty after a purge while numbers go on', async () => {
    const log = await logOf(bench);
    const other = await logOf(bench, 'b.c');
    await other.append('other');
    const last = await log.append('gone');
    await log.purge();
    expect(await log.lastSeq()).toBe(0);
    expect(await all(log)).toEqual([]);
    expect(await log.append('new', { expectedSeq: 0 })).toBeGreaterThan(last);
    expect((await all(other)).map(({ payload }) => payload)).toEqual(['other']);
  });

  test('refuses an append behind anything but the last entry, and knows a repeated one', async () => {
    const log = await logOf(bench);
    const first = await log.append(1, { expectedSeq: 0, op: 'a' });
    await rejectsWith('TRP_BUS_CONFLICT', log.append(1, { expectedSeq: 0 }));
    await rejectsWith('TRP_BUS_CONFLICT', log.append(1, { expectedSeq: 0, op: 'b' }));
    await rejectsWith('TRP_BUS_CONFLICT', log.append(1, { expectedSeq: first + 5, op: 'a' }));
    await log.append(2, { expectedSeq: first });
    expect(await log.append(1, { expectedSeq: 0, op: 'a' })).toBe(first);
    expect(await all(log)).toHaveLength(2);
  });

  test('reads more than a server sends without being told to go on', async () => {
    const log = await logOf(bench);
    const blob = new Uint8Array(200_000);
    for (let n = 0; n < 120; n++) await log.append({ n, blob });
    const seen: unknown[] = [];
    for await (const { payload } of log.read()) {
      seen.push((payload as { n: number }).n);
      if (seen.length === 1) await new Promise((resolve) => setTimeout(resolve, 300));
    }
    expect(seen).toEqual(Array.from({ length: 120 }, (_, n) => n));
    for await (const entry of log.read()) {
      expect(entry.seq).toBeGreaterThan(0);
      break;
    }
  });

  test('says once that a follower has caught up, also in an empty log', async () => {
    const log = await logOf(bench);
    let empty = 0;
    const first = await log.follow(() => undefined, { caughtUp: () => empty++ });
    await eventually('the empty log is caught up', () => empty === 1);
    first.stop();
    for (let n = 0; n < 50; n++) await log.append(n);
    const told: unknown[] = [];
    const following = await log.follow(({ payload }) => told.push(payload), {
      caughtUp: () => told.push('caught up'),
    });
    await eventually('all is told', () => told.length === 51);
    await log.append('live');
    await eventually('the live entry is told', () => told.length === 52);
    expect(told.slice(49)).toEqual([49, 'caught up', 'live']);
    following.stop();
    await log.append('unheard');
    await log.append('unheard');
    expect(told).toHaveLength(52);
    expect(empty).toBe(1);
  });

  test('removes the consumers of its readings', async () => {
    const log = await logOf(bench);
    const link = await bench.link();
    await log.append(1);
    const following = await log.follow(() => undefined);
    await all(log);
    following.stop();
    await eventually('no consumer is left', async () => {
      const subject = `$JS.API.CONSUMER.NAMES.TROUPE_${bench.ns}_JRN`;
      const answer = await link.request({ subject, data: new Uint8Array() });
      const { consumers } = answer.json<{ consumers: string[] | null }>();
      return (consumers ?? []).length === 0;
    });
  });

  test('refuses a stream that would let entries age, and says so where there are too few servers', async () => {
    const link = await bench.link();
    const name = `TROUPE_${bench.ns}_CFL`;
    const subjects = [`troupe.v1.${bench.ns}.cfl.*`];
    const data = Buffer.from(JSON.stringify({ name, subjects, max_age: 1e12 }));
    await link.request({ subject: `$JS.API.STREAM.CREATE.${name}`, data });
    await expect(createEventLogs(link).open('cfl', 'a')).rejects.toMatchObject({
      code: 'TRP_BUS_SERVER',
      message: expect.stringContaining('max_age') as string,
    });
    const replicated = createEventLogs(link, { replicas: 3 });
    await rejectsWith('TRP_BUS_SERVER', replicated.open('res', 'a'));
    expect(() => createEventLogs(link, { replicas: 0 })).toThrow(/replicas is 0/);
  });

  test.each(['with', 'without'])(
    'stores once when answers are lost, %s expectation',
    async (kind) => {
      const link = await bench.link();
      const lossy = loseAnswers(link, (subject) => subject.includes('.jrn.'));
      const log = await createEventLogs(lossy).open('jrn', 'a');
      let last = 0;
      for (let n = 0; n < 2; n++) {
        const expected = kind === 'with' ? { expectedSeq: last } : {};
        last = await log.append(n, expected);
      }
      expect(lossy.lost).toBe(2);
      expect((await all(log)).map(({ payload }) => payload)).toEqual([0, 1]);
      expect(await log.lastSeq()).toBe(last);
    },
  );

  test('loses and doubles nothing over kill -9 with eight writers and a follower', async () => {
    const writers = 8;
    const perWriter = 60;
    const follower = await logOf(bench, 'shared');
    const followed: string[] = [];
    let caughtUp = 0;
    await follower.follow(({ payload }) => followed.push(payload as string), {
      caughtUp: () => caughtUp++,
    });
    const acknowledged = new Set<string>();
    const write = async (writer: number): Promise<void> => {
      const log = await logOf(bench, 'shared');
      const own = await logOf(bench, `own-${writer}`);
      let last = 0;
      for (let n = 0; n < perWriter; n++) {
        const text = `${writer}:${n}`;
        await untilDone(() => log.append(text));
        acknowledged.add(text);
        const expectedSeq = last;
        last = await untilDone(() => own.append(n, { expectedSeq, op: text }));
      }
    };
    const restarts = (async () => {
      for (const share of [0.2, 0.5, 0.8]) {
        await eventually(
          'the writers get on',
          () => acknowledged.size > share * writers * perWriter,
        );
        await bench.server.restart();
      }
    })();
    await Promise.all([restarts, ...Array.from({ length: writers }, (_, w) => write(w))]);
    const stored = (await all(follower)).map(({ payload }) => payload as string);
    expect(stored.filter((text) => acknowledged.has(text))).toHaveLength(writers * perWriter);
    await eventually('the follower has everything', () => followed.length >= stored.length);
    expect(followed).toEqual(stored);
    expect(caughtUp).toBe(1);
    for (let writer = 0; writer < writers; writer++) {
      const own = await all(await logOf(bench, `own-${writer}`));
      expect(own.map(({ payload }) => payload)).toEqual(
        Array.from({ length: perWriter }, (_, n) => n),
      );
    }
  });
});
