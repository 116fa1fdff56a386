import { decode as decodeForeign, encode } from '@msgpack/msgpack';
import { connect } from 'nats';
import type { Msg, NatsConnection } from 'nats';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Bus, BusMessage } from '../../src/bus/bus.ts';
import { bucketName } from '../../src/bus/subjects.ts';
import type { WatchEvent } from '../../src/bus/key-bucket.ts';
import { connectNats } from '../../src/bus/nats/connect.ts';
import { systemClock } from '../../src/core/clock.ts';
import { freshNamespace, rejectsWith, settled } from '../conformance/bus/under-test.ts';
import { eventually } from '../support/eventually.ts';
import { natsServers, startNatsServer } from '../support/nats-server.ts';
import type { NatsServer } from '../support/nats-server.ts';

const schedule = (fn: () => void): void => void setImmediate(fn);

/** All kinds of plain data. */
const sample = {
  text: 'é\u{1F600}',
  numbers: [0, -1, 255, 65_536, 2 ** 40, -(2 ** 40), 1.5],
  nothing: null,
  yes: true,
  nested: { list: [[], {}] },
  bytes: Uint8Array.of(0, 128, 255),
};

describe.each(natsServers())('a client of another make beside the bus, on $version', (binary) => {
  let server: NatsServer;
  let client: NatsConnection;
  let bus: Bus;
  let errors: unknown[];

  beforeAll(async () => {
    server = await startNatsServer({ server: binary });
  });
  afterAll(() => server.stop());
  beforeEach(async () => {
    errors = [];
    const onError = (error: unknown): void => void errors.push(error);
    const options = {
      url: server.url,
      ns: freshNamespace(),
      clock: systemClock,
      schedule,
      onError,
    };
    bus = await connectNats(options);
    client = await connect({ servers: server.url });
  });
  afterEach(async () => {
    await bus.close();
    await client.close();
  });

  const listened = async (pattern: string): Promise<Msg[]> => {
    const got: Msg[] = [];
    client.subscribe(pattern, { callback: (_, message) => void got.push(message) });
    await client.flush();
    return got;
  };

  it('reads messages with any MessagePack library', async () => {
    const got = await listened('out');
    bus.publish('out', sample, { headers: { 'Troupe-Op': 'x' } });
    await eventually('it arrives', () => got.length === 1);
    expect(decode(got[0]?.data ?? Buffer.of())).toEqual(sample);
    expect(got[0]?.headers?.get('Troupe-Op')).toBe('x');
  });

  it('is heard, with what any MessagePack library writes', async () => {
    const got: BusMessage[] = [];
    bus.subscribe('in', (message) => void got.push(message));
    await bus.flush();
    client.publish('in', encode(sample));
    await eventually('it arrives', () => got.length === 1);
    expect(got[0]?.payload).toEqual(sample);
    expect(got[0]?.headers).toEqual({});
  });

  it('asks and answers', async () => {
    bus.subscribe('twice', (message) => message.respond([message.payload, message.payload]));
    await bus.flush();
    const answer = await client.request('twice', encode(sample));
    expect(decode(answer.data)).toEqual([sample, sample]);
    client.subscribe('plain', { callback: (_, message) => void message.respond(message.data) });
    await client.flush();
    expect(await bus.request('plain', sample)).toEqual(sample);
  });

  it.each([
    ['nothing', Uint8Array.of()],
    ['half a text', Uint8Array.of(0xa5, 0x61)],
    ['an extension', Uint8Array.of(0xd4, 0x01, 0x00)],
    ['two values', Uint8Array.of(0x01, 0x02)],
    ['a map of numbers', Uint8Array.of(0x81, 0x01, 0x02)],
  ])('does no harm with a message that is %s', async (_, bytes) => {
    const got: BusMessage[] = [];
    bus.subscribe('in', (message) => void got.push(message));
    await bus.flush();
    client.publish('in', bytes);
    client.publish('in', encode('sound'));
    await eventually('the sound one arrives', () => got.length >= 1);
    await settled(bus);
    expect(got.map(({ payload }) => payload)).toEqual(['sound']);
    expect(errors).toEqual([expect.objectContaining({ code: 'TRP_BUS_PAYLOAD' })]);
  });

  it('fails a request whose answer cannot be read, and no other', async () => {
    client.subscribe('garbage', { callback: (_, message) => void message.respond('\xc1') });
    client.subscribe('sound', { callback: (_, message) => void message.respond(encode(1)) });
    await client.flush();
    await rejectsWith('TRP_BUS_PAYLOAD', bus.request('garbage', 1));
    expect(await bus.request('sound', 1)).toBe(1);
  });

  it('watches keys as JSON', async () => {
    const keys = await bus.keys('mem');
    await keys.put('run.a', { n: 1, bytes: Uint8Array.of(0, 1, 2) });
    const kv = await client.jetstream().views.kv(bucketName(bus.ns, 'mem'));
    const seen: unknown[] = [];
    const watch = await kv.watch({ key: 'run.>' });
    void (async () => {
      for await (const entry of watch)
        seen.push(entry.operation === 'PUT' ? entry.json() : entry.operation);
    })();
    await eventually('the present value is seen', () => seen.length === 1);
    await keys.put('run.b', 'text');
    await keys.delete('run.a');
    await eventually('the changes are seen', () => seen.length === 3);
    expect(seen).toEqual([{ n: 1, bytes: { $bytes: 'AAEC' } }, 'text', 'DEL']);
    watch.stop();
  });

  it('writes keys as JSON that the bus reads and watches', async () => {
    const keys = await bus.keys('mem');
    const seen: WatchEvent[] = [];
    await keys.watch('>', (event) => void seen.push(event));
    const kv = await client.jetstream().views.kv(bucketName(bus.ns, 'mem'));
    const revision = await kv.put('run.a', JSON.stringify({ n: 1, b: { $bytes: 'AAEC' } }));
    await kv.delete('run.a');
    await eventually('both changes are seen', () => seen.length === 3);
    const value = { n: 1, b: Uint8Array.of(0, 1, 2) };
    expect(seen[1]).toEqual({ type: 'entry', key: 'run.a', value, revision });
    expect(seen[2]).toMatchObject({ type: 'entry', key: 'run.a', value: undefined });
    expect(await keys.get('run.a')).toBeUndefined();
    await kv.purge('run.a');
    expect(await keys.create('run.a', 2)).toBeGreaterThan(revision);
  });

  it('does no harm with a key that is no JSON', async () => {
    const keys = await bus.keys('mem');
    const seen: WatchEvent[] = [];
    await keys.watch('>', (event) => void seen.push(event));
    const kv = await client.jetstream().views.kv(bucketName(bus.ns, 'mem'));
    await kv.put('bad', '{');
    await keys.put('good', 1);
    await eventually('the good one is seen', () =>
      seen.some((event) => event.type === 'entry' && event.key === 'good'),
    );
    await rejectsWith('TRP_BUS_PAYLOAD', keys.get('bad'));
  });

  it('hears new values under the subject of republishing, as JSON', async () => {
    const subject = `troupe.v1.${bus.ns}.mem`;
    const got = await listened(`${subject}.>`);
    const keys = await bus.keys('mem', { republish: subject });
    await keys.put('run.a.b', { n: 1 });
    await eventually('it is heard', () => got.length === 1);
    expect([got[0]?.subject, got[0]?.json()]).toEqual([`${subject}.run.a.b`, { n: 1 }]);
  });

  it('finds work, logs and keys where the table of subjects says', async () => {
    const got = await listened(`troupe.v1.${bus.ns}.>`);
    await (await bus.workQueue('pool')).add('item', { id: 'a', level: 'p0' });
    await (await bus.log('jrn', 'run')).append('entry');
    await eventually('both are heard', () => got.length >= 2);
    const heard = Object.fromEntries(got.map(({ subject, data }) => [subject, decode(data)]));
    expect(heard).toMatchObject({
      [`troupe.v1.${bus.ns}.work.pool.p0`]: 'item',
      [`troupe.v1.${bus.ns}.jrn.run`]: 'entry',
    });
  });

  it('damages a blob, which is found out, and mended by deleting and putting it', async () => {
    const blobs = await bus.blobs();
    const { hash } = await blobs.put(Buffer.alloc(300_000, 'x'));
    const manager = await client.jetstreamManager();
    const streams = await manager.streams.list().next();
    const store = streams.find(({ config }) => config.name.startsWith(`OBJ_troupe_${bus.ns}_`));
    const name = store?.config.name ?? '';
    const before = await manager.streams.info(name);
    // The first chunk goes; the others and the entry stay.
    await manager.streams.deleteMessage(name, before.state.first_seq);
    await rejectsWith('TRP_BUS_PAYLOAD', blobs.get(hash));
    expect(await blobs.delete(hash)).toBe(true);
    await blobs.put(Buffer.alloc(300_000, 'x'));
    expect((await blobs.get(hash))?.length).toBe(300_000);
  });
});

/** Of a copy: the library cuts bytes out of what it is given, which would be a Buffer. */
function decode(data: Uint8Array): unknown {
  return decodeForeign(Uint8Array.from(data));
}
