import { connect } from 'nats';
import type { NatsConnection } from 'nats';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Bus, BusMessage, BusStatus } from '../../../src/bus/bus.ts';
import { encodeJson } from '../../../src/bus/json-codec.ts';
import { connectNats } from '../../../src/bus/nats/connect.ts';
import type { NatsBusOptions } from '../../../src/bus/nats/connect.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { eventually } from '../../support/eventually.ts';
import { natsServers, startNatsServer } from '../../support/nats-server.ts';
import type { NatsServer } from '../../support/nats-server.ts';

const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

describe.each(natsServers())('a bus on nats-server $version', (version) => {
  let server: NatsServer;
  let bus: Bus;
  let raw: NatsConnection;
  let errors: { error: unknown; place: string }[];
  let statuses: BusStatus[];
  let opened: Bus[];

  const open = async (options: Partial<NatsBusOptions> = {}): Promise<Bus> => {
    const made = await connectNats({
      url: server.url,
      clock: systemClock,
      schedule: setImmediate,
      closeTimeoutMs: 1_000,
      onError: (error, place) => errors.push({ error, place }),
      ...options,
    });
    opened.push(made);
    return made;
  };
  const codes = (): unknown[] => errors.map(({ error }) => (error as { code?: string }).code);
  const listen = (on: Bus, pattern: string): BusMessage[] => {
    const got: BusMessage[] = [];
    on.subscribe(pattern, (message) => void got.push(message));
    return got;
  };
  const reaches = (state: BusStatus['state']): Promise<void> =>
    eventually(`the bus is ${state}`, () => statuses.at(-1)?.state === state);

  beforeEach(async () => {
    [errors, statuses, opened] = [[], [], []];
    server = await startNatsServer({ server: version });
    raw = await connect({ servers: server.url, maxReconnectAttempts: -1, reconnectTimeWait: 50 });
    bus = await open();
    bus.onStatus((status) => statuses.push(status));
  });
  afterEach(async () => {
    await raw.close();
    for (const each of opened) await each.close();
    await server.stop();
  });

  it('keeps what is published during an outage, and sends it in order, once', async () => {
    const got = listen(bus, 'a.>');
    await bus.flush();
    bus.publish('a.first', -1);
    await bus.flush();
    await server.kill();
    await reaches('disconnected');
    for (const n of upTo(2_000)) bus.publish(`a.${n % 3}`, n, { headers: { N: String(n) } });
    await server.start();
    await bus.flush();
    expect(got.map(({ payload }) => payload)).toEqual([-1, ...upTo(2_000)]);
    expect(got.at(-1)?.headers).toEqual({ N: '1999' });
    expect(statuses.map(({ state }) => state)).toEqual(['disconnected', 'connected']);
  });

  it('loses and doubles nothing but what it names uncertain while servers die under it', async () => {
    const got = listen(bus, 'n');
    await bus.flush();
    let sent = 0;
    for (let round = 0; round < 3; round++) {
      const dying = server.kill();
      for (let turn = 0; turn < 50; turn++) {
        for (let n = 0; n < 20; n++) bus.publish('n', sent++);
        await new Promise(setImmediate);
      }
      await dying;
      await server.start();
      await bus.flush();
      await reaches('connected');
    }
    bus.publish('n', sent++);
    await bus.flush();
    const seen = got.map(({ payload }) => payload as number);
    expect(seen).toEqual([...new Set(seen)].sort((a, b) => a - b));
    const uncertain = statuses.reduce((sum, status) => sum + status.uncertain, 0);
    // What reached the server may still not have come back before it died, which only the receiver can miss.
    expect(sent - seen.length).toBeLessThanOrEqual(uncertain);
    expect(seen.at(-1)).toBe(sent - 1);
  });

  it('counts nothing as uncertain that the server has confirmed', async () => {
    for (const n of upTo(100)) bus.publish('n', n);
    await bus.flush();
    await server.kill();
    await reaches('disconnected');
    expect(statuses[0]?.uncertain).toBe(0);
  });

  it('counts what the server has not confirmed as uncertain', async () => {
    server.signal('SIGSTOP');
    for (const n of upTo(7)) bus.publish('n', n);
    await server.kill();
    await reaches('disconnected');
    expect(statuses[0]?.uncertain).toBe(7);
  });

  it('refuses more than the outbox holds, and sends what it took', async () => {
    const small = await open({ outboxBytes: 10_000 });
    const got = listen(small, 'big');
    await small.flush();
    const lost = new Promise<void>((resolve) => void small.onStatus(() => resolve()));
    await server.kill();
    await lost;
    let taken = 0;
    const fill = (): void => {
      for (;;) {
        small.publish('big', 'x'.repeat(1_000));
        taken++;
      }
    };
    expect(fill).toThrow(expect.objectContaining({ code: 'TRP_BUS_FULL' }) as Error);
    expect(taken).toBeGreaterThan(5);
    await server.start();
    await small.flush();
    expect(got).toHaveLength(taken);
  });

  it('takes subscriptions and their ends during an outage', async () => {
    const before: unknown[] = [];
    const subscription = bus.subscribe('a', ({ payload }) => void before.push(payload));
    await bus.flush();
    await server.kill();
    await reaches('disconnected');
    subscription.unsubscribe();
    const after = listen(bus, 'a');
    await server.start();
    await reaches('connected');
    await bus.flush();
    bus.publish('a', 1);
    await bus.flush();
    expect([before, after.map(({ payload }) => payload)]).toEqual([[], [1]]);
  });

  it('takes no messages from its queue group any more once it has left', async () => {
    const other = await open();
    const got: unknown[] = [];
    other.subscribe('w', ({ payload }) => void got.push(payload), { queue: 'g' });
    const leaving = bus.subscribe('w', () => undefined, { queue: 'g' });
    await Promise.all([bus.flush(), other.flush()]);
    leaving.unsubscribe();
    for (const n of upTo(50)) bus.publish('w', n);
    await eventually('all come to who stayed', () => got.length === 50);
    expect(got).toEqual(upTo(50));
  });

  it('notices a server that hangs, even with more written than it takes', async () => {
    const impatient = await open({ pingIntervalMs: 50 });
    const status = new Promise<BusStatus>((resolve) => void impatient.onStatus(resolve));
    server.signal('SIGSTOP');
    for (const n of upTo(40)) impatient.publish(`big.${n}`, 'x'.repeat(1_000_000));
    expect(await status).toMatchObject({ state: 'disconnected', uncertain: 40 });
    server.signal('SIGCONT');
    await impatient.flush();
    expect(impatient.state).toBe('connected');
  });

  it('reports bytes that no bus wrote, and goes on', async () => {
    const got = listen(bus, 'a.>');
    await bus.flush();
    for (const bytes of ['', 'not MessagePack', '\u0091', '{"a":1}'])
      raw.publish('a.b', new Uint8Array(Buffer.from(bytes, 'latin1')));
    raw.publish('a.b', Uint8Array.of(0x81, 0xa1, 0x61, 0x01));
    await eventually('the last one arrives', () => got.length === 1);
    expect(got[0]?.payload).toEqual({ a: 1 });
    expect(codes()).toEqual(Array.from({ length: 4 }, () => 'TRP_BUS_PAYLOAD'));
    expect(new Set(errors.map(({ place }) => place))).toEqual(new Set(['a.b']));
  });

  it('reads the values of a bucket that its server republishes, and passes its deletions over', async () => {
    const kv = await raw.jetstream().views.kv('mem', {
      republish: { src: '>', dest: 'troupe.v1.default.mem.>' },
    });
    const got = listen(bus, 'troupe.v1.default.mem.>');
    await bus.flush();
    const value = { list: [1, 'two'], bytes: Uint8Array.of(1, 2) };
    await kv.put('run.key', encodeJson(value));
    await kv.put('run.key', encodeJson(5));
    await kv.delete('run.key');
    await kv.put('run.other', encodeJson(null));
    await eventually('they arrive', () => got.length === 3);
    expect(got.map(({ payload }) => payload)).toEqual([value, 5, null]);
    expect(errors).toEqual([]);
  });

  it('hears everything without tripping over what clients and servers say to each other', async () => {
    const got = listen(bus, '>');
    await bus.flush();
    await raw.request('$JS.API.INFO');
    bus.publish('a', 1);
    await eventually('the message arrives', () => got.length === 1);
    await bus.flush();
    expect([got.map(({ subject }) => subject), errors]).toEqual([['a'], []]);
  });

  it('drops what a slow handler leaves waiting, and counts it', async () => {
    const seen: number[] = [];
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const subscription = bus.subscribe(
      'a',
      async ({ payload }) => {
        seen.push(payload as number);
        await held;
      },
      { sequential: true, maxPending: 10 },
    );
    await bus.flush();
    for (const n of upTo(100)) bus.publish('a', n);
    await bus.flush();
    expect(seen).toEqual([0]);
    // One more is taken when the first was handed over before the last came.
    expect([89, 90]).toContain(subscription.dropped);
    release();
    await eventually('the rest comes', () => seen.length + subscription.dropped === 100);
    expect(seen.slice(0, 10)).toEqual(upTo(10));
  });

  it('takes a burst that comes faster than turns of the event loop, without dropping', async () => {
    let seen = 0;
    const subscription = bus.subscribe('a', () => void seen++, { maxPending: 50_000 });
    await bus.flush();
    const data = Uint8Array.of(1);
    for (let n = 0; n < 200_000; n += 1_000) {
      for (let k = 0; k < 1_000; k++) raw.publish('a', data);
      await raw.flush();
    }
    await eventually('all came', () => seen + subscription.dropped === 200_000);
    expect(subscription.dropped).toBe(0);
  });

  it.each(['a\r\nPUB b 0\r\n\r\n', 'a b', 'a.>'])(
    'writes nothing to the server for the subject %j',
    async (subject) => {
      const got = listen(bus, '>');
      await bus.flush();
      expect(() => bus.publish(subject, 1)).toThrow(
        expect.objectContaining({ code: 'TRP_BUS_SUBJECT' }) as Error,
      );
      await expect(bus.request(subject, 1)).rejects.toMatchObject({ code: 'TRP_BUS_SUBJECT' });
      await bus.flush();
      expect(got).toEqual([]);
    },
  );

  it('works without JetStream, but for what lives on it', async () => {
    const bare = await startNatsServer({ server: version, jetStream: false });
    try {
      const poor = await open({ url: bare.url });
      poor.subscribe('echo', (message) => message.respond(message.payload));
      expect(await poor.request('echo', 1)).toBe(1);
      const parts = [poor.keys('k'), poor.log('jrn', 'l'), poor.workQueue('q'), poor.blobs()];
      for (const outcome of await Promise.allSettled(parts))
        expect(outcome).toMatchObject({
          reason: {
            code: 'TRP_BUS_SERVER',
            hint: expect.stringContaining('JetStream') as string,
          },
        });
      await poor.close();
    } finally {
      await bare.stop();
    }
  });

  it('says that a payload is too large for this server', async () => {
    const strict = await startNatsServer({ server: version, config: 'max_payload: 1000' });
    try {
      const poor = await open({ url: strict.url });
      expect(() => poor.publish('a', 'x'.repeat(2_000))).toThrow(
        expect.objectContaining({ code: 'TRP_BUS_PAYLOAD' }) as Error,
      );
      await expect(poor.request('a', 'x'.repeat(2_000))).rejects.toMatchObject({
        code: 'TRP_BUS_PAYLOAD',
      });
      await poor.close();
    } finally {
      await strict.stop();
    }
  });

  it('delivers on close what it had, with the answers, and then lets its process go', async () => {
    const other = await open();
    const asked: Promise<unknown>[] = [];
    bus.subscribe('echo', (message) => message.respond(message.payload));
    await bus.flush();
    for (const n of upTo(50)) asked.push(other.request('echo', n));
    await other.flush();
    await bus.close();
    expect(await Promise.all(asked)).toEqual(upTo(50));
    expect([bus.state, statuses.at(-1)]).toMatchObject(['closed', { state: 'closed' }]);
  });

  it('tells on close what it could not send', async () => {
    await server.kill();
    await reaches('disconnected');
    bus.publish('a', 1);
    bus.publish('a', 2);
    const flushed = expect(bus.flush()).rejects.toMatchObject({ code: 'TRP_BUS_CLOSED' });
    await bus.close();
    await flushed;
    expect(statuses.at(-1)).toMatchObject({ state: 'closed', uncertain: 2 });
  });
});
