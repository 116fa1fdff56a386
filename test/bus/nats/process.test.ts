import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { Bus } from '../../../src/bus/bus.ts';
import { connectNats } from '../../../src/bus/nats/connect.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { startNatsServer } from '../../support/nats-server.ts';
import type { NatsServer } from '../../support/nats-server.ts';

const modules = new URL('../../../dist/', import.meta.url);

/** What a program in a process of its own begins with: a bus, and waiting for a change of its state. */
const preamble = `
  import { connectNats } from '${new URL('bus/nats/connect.js', modules).href}';
  import { systemClock } from '${new URL('core/clock.js', modules).href}';
  const errors = [];
  const bus = await connectNats({
    url: process.argv[1], clock: systemClock, schedule: setImmediate, pingIntervalMs: 100,
    onError: (error) => errors.push(error.message),
  });
  const state = (wanted) => new Promise((resolve) => {
    bus.onStatus((status) => { if (status.state === wanted) resolve(); });
  });
`;

interface Ended {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: unknown;
}

/** Runs a program to its own end; `onLine` is told what it says on standard error, line by line. */
async function run(url: string, program: string, onLine = (_line: string): void => undefined) {
  const args = ['--input-type=module', '-e', preamble + program, url];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = { stdout: '', stderr: '', code: undefined as unknown };
  child.stdout.on('data', (chunk: Buffer) => (ended.stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => {
    ended.stderr += chunk.toString();
    for (const line of chunk.toString().split('\n')) if (line !== '') onLine(line);
  });
  [ended.code] = (await once(child, 'close')) as unknown[];
  return ended satisfies Ended;
}

describe('a process with a bus on NATS', () => {
  let server: NatsServer | undefined;
  let fake: Server | undefined;
  afterEach(async () => {
    await server?.stop();
    fake?.close();
    [server, fake] = [undefined, undefined];
  });

  it('writes nothing on standard output, whatever callbacks throw and servers do', async () => {
    const real = await startNatsServer();
    server = real;
    const program = `
      bus.subscribe('a', () => { throw new Error('sync'); });
      bus.subscribe('a', async () => { throw new Error('async'); });
      bus.onStatus(() => { throw new Error('listener'); });
      bus.publish('a', 1);
      await bus.flush();
      const back = state('connected');
      console.error('restart');
      await back;
      bus.publish('a', 1);
      await bus.flush();
      await bus.close();
      console.error(JSON.stringify(errors.sort()));
    `;
    let restarted = Promise.resolve();
    const ended = await run(real.url, program, (line) => {
      if (line === 'restart') restarted = real.restart();
    });
    await restarted;
    expect(ended).toMatchObject({ stdout: '', code: 0 });
    const told = JSON.parse(ended.stderr.trim().split('\n').at(-1) ?? '') as string[];
    expect(told.filter((message) => message !== 'listener')).toEqual([
      'async',
      'async',
      'sync',
      'sync',
    ]);
  });

  it('makes the connection anew when the server talks nonsense, and says nothing on standard output', async () => {
    let connections = 0;
    const talk = (socket: Socket): void => {
      connections++;
      const talksNonsense = connections === 1;
      socket.on('error', () => undefined);
      socket.write('INFO {"version":"2.10.0","max_payload":1048576,"headers":true,"proto":1}\r\n');
      let pings = 0;
      socket.on('data', (chunk) => {
        for (const _ of chunk.toString().matchAll(/PING\r\n/g)) {
          socket.write('PONG\r\n');
          if (++pings === 2 && talksNonsense) socket.write('NONSENSE\r\n');
        }
      });
    };
    fake = createServer(talk).listen(0, '127.0.0.1');
    await once(fake, 'listening');
    const { port } = fake.address() as AddressInfo;
    const program = `
      await state('connected');
      await bus.close();
      console.error(errors.length);
    `;
    const ended = await run(`nats://127.0.0.1:${port}`, program);
    expect(ended).toEqual({ stdout: '', stderr: '1\n', code: 0 });
    expect(connections).toBe(2);
  });

  it('lets go of a connection that comes about after it was closed', async () => {
    let end: () => void = () => undefined;
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    const greeting = 'INFO {"version":"2.10.0","max_payload":1048576,"headers":true,"proto":1}\r\n';
    let connections = 0;
    const buses: Bus[] = [];
    const talk = async (socket: Socket): Promise<void> => {
      const isFirst = ++connections === 1;
      socket.on('error', () => undefined);
      socket.on('data', (chunk) => {
        for (const _ of chunk.toString().matchAll(/PING\r\n/g)) socket.write('PONG\r\n');
      });
      if (!isFirst) socket.once('close', () => end());
      if (!isFirst) await buses[0]?.close();
      socket.write(greeting);
      if (isFirst) socket.setTimeout(200, () => socket.destroy());
    };
    fake = createServer((socket) => void talk(socket)).listen(0, '127.0.0.1');
    await once(fake, 'listening');
    const { port } = fake.address() as AddressInfo;
    const url = `nats://127.0.0.1:${port}`;
    buses.push(await connectNats({ url, clock: systemClock, schedule: setImmediate }));
    await ended;
    expect(connections).toBe(2);
  });

  it('hears again after the server has cut it off for being slow', async () => {
    const real = await startNatsServer({ config: 'write_deadline: "200ms"' });
    server = real;
    const program = `
      const asleep = new Int32Array(new SharedArrayBuffer(4));
      let slept;
      bus.subscribe('flood', ({ payload }) => {
        if (payload === 'after') void bus.close();
        else if (!slept) slept = Atomics.wait(asleep, 0, 0, 1_500);
      });
      const back = state('disconnected').then(() => state('connected'));
      await bus.flush();
      console.error('ready');
      await back;
      console.error('back');
    `;
    const sender = await connectNats({
      url: real.url,
      clock: systemClock,
      schedule: setImmediate,
    });
    const flood = 'x'.repeat(500_000);
    const ended = await run(real.url, program, (line) => {
      if (line === 'ready') for (let sent = 0; sent < 60; sent++) sender.publish('flood', flood);
      if (line === 'back') sender.publish('flood', 'after');
    });
    await sender.close();
    expect(ended).toMatchObject({ stdout: '', code: 0 });
    expect(real.log()).toContain('Slow Consumer');
  });

  it('ends when its bus is closed during an outage, although the server comes back', async () => {
    const real = await startNatsServer();
    server = real;
    const program = `
      const lost = state('disconnected');
      console.error('kill');
      await lost;
      console.error('start');
      await bus.close();
    `;
    let acts = Promise.resolve();
    const ended = await run(real.url, program, (line) => {
      if (line === 'kill') acts = acts.then(() => real.kill());
      if (line === 'start') acts = acts.then(() => real.start());
    });
    await acts;
    expect(ended).toMatchObject({ stdout: '', code: 0 });
  });
});
