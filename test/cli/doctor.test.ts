import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { ServerInspection } from '../../src/bus/nats/inspect-server.ts';
import { nodeCheck } from '../../src/cli/doctor/local-checks.ts';
import { inspectionChecks } from '../../src/cli/doctor/server-checks.ts';
import type { NatsServer } from '../support/nats-server.ts';
import { startNatsServer } from '../support/nats-server.ts';
import { cli, folder, opened, shellWith, useSandbox } from './support/sandbox.ts';

interface Found {
  readonly format: number;
  readonly ok: boolean;
  readonly checks: readonly {
    readonly name: string;
    readonly status: string;
    readonly hint?: string;
  }[];
}

describe('troupe doctor', () => {
  useSandbox();
  let server: NatsServer | undefined;
  afterEach(() => server?.stop());

  const found = async (...args: readonly string[]): Promise<Found & { code: number }> => {
    const shell = shellWith();
    const code = await cli(shell, 'doctor', '--json', ...args);
    return { ...(JSON.parse(shell.stdout) as Found), code };
  };
  const statusOf = ({ checks }: Found, name: string): string | undefined =>
    checks.find((check) => check.name === name)?.status;

  it('finds nothing wrong where nothing is', async () => {
    const all = await found();
    expect([all.code, all.ok, all.format]).toEqual([0, true, 1]);
    expect(all.checks.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['Node.js', 'data folder', 'nats-server', 'bus']) as string[],
    );
  });

  it('prints a table with a line for each', async () => {
    const shell = shellWith();
    expect(await cli(shell, 'doctor')).toBe(0);
    expect(shell.stdout).toMatch(/^ok +Node\.js +v\d+/m);
    expect(shell.stdout).toMatch(/^ok +data folder +.*\.troupe \(is made by the first run\)$/m);
  });

  it('names a data folder that cannot be written to', async () => {
    writeFileSync(join(folder, 'file'), '');
    const shell = shellWith();
    expect(await cli(shell, 'doctor', '--data', 'file')).toBe(2);
    const all = await found('--data', join('file', 'x'));
    expect([all.code, statusOf(all, 'data folder')]).toEqual([1, 'fail']);
  });

  it('fails where the server that is named does not answer, and says what to do', async () => {
    const all = await found('--bus', 'nats://127.0.0.1:9');
    expect([all.code, all.ok, statusOf(all, 'bus')]).toEqual([1, false, 'fail']);
    expect(all.checks.find(({ name }) => name === 'bus')?.hint).not.toBe('');
  });

  it('fails for a server of its own that cannot be started', async () => {
    const shell = shellWith({ env: { TROUPE_NATS_SERVER: join(folder, 'none') } });
    expect(await cli(shell, 'doctor', '--bus', 'nats')).toBe(1);
    expect(shell.stdout).toMatch(/^fail +nats-server +not installed$/m);
    expect(shell.stdout).toMatch(/^fail +bus +nats: there is no server to start$/m);
  });

  it('lists what a server lacks line by line', async () => {
    server = await startNatsServer();
    const shell = shellWith();
    await cli(shell, 'doctor', '--bus', server.url);
    expect(Math.max(...shell.stdout.split('\n').map(({ length }) => length))).toBeLessThan(120);
  });

  it('tells of a server that answers', async () => {
    server = await startNatsServer();
    const all = await found('--bus', server.url);
    expect(all.code).toBe(0);
    expect(['ok', 'warn']).toContain(statusOf(all, 'bus'));
    for (const name of ['round trip', 'JetStream streams', 'clock', 'may be a supervisor'])
      expect([name, statusOf(all, name)]).toEqual([name, 'ok']);
  });

  it('fails on a server without JetStream, and says how to have it', async () => {
    server = await startNatsServer({ jetStream: false });
    const all = await found('--bus', server.url);
    expect([all.code, statusOf(all, 'JetStream')]).toEqual([1, 'fail']);
    expect(all.checks.find(({ name }) => name === 'JetStream')?.hint).toContain('-js');
  });

  it.each([
    [{ jetStream: { streams: { used: 95, limit: 100 } } }, 'JetStream streams', 'warn'],
    [{ jetStream: { storage: { used: 100, limit: 100 } } }, 'JetStream storage', 'fail'],
    [{ maxPayloadBytes: 65_536 }, 'largest message', 'warn'],
    [{ clockAheadMs: -5_000 }, 'clock', 'warn'],
    [{ recommended: false }, 'bus', 'warn'],
    [
      { roles: { worker: { allowed: false, denied: ['publish on x'] } } },
      'may be a worker',
      'warn',
    ],
  ])('tells by %j that %s is %s', (part: Parts, name, status) => {
    const checks = inspectionChecks(inspection(part));
    expect(checks.find((check) => check.name === name)).toMatchObject({
      status,
      hint: expect.any(String) as string,
    });
    expect(inspectionChecks(inspection({})).every((check) => check.status === 'ok')).toBe(true);
  });

  it('refuses a bus that is none', async () => {
    expect((await shellRun('--bus', 'http://x')).code).toBe(2);
  });

  it('refuses an old Node.js', () => {
    expect(nodeCheck('v20.18.9').status).toBe('fail');
    expect(nodeCheck('v18.0.0').status).toBe('fail');
    expect([nodeCheck('v20.19.0').status, nodeCheck('v24.1.0').status]).toEqual(['ok', 'ok']);
  });

  async function shellRun(...args: readonly string[]): Promise<{ code: number }> {
    return { code: await cli(shellWith(), 'doctor', ...args) };
  }
});

interface Parts {
  readonly jetStream?: object;
  readonly roles?: object;
  readonly [name: string]: unknown;
}

/** A server that has everything, but for some parts. */
function inspection({ jetStream, roles, ...rest }: Parts): ServerInspection {
  const free = { used: 0, limit: -1 };
  const may = { allowed: true, denied: [] };
  return {
    version: '2.12.0',
    name: 's',
    recommended: true,
    encrypted: true,
    maxPayloadBytes: 1_048_576,
    features: [],
    roundTripMs: { median: 1, worst: 2 },
    clockAheadMs: 0,
    sync: 'declared, not verified',
    jetStream: {
      enabled: true,
      memory: free,
      storage: free,
      streams: free,
      consumers: free,
      ...jetStream,
    },
    roles: { supervisor: may, worker: may, viewer: may, ...roles },
    ...rest,
  };
}

describe('the choice of a bus', () => {
  useSandbox();

  it.each([
    [{}, [], undefined],
    [{ TROUPE_BUS: 'nats://a:1' }, [], 'nats://a:1'],
    [{ TROUPE_BUS: 'nats://a:1' }, ['--bus', 'embedded'], 'embedded'],
    [{ TROUPE_BUS: '' }, [], undefined],
    [{ TROUPE_BUS: 'nats://a:1' }, ['--simulate'], 'embedded'],
  ])('with environment %j and options %j is %j', async (env, args, bus) => {
    const shell = shellWith({ env });
    const ended = cli(shell, 'run', 'flow.yaml', ...args);
    const { troupe } = await import('./support/sandbox.ts');
    await new Promise((resolve) => setImmediate(resolve));
    troupe.live.end({ status: 'succeeded', reason: 'completed' });
    expect(await ended).toBe(0);
    expect(opened[0]?.bus).toBe(bus);
  });
});
