import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Bus } from '../../../src/bus/bus.ts';
import { connectNats } from '../../../src/bus/nats/connect.ts';
import { startLocalServer } from '../../../src/bus/nats/local-server.ts';
import type { LocalServer, LocalServerOptions } from '../../../src/bus/nats/local-server.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { eventually } from '../../support/eventually.ts';
import { natsServers } from '../../support/nats-server.ts';

const modules = new URL('../../../dist/', import.meta.url);

/** A program that starts a server in the folder of its first argument and says where, then stays. */
const owner = `
  import { startLocalServer } from '${new URL('bus/nats/local-server.js', modules).href}';
  import { systemClock } from '${new URL('core/clock.js', modules).href}';
  const [, folder, binary] = process.argv;
  const server = await startLocalServer({ clock: systemClock, folder, binary });
  process.stderr.write(JSON.stringify(server));
  process.stdin.resume();
  process.stdin.once('end', () => server.stop());
`;

describe.each(natsServers())('a local nats-server $version', ({ path: binary }) => {
  let folder: string;
  let servers: LocalServer[];
  let buses: Bus[];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'troupe-local-'));
    [servers, buses] = [[], []];
  });
  afterEach(async () => {
    for (const bus of buses) await bus.close();
    for (const server of servers) await server.stop();
    await eventually('no pipe is left', () => !existsSync(join(folder, 'users')));
    rmSync(folder, { recursive: true, force: true });
  });

  const start = async (options: Partial<LocalServerOptions> = {}): Promise<LocalServer> => {
    const server = await startLocalServer({ clock: systemClock, folder, binary, ...options });
    servers.push(server);
    return server;
  };
  const connect = async (url: string): Promise<Bus> => {
    const bus = await connectNats({ url, clock: systemClock, schedule: setImmediate });
    buses.push(bus);
    return bus;
  };
  const runs = (pid: number): boolean => {
    try {
      process.kill(pid, 0);
      return true;
    } catch {
      return false;
    }
  };
  const pid = (): number => Number(readFileSync(join(folder, 'nats.pid'), 'utf8'));
  const spawnOwner = async () => {
    const args = ['--input-type=module', '-e', owner, folder, binary];
    const child = spawn(process.execPath, args, { stdio: 'pipe' });
    let stdout = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    const [said] = (await once(child.stderr, 'data')) as [Buffer];
    expect(said.toString()).toMatch(/^\{/);
    return { child, server: JSON.parse(said.toString()) as LocalServer, stdout: () => stdout };
  };

  it('serves who knows its token, and nobody else, and keeps its files to itself', async () => {
    const { url } = await start();
    const bus = await connect(url);
    const heard: unknown[] = [];
    bus.subscribe('a', ({ payload }) => void heard.push(payload));
    bus.publish('a', 1);
    await bus.flush();
    expect(heard).toEqual([1]);
    await expect(connect(url.replace(/\/\/.*@/, '//'))).rejects.toMatchObject({
      code: 'TRP_BUS_DENIED',
    });
    for (const file of ['nats.conf', 'server.json', 'users'])
      expect(statSync(join(folder, file)).mode & 0o077, file).toBe(0);
  });

  it('ends when it is let go of, and leaves what it stored', async () => {
    const server = await start();
    const serverPid = pid();
    await server.stop();
    await eventually('it has ended', () => !runs(serverPid));
    expect([existsSync(join(folder, 'users')), existsSync(join(folder, 'store'))]).toEqual([
      false,
      true,
    ]);
    const again = await start();
    expect(again.shared).toBe(false);
  });

  it('is shared by who names the same folder, and ends with the last of them', async () => {
    const [first, second] = [await start(), await start()];
    expect([first.shared, second.shared, first.url === second.url]).toEqual([false, true, true]);
    const serverPid = pid();
    const bus = await connect(second.url);
    await first.stop();
    await bus.flush();
    expect(runs(serverPid)).toBe(true);
    await second.stop();
    await eventually('it has ended', () => !runs(serverPid));
  });

  it('is one server for many that start at one moment', async () => {
    const started = await Promise.all([1, 2, 3, 4].map(() => start()));
    expect(new Set(started.map(({ url }) => url)).size).toBe(1);
    expect(started.filter(({ shared }) => !shared)).toHaveLength(1);
  });

  it('ends with its owner when that is killed, and says nothing on its output', async () => {
    const { child, stdout } = await spawnOwner();
    const serverPid = pid();
    expect(runs(serverPid)).toBe(true);
    child.kill('SIGKILL');
    await eventually('it has ended', () => !runs(serverPid));
    expect(stdout()).toBe('');
  });

  it('outlives the owner while another uses it', async () => {
    const { child, server } = await spawnOwner();
    const mine = await start();
    expect([mine.url, mine.shared]).toEqual([server.url, true]);
    child.kill('SIGKILL');
    await once(child, 'close');
    const bus = await connect(mine.url);
    await bus.flush();
    expect(bus.state).toBe('connected');
  });

  it('comes back on its port with its store when it crashes', async () => {
    const { url } = await start();
    const bus = await connect(url);
    const states: string[] = [];
    bus.onStatus(({ state }) => states.push(state));
    process.kill(pid(), 'SIGKILL');
    await eventually('the bus is back', () => states.at(-1) === 'connected');
    expect(states).toEqual(['disconnected', 'connected']);
  });

  it('takes over what a guard that was killed has left', async () => {
    const { child } = await spawnOwner();
    const serverPid = pid();
    const { stdout } = spawnSync('ps', ['-o', 'pgid=', '-p', String(serverPid)]);
    child.kill('SIGSTOP');
    process.kill(-Number(stdout.toString()), 'SIGKILL');
    child.kill('SIGKILL');
    await eventually('it has ended', () => !runs(serverPid));
    expect(existsSync(join(folder, 'users'))).toBe(true);
    expect((await start()).shared).toBe(false);
  });

  it('is gone with its files when no folder was named', async () => {
    const server = await startLocalServer({ clock: systemClock, binary });
    expect(existsSync(server.folder)).toBe(true);
    await server.stop();
    expect(existsSync(server.folder)).toBe(false);
  });

  it('tells why it does not start', async () => {
    await expect(start({ binary: '/nowhere/nats-server' })).rejects.toMatchObject({
      code: 'TRP_BUS_SERVER',
      hint: expect.stringContaining('apt install nats-server') as string,
    });
    await expect(start({ binary: '/bin/true' })).rejects.toMatchObject({ code: 'TRP_BUS_SERVER' });
  });
});
