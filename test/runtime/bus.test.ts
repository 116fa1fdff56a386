import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createEmbeddedBus } from '../../src/bus/embedded/embedded-bus.ts';
import { systemClock } from '../../src/core/clock.ts';
import type { Troupe, TroupeOptions } from '../../src/runtime/api.ts';
import { createTroupe } from '../../src/runtime/troupe.ts';
import { eventually } from '../support/eventually.ts';
import { startNatsServer } from '../support/nats-server.ts';
import type { NatsServer } from '../support/nats-server.ts';

const tasks = { t: { uses: 'simulate', estimate: '1ms' } };

describe('the bus of a Troupe', () => {
  let troupe: Troupe | undefined;
  let server: NatsServer | undefined;
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'troupe-bus-'));
  });
  afterEach(async () => {
    await troupe?.close();
    troupe = undefined;
    await server?.stop();
    server = undefined;
    rmSync(folder, { recursive: true, force: true });
  });
  const begin = async (options: TroupeOptions = {}): Promise<Troupe> => {
    troupe = await createTroupe(options);
    return troupe;
  };
  const file = (bus: string): string => {
    const path = join(folder, 'flow.json');
    writeFileSync(path, JSON.stringify({ version: 1, bus, tasks }));
    return path;
  };

  it('is embedded where nobody says otherwise', async () => {
    const { bus } = await begin();
    const heard: unknown[] = [];
    bus.subscribe('a.b', ({ payload }) => void heard.push(payload));
    bus.publish('a.b', 1);
    await bus.flush();
    expect([heard, bus.state, bus.ns]).toEqual([[1], 'connected', 'default']);
  });

  it.each([{ bus: 'http://x' }, { bus: 'nats://' }, { bus: 'other' }, { ns: 'a b' }, { ns: '' }])(
    'refuses the option %j',
    async (options) => {
      await expect(createTroupe(options)).rejects.toMatchObject({ code: 'TRP_OPTION_INVALID' });
    },
  );

  it('does not tell the password of an address that it refuses', async () => {
    const error = await createTroupe({ bus: 'nats//u:hush@x' }).catch((thrown: unknown) => thrown);
    expect(String(error)).not.toContain('hush');
  });

  it('is not there where no server is, which is told at once', async () => {
    await expect(createTroupe({ bus: 'nats://127.0.0.1:9' })).rejects.toMatchObject({
      code: 'TRP_BUS_SERVER',
    });
  });

  it('is left open when it was given', async () => {
    const bus = createEmbeddedBus({ clock: systemClock, schedule: setImmediate, ns: 'mine' });
    await (await begin({ bus })).close();
    expect(bus.state).toBe('connected');
    await bus.close();
  });

  it('is a server of this host for `nats`, which processes on one data folder share', async () => {
    const dataDir = join(folder, 'data');
    const other = await createTroupe({ bus: 'nats', dataDir });
    const run = await (await begin({ bus: 'nats', dataDir })).run({ version: 1, tasks });
    await run.outcome();
    const bucket = await other.bus.keys('mem');
    await eventually('the other sees the run', async () => {
      return (await bucket.get(`${run.id}.parallel.results.t`)) !== undefined;
    });
    await other.close();
    expect(troupe?.bus.state).toBe('connected');
  });

  it('is what a file says, when nobody else has said it', async () => {
    server = await startNatsServer();
    const run = await (await begin()).run(file(server.url));
    await run.outcome();
    const other = await createTroupe({ bus: server.url });
    const bucket = await other.bus.keys('mem');
    await eventually('the run is shown there', async () => {
      const shown = await bucket.get(`${run.id}.parallel.run`);
      return (shown?.value as { ended?: boolean } | undefined)?.ended === true;
    });
    await other.close();
  });

  it('is not what a file says, when the process has been told', async () => {
    const run = await (await begin({ bus: 'embedded' })).run(file('nats://127.0.0.1:9'));
    expect((await run.outcome()).status).toBe('succeeded');
  });

  it('is nothing that a document without a file may choose', async () => {
    const opened = await begin();
    for (const bus of ['nats', 'nats://127.0.0.1:9'])
      await expect(opened.run({ version: 1, bus, tasks })).rejects.toMatchObject({
        code: 'TRP_WORKFLOW_INVALID',
      });
    const run = await opened.run({ version: 1, bus: 'embedded', tasks });
    expect((await run.outcome()).status).toBe('succeeded');
  });

  it.each(['redis://x', 'nats://user:secret@host', 7])(
    'refuses a document with the bus %j',
    async (bus) => {
      const opened = await begin();
      await expect(opened.run({ version: 1, bus, tasks })).rejects.toMatchObject({
        code: 'TRP_WORKFLOW_INVALID',
        message: expect.stringContaining('bus') as string,
      });
    },
  );

  it('is asked for again where it was away, so that a run can be resumed without it', async () => {
    server = await startNatsServer();
    const dataDir = join(folder, 'data');
    const held = await createTroupe({
      dataDir,
      functions: { work: () => new Promise(() => undefined) },
    });
    const path = join(folder, 'held.json');
    const task = { uses: 'function', module: 'host:work' };
    writeFileSync(path, JSON.stringify({ version: 1, bus: server.url, tasks: { t: task } }));
    const run = await held.run(path);
    await held.close();
    await server.kill();
    const resumed = await (
      await begin({ dataDir, functions: { work: () => 'done' } })
    ).resume(run.id);
    expect((await resumed.outcome()).status).toBe('succeeded');
  });
});
