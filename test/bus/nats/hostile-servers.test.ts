import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { Bus, BusStatus } from '../../../src/bus/bus.ts';
import type { TroupeError } from '../../../src/core/errors.ts';
import { createTroupe } from '../../../src/runtime/troupe.ts';
import { connectBus } from '../../../src/runtime/connect-bus.ts';
import type { ConnectBusOptions } from '../../../src/runtime/connect-bus.ts';
import { eventually } from '../../support/eventually.ts';
import { natsServers, startNatsServer } from '../../support/nats-server.ts';
import type { NatsServer, NatsServerOptions } from '../../support/nats-server.ts';

let fakes: Server[] = [];
let buses: Bus[] = [];
let server: NatsServer | undefined;
afterEach(async () => {
  for (const fake of fakes) fake.close();
  server?.signal('SIGCONT');
  await Promise.all(buses.map((bus) => bus.close()));
  await server?.stop();
  [fakes, buses, server] = [[], [], undefined];
});

const greeting = 'INFO {"version":"2.10.0","max_payload":1048576,"headers":true,"proto":1}\r\n';

/** A server that does with each connection what is said; returns its address. */
async function fake(talk: (socket: Socket, count: number) => void): Promise<string> {
  let count = 0;
  const listening = createServer((socket) => {
    socket.on('error', () => undefined);
    talk(socket, ++count);
  }).listen(0, '127.0.0.1');
  fakes.push(listening);
  await once(listening, 'listening');
  return `nats://user:planted@127.0.0.1:${(listening.address() as AddressInfo).port}`;
}

const answerPings = (socket: Socket): void =>
  void socket.on('data', (chunk) => {
    for (const _ of chunk.toString().matchAll(/PING\r\n/g)) socket.write('PONG\r\n');
  });

async function open(options: ConnectBusOptions): Promise<Bus> {
  const bus = await connectBus({ closeTimeoutMs: 1_000, ...options });
  buses.push(bus);
  return bus;
}

const failure = (options: ConnectBusOptions): Promise<TroupeError> =>
  open(options).then(
    () => Promise.reject(new Error('It connected.')),
    (error: TroupeError) => error,
  );

