import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { connectNats } from '../../../src/bus/nats/connect.ts';
import { inspectServer } from '../../../src/bus/nats/inspect-server.ts';
import type { ServerInspection } from '../../../src/bus/nats/inspect-server.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { natsServers, startNatsServer } from '../../support/nats-server.ts';
import type { NatsServer, NatsServerOptions } from '../../support/nats-server.ts';

const options = { clock: systemClock, schedule: setImmediate };
const permissions = readFileSync(
  new URL('../../../config/nats-permissions.conf', import.meta.url),
  'utf8',
).replaceAll(/\$TROUPE_\w+_PASSWORD/g, 'secret');

describe.each(natsServers())('looking at nats-server $version', (version) => {
  let server: NatsServer | undefined;
  afterEach(() => server?.stop());

  const look = async (more: NatsServerOptions = {}, user = ''): Promise<ServerInspection> => {
    server = await startNatsServer({ server: version, ...more });
    return inspectServer(
      server.url.replace('//', user === '' ? '//' : `//${user}:secret@`),
      options,
    );
  };

  it('tells what there is', async () => {
    const found = await look();
    const isNew = version.version !== '2.9.10';
    expect(found).toMatchObject({
      version: version.version,
      recommended: isNew,
      encrypted: false,
      maxPayloadBytes: 1_048_576,
      jetStream: { enabled: true, streams: { used: 0, limit: -1 } },
      sync: 'declared, not verified',
    });
    expect(new Set(found.features.map(({ available }) => available))).toEqual(new Set([isNew]));
    expect(found.roundTripMs.worst).toBeGreaterThanOrEqual(found.roundTripMs.median);
    // One machine, one clock: off by a round trip, and not by hours or a factor of a thousand.
    expect(Math.abs(found.clockAheadMs ?? Infinity)).toBeLessThan(60_000);
    expect(Object.values(found.roles).map(({ allowed }) => allowed)).toEqual([true, true, true]);
    expect(JSON.parse(JSON.stringify(found))).toEqual(found);
  });

  it('leaves nothing behind', async () => {
    await look();
    const again = await inspectServer(server?.url ?? '', options);
    expect(again.jetStream).toMatchObject({ streams: { used: 0 }, consumers: { used: 0 } });
  });

  it('says that JetStream is off, and what the server takes', async () => {
    const found = await look({ jetStream: false, config: 'max_payload: 4096' });
    expect(found).toMatchObject({ maxPayloadBytes: 4_096, jetStream: { enabled: false } });
    expect(found.clockAheadMs).toBeUndefined();
  });

  it.each([
    ['supervisor', [true, true, false]],
    ['worker', [false, true, false]],
    ['viewer', [false, false, true]],
  ])('knows what a %s may do', async (user, allowed) => {
    const { roles } = await look({ config: permissions }, user);
    const may = [roles.supervisor, roles.worker, roles.viewer].map((role) => role.allowed);
    // A supervisor may do all that a worker and a viewer may.
    expect(may).toEqual(user === 'supervisor' ? [true, true, true] : allowed);
    for (const role of Object.values(roles)) expect(role.allowed).toBe(role.denied.length === 0);
  });

  it('names the acts that were refused', async () => {
    const { roles } = await look({ config: permissions }, 'viewer');
    expect(roles.supervisor.denied).toContain('publish on $JS.API.STREAM.CREATE.doctor');
    expect(roles.worker.denied).toContain('subscribe to troupe.v1.default.ctl.doctor');
  });

  it('changes nothing in streams that are there', async () => {
    server = await startNatsServer({ server: version });
    const bus = await connectNats({ ...options, url: server.url });
    const logs = await Promise.all([bus.log('res', 'doctor'), bus.log('jrn', 'doctor')]);
    await inspectServer(server.url, options);
    expect(await Promise.all(logs.map((log) => log.lastSeq()))).toEqual([0, 0]);
    await bus.close();
  });
});

describe('servers that cannot be used', () => {
  it('refuses one that is too old, and says what to do', async () => {
    const old = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.write('INFO {"version":"2.8.4","max_payload":1048576,"headers":true,"proto":1}\r\n');
      socket.on('data', () => socket.write('PONG\r\n'));
    }).listen(0, '127.0.0.1');
    await once(old, 'listening');
    const url = `nats://127.0.0.1:${(old.address() as AddressInfo).port}`;
    await expect(inspectServer(url, options)).rejects.toMatchObject({
      code: 'TRP_BUS_SERVER',
      message: expect.stringContaining('2.8.4') as string,
    });
    old.close();
  });

  it('says that there is none, without the secrets of the address', async () => {
    const error = await inspectServer('nats://user:pw123@127.0.0.1:1', options).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toMatchObject({ code: 'TRP_BUS_SERVER' });
    expect(String(error) + JSON.stringify(error)).not.toContain('pw123');
  });

  it.each(['', 'localhost', 'http://localhost', 'nats://', 'nats://a b', 'nats://ok,ftp://x'])(
    'refuses the address %j',
    async (url) => {
      await expect(inspectServer(url, options)).rejects.toMatchObject({
        code: 'TRP_OPTION_INVALID',
      });
    },
  );
});