describe('connecting to what is no good server', () => {
  it.each<readonly [string, (socket: Socket) => void]>([
    ['says nothing', () => undefined],
    ['hangs up', (socket) => socket.destroy()],
    ['greets and says no more', (socket) => socket.write(greeting)],
    ['greets and hangs up', (socket) => socket.end(greeting)],
    ['speaks another protocol', (socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n')],
    ['greets with nonsense', (socket) => socket.write('INFO {nonsense}\r\n')],
    [
      'ends connections just after they were made',
      (socket) => {
        socket.write(greeting);
        socket.once('data', () => {
          socket.write('PONG\r\n');
          setImmediate(() => socket.destroy());
        });
      },
    ],
    [
      'has no place for another client',
      (socket) => socket.end(`${greeting}-ERR 'maximum connections exceeded'\r\n`),
    ],
  ])('ends in time, with its address and no password, where a server %s', async (_, talk) => {
    const url = await fake(talk);
    const error = await failure({ url, connectTimeoutMs: 300 });
    expect(error).toMatchObject({ code: 'TRP_BUS_SERVER' });
    expect(error.message).toContain(new URL(url).host);
    expect(`${error.stack} ${JSON.stringify(error)} ${String(error.cause)}`).not.toContain(
      'planted',
    );
  });

  it('says that a name is not known', async () => {
    const error = await failure({ url: 'nats://u:planted@no-such-host.invalid:4222' });
    expect(error.code).toBe('TRP_BUS_SERVER');
    expect(error.message).toContain('no-such-host.invalid:4222');
    expect(error.message).not.toContain('planted');
  });

  it('keeps a Troupe from starting, with the address and no password', async () => {
    const bus = 'nats://u:pl@nted@127.0.0.1:1';
    const error = await createTroupe({ bus }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'TRP_BUS_SERVER' });
    expect(String(error)).toContain('127.0.0.1:1');
    expect(String(error)).not.toMatch(/pl@|nted/);
  });

  it('takes the second address where the first says nothing', async () => {
    const silent = await fake(() => undefined);
    server = await startNatsServer();
    const bus = await open({ url: `${silent},${server.url}`, connectTimeoutMs: 500 });
    expect(bus.state).toBe('connected');
  });
});

describe('a server that comes and goes', () => {
  it('is connected to again, and what is published arrives in order and at most once', async () => {
    server = await startNatsServer();
    const sender = await open({ url: server.url });
    const receiver = await open({ url: server.url });
    const got: number[] = [];
    receiver.subscribe('n', ({ payload }) => void got.push(payload as number));
    await receiver.flush();
    let sent = 0;
    for (let round = 0; round < 5; round++) {
      const restarted = server.restart();
      for (let count = 0; count < 50; count++) {
        sender.publish('n', ++sent);
        await new Promise((resolve) => setImmediate(resolve));
      }
      await restarted;
    }
    await receiver.flush();
    await sender.flush();
    sender.publish('n', ++sent);
    await eventually('the last one is there', () => got.at(-1) === sent);
    expect(got).toEqual([...new Set(got)].sort((one, other) => one - other));
  });

  it('that flaps leaves no request waiting', async () => {
    const url = await fake((socket) => {
      socket.write(greeting);
      answerPings(socket);
      setTimeout(() => socket.destroy(), 30);
    });
    const bus = await open({ url });
    const states: BusStatus['state'][] = [];
    bus.onStatus(({ state }) => states.push(state));
    const asked: Promise<unknown>[] = [];
    while (states.filter((state) => state === 'disconnected').length < 4) {
      asked.push(bus.request('x', 1, { timeoutMs: 600_000 }).catch((e: TroupeError) => e.code));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(new Set(await Promise.all(asked))).toEqual(new Set(['TRP_BUS_DISCONNECTED']));
    for (const [index, state] of states.entries()) expect(state).not.toBe(states[index - 1]);
  });

  it('that hangs is given up by pings, and its requests with it', async () => {
    server = await startNatsServer();
    const bus = await open({ url: server.url, pingIntervalMs: 50 });
    bus.subscribe('silent', () => undefined);
    await bus.flush();
    const asked = bus.request('silent', 1, { timeoutMs: 600_000 });
    const told = expect(asked).rejects.toMatchObject({ code: 'TRP_BUS_DISCONNECTED' });
    server.signal('SIGSTOP');
    await told;
    server.signal('SIGCONT');
    await eventually('it is back', () => bus.state === 'connected');
  });
});

describe.each(natsServers())('limits of nats-server $version', (version) => {
  const start = async (options: NatsServerOptions): Promise<NatsServer> => {
    server = await startNatsServer({ server: version, ...options });
    return server;
  };

  it('bind payloads: what the server would not take is refused with its number', async () => {
    const { url } = await start({ config: 'max_payload: 4096' });
    const bus = await open({ url });
    const large = 'x'.repeat(5_000);
    const refused = { code: 'TRP_BUS_PAYLOAD', message: expect.stringContaining('4096') as string };
    expect(() => bus.publish('a', large)).toThrow(expect.objectContaining(refused) as Error);
    await expect(bus.request('a', large)).rejects.toMatchObject(refused);
    bus.publish('a', 'x'.repeat(4_000));
    await bus.flush();
    expect(bus.state).toBe('connected');
    expect(() => bus.publish('a', 'x'.repeat(4_000), { headers: { h: 'y'.repeat(200) } })).toThrow(
      expect.objectContaining({ code: 'TRP_BUS_PAYLOAD' }) as Error,
    );
  });

  it('leave the connection alone when they shrink while messages wait', async () => {
    const { url } = await start({});
    const faults: string[] = [];
    const bus = await open({
      url,
      onError: (error, place) => faults.push(`${(error as TroupeError).code} ${place}`),
    });
    const got: unknown[] = [];
    bus.subscribe('b', ({ payload }) => void got.push(payload));
    await bus.flush();
    await server?.kill();
    await eventually('it is away', () => bus.state === 'disconnected');
    bus.publish('a', 'x'.repeat(5_000));
    bus.publish('b', 'small');
    server?.configure('max_payload: 4096');
    await server?.start();
    await eventually('the small one came', () => got.length === 1);
    expect(faults).toEqual(['TRP_BUS_PAYLOAD a']);
  });

  it('withdraw a user while it is connected, which is told as a refusal', async () => {
    const users = (password: string): string =>
      `authorization { users: [ { user: a, password: ${password} } ] }`;
    const running = await start({ config: users('one') });
    const faults: string[] = [];
    const bus = await open({
      url: running.url.replace('//', '//a:one@'),
      onError: (error) => faults.push((error as TroupeError).code),
    });
    running.configure(users('two'));
    running.signal('SIGHUP');
    await eventually('it is told', () => bus.state === 'disconnected' && faults.length > 0);
    expect(new Set(faults)).toEqual(new Set(['TRP_BUS_DENIED']));
    running.configure(users('one'));
    running.signal('SIGHUP');
    await eventually('it is let in again', () => bus.state === 'connected');
  });

  it('tell a refused subject once, and closing after that reports nothing', async () => {
    const { url } = await start({
      config:
        'authorization { users: [ { user: a, password: b, permissions: { publish: ["ok", "_INBOX_a.>"], subscribe: ["ok", "_INBOX_a.>"] } } ] }',
    });
    const faults: string[] = [];
    const bus = await open({
      url: url.replace('//', '//a:b@'),
      onError: (error, place) => faults.push(`${(error as TroupeError).code} ${place}`),
    });
    bus.publish('secret', 1);
    bus.subscribe('hidden', () => undefined);
    bus.subscribe('hidden', () => undefined, { queue: 'q' });
    await bus.flush();
    await eventually('all is told', () => faults.length >= 3);
    await bus.close();
    expect(faults.sort()).toEqual([
      'TRP_BUS_DENIED hidden',
      'TRP_BUS_DENIED hidden',
      'TRP_BUS_DENIED secret',
    ]);
  });

  it('refuse ten thousand requests at once, each of which is told, and nobody else', async () => {
    const { url } = await start({
      config:
        'authorization { users: [ { user: a, password: b, permissions: { publish: ["_INBOX_a.>"] } } ] }',
    });
    const faults: unknown[] = [];
    const bus = await open({
      url: url.replace('//', '//a:b@'),
      onError: (error) => faults.push(error),
    });
    const asked = Array.from({ length: 10_000 }, (_, count) =>
      bus
        .request(`secret.${count}`, count, { timeoutMs: 600_000 })
        .catch((error: TroupeError) => error.code),
    );
    expect(new Set(await Promise.all(asked))).toEqual(new Set(['TRP_BUS_DENIED']));
    expect(faults).toEqual([]);
  });

  it('let ten thousand subscriptions come back after a restart', async () => {
    const { url } = await start({});
    const bus = await open({ url });
    let got = 0;
    for (let count = 0; count < 10_000; count++) bus.subscribe(`many.${count}`, () => void got++);
    await bus.flush();
    await server?.restart();
    await eventually('it is back', () => bus.state === 'connected');
    for (let count = 0; count < 10_000; count++) bus.publish(`many.${count}`, 1);
    await eventually('all have heard', () => got === 10_000);
  });

  it('end a server in lame duck mode, and the clients move to another', async () => {
    const { url } = await start({
      config: 'lame_duck_grace_period: "100ms"',
    });
    const other = await startNatsServer({ server: version });
    try {
      const bus = await open({ url });
      const both = await open({ url: `${url},${other.url}` });
      const states: string[] = [];
      bus.onStatus(({ state }) => states.push(state));
      server?.signal('SIGUSR2');
      await eventually('it has ended', () => states.includes('disconnected'));
      await eventually('the other one serves', () => both.state === 'connected');
      await both.flush();
    } finally {
      await other.stop();
    }
  });
});
