import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { connect } from 'nats';
import type { NatsConnection } from 'nats';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Bus } from '../../../src/bus/bus.ts';
import { connectNats } from '../../../src/bus/nats/connect.ts';
import type { NatsBusOptions } from '../../../src/bus/nats/connect.ts';
import { systemClock } from '../../../src/core/clock.ts';
import type { Plain } from '../../../src/core/plain.ts';
import type { JournalRecord } from '../../../src/journal/record.ts';
import { openBusStore } from '../../../src/journal/stores/bus-store/bus-store.ts';
import { appended, recordOf } from '../../conformance/journal-suite.ts';
import { eventually } from '../../support/eventually.ts';
import { natsServers, startNatsServer } from '../../support/nats-server.ts';
import type { NatsServer } from '../../support/nats-server.ts';

const config = (name: string): string =>
  fileURLToPath(new URL(`../../../config/${name}`, import.meta.url));
const users = ['supervisor', 'worker', 'viewer'] as const;
const variables = [...users, 'system'].map((user) => `TROUPE_${user.toUpperCase()}_PASSWORD`);
const at = (subject: string): string => `troupe.v1.default.${subject}`;

beforeAll(() => {
  for (const name of variables) process.env[name] = `secret-${name}`;
});
afterAll(() => {
  for (const name of variables) delete process.env[name];
});

describe.each(natsServers())('the configuration for nats-server $version', (version) => {
  it('is valid as it stands', () => {
    const { status } = spawnSync(version.path, ['-t', '-c', config('nats-server.conf')]);
    expect(status).toBe(0);
  });
});

describe.each(natsServers())(
  'the users of nats-permissions.conf on nats-server $version',
  (version) => {
    let server: NatsServer;
    let opened: Bus[];
    let errors: { [user: string]: string[] };
    let supervisor: Bus;
    let worker: Bus;
    let viewer: Bus;

    const urlOf = (user: string): string => {
      const password = process.env[`TROUPE_${user.toUpperCase()}_PASSWORD`] ?? '';
      return server.url.replace('//', `//${user}:${password}@`);
    };
    const open = async (user: string, options: Partial<NatsBusOptions> = {}): Promise<Bus> => {
      const told = (errors[user] = [] as string[]);
      const bus = await connectNats({
        url: urlOf(user),
        clock: systemClock,
        schedule: setImmediate,
        closeTimeoutMs: 1_000,
        onError: (error, place) =>
          told.push(`${(error as { code?: string }).code ?? String(error)} ${place}`),
        ...options,
      });
      opened.push(bus);
      return bus;
    };
    const raw = (user: string): Promise<NatsConnection> => {
      const { username, password } = new URL(urlOf(user));
      return connect({ servers: server.url, user: username, pass: password });
    };
    const denied = (promise: Promise<unknown>): Promise<void> =>
      expect(promise).rejects.toMatchObject({ code: 'TRP_BUS_DENIED' });

    beforeAll(async () => {
      const include = readFileSync(config('nats-permissions.conf'), 'utf8');
      server = await startNatsServer({ server: version, config: include });
    });
    afterAll(() => server.stop());
    beforeEach(async () => {
      [opened, errors] = [[], {}];
      supervisor = await open('supervisor');
      worker = await open('worker');
      viewer = await open('viewer');
    });
    afterEach(async () => {
      for (const bus of opened) await bus.close();
    });

    it('lets work go from a supervisor to a worker and its result back', async () => {
      const queue = await supervisor.workQueue('pool');
      const results = await supervisor.log('res', 'node-1');
      for (const id of ['1', '2', '3']) await queue.add({ id }, { id });
      const pulled = await worker.workQueue('pool');
      const first = await pulled.pull({ waitMs: 5_000 });
      await first?.inProgress();
      await (await worker.log('res', 'node-1')).append({ done: first?.id ?? '' }, { op: 'a' });
      await first?.ack();
      const second = await pulled.pull({ waitMs: 5_000 });
      await second?.nak();
      const third = await pulled.pull({ waitMs: 5_000 });
      await third?.term('cannot be done');
      await (await pulled.pull({ waitMs: 5_000 }))?.ack();
      const seen: Plain[] = [];
      for await (const entry of results.read()) seen.push(entry.payload);
      expect(seen).toEqual([{ done: '1' }]);
      expect(await queue.depth()).toMatchObject({ inFlight: 0, deadLetters: 1 });
      expect(errors).toEqual({ supervisor: [], worker: [], viewer: [] });
    });

    it('lets a worker put large things aside and read them', async () => {
      await supervisor.blobs();
      const blobs = await worker.blobs();
      const { hash } = await blobs.put(new Uint8Array(300_000).fill(7));
      expect((await blobs.get(hash))?.length).toBe(300_000);
      expect(errors['worker']).toEqual([]);
    });

    it('lets a supervisor ask a worker, and only him be answered', async () => {
      worker.subscribe(at('ctl.node-1'), (message) => message.respond('here'));
      await worker.flush();
      expect(await supervisor.request(at('ctl.node-1'), 'who')).toBe('here');
      await denied(worker.request(at('ctl.node-1'), 'who'));
      await denied(viewer.request(at('ctl.node-1'), 'who'));
    });

    it('lets a viewer watch progress, memory and journals', async () => {
      const heard: string[] = [];
      viewer.subscribe(at('live.>'), ({ subject }) => void heard.push(subject));
      viewer.subscribe(at('mem.>'), ({ subject }) => void heard.push(subject));
      await viewer.flush();
      worker.publish(at('live.run.task'), { percent: 1 });
      await worker.flush();
      const keys = await supervisor.keys('mem', { republish: at('mem') });
      await keys.put('run.key', { n: 1 });
      const journal = await supervisor.log('jrn', 'run');
      await journal.append({ type: 'run.started' });
      const watched: Plain[] = [];
      const followed: Plain[] = [];
      const watch = await (
        await viewer.keys('mem')
      ).watch('>', (event) => {
        if (event.type === 'entry') watched.push(event.value ?? null);
      });
      const following = await (
        await viewer.log('jrn', 'run')
      ).follow(({ payload }) => void followed.push(payload));
      await eventually('all came', () => heard.length + watched.length + followed.length === 4);
      watch.stop();
      following.stop();
      expect(heard.sort()).toEqual([at('live.run.task'), at('mem.run.key')]);
      await viewer.flush();
      expect(errors['viewer']).toEqual([]);
    });

    it('lets a viewer list and read the runs of a supervisor, and take none over', async () => {
      const parts = { clock: systemClock, schedule: setImmediate };
      const owner = openBusStore({ ...parts, bus: supervisor, node: 'node-1' });
      const run = await owner.create('run-of-supervisor');
      const large = { ...recordOf(2), output: 'x'.repeat(2_000_000) } as JournalRecord;
      await appended(run, [recordOf(1)]);
      await appended(run, [large]);
      const watcher = openBusStore({ ...parts, bus: viewer, node: 'node-2' });
      expect(await watcher.read('run-of-supervisor')).toEqual([recordOf(1), large]);
      await (await supervisor.blobs()).put(Buffer.from('for workers'));
      await denied(viewer.blobs().then((blobs) => blobs.list()));
      expect(await watcher.list()).toContainEqual({ run: 'run-of-supervisor', owner: 'node-1' });
      await denied(watcher.create('run-of-viewer'));
      await owner.close();
    });

    it('keeps a worker from adding work, writing journals and memory, and changing streams', async () => {
      await supervisor.workQueue('pool');
      await supervisor.log('jrn', 'run');
      await supervisor.keys('mem');
      await denied((await worker.workQueue('pool')).add(1, { id: 'x' }));
      await denied(worker.log('jrn', 'run'));
      await denied(worker.keys('mem'));
      const nc = await raw('worker');
      for (const act of ['STREAM.PURGE', 'STREAM.DELETE', 'STREAM.MSG.GET', 'STREAM.UPDATE'])
        await expect(
          nc.request(`$JS.API.${act}.TROUPE_default_WORK`, '{}', { timeout: 500 }),
          act,
        ).rejects.toThrow();
      await nc.close();
    });

    it('keeps a viewer from changing anything', async () => {
      const keys = await supervisor.keys('mem');
      const journal = await supervisor.log('jrn', 'run');
      const before = await journal.lastSeq();
      await denied((await viewer.keys('mem')).put('run.key', 1));
      await denied((await viewer.log('jrn', 'run')).append(1));
      await denied(viewer.workQueue('pool'));
      await denied(viewer.blobs());
      viewer.publish(at('ctl.run'), 'cancel');
      await viewer.flush();
      await eventually('the refusal is told', () => (errors['viewer'] ?? []).length > 0);
      expect(errors['viewer']).toEqual([`TRP_BUS_DENIED ${at('ctl.run')}`]);
      expect([await journal.lastSeq(), await keys.get('run.never')]).toEqual([before, undefined]);
    });

    it.each([
      ['worker', '_INBOX_supervisor.>'],
      ['worker', '_INBOX.>'],
      ['worker', '>'],
      ['worker', at('jrn.>')],
      ['worker', at('work.>')],
      ['worker', at('mem.>')],
      ['viewer', '_INBOX_worker.>'],
      ['viewer', at('ctl.>')],
      ['viewer', at('work.>')],
      ['supervisor', '_INBOX_worker.>'],
      ['supervisor', '$SYS.>'],
    ])('keeps a %s from listening to %s, and tells', async (user, pattern) => {
      const bus = { supervisor, worker, viewer }[user];
      bus?.subscribe(pattern, () => undefined);
      await bus?.flush();
      await eventually('it is told', () => (errors[user] ?? []).length > 0);
      expect(errors[user]).toEqual([`TRP_BUS_DENIED ${pattern}`]);
    });

    it('refuses who does not know the password, and an inbox of another user, when connecting', async () => {
      await denied(open('worker', { url: server.url.replace('//', '//worker:wrong@') }));
      await denied(open('worker', { url: server.url }));
      await denied(open('worker', { inboxPrefix: '_INBOX_supervisor' }));
      const told = await open('worker', { url: server.url.replace('//', '//worker:wrong@') }).catch(
        (error: unknown) => error,
      );
      expect(JSON.stringify(told) + String((told as Error).message)).not.toContain('wrong');
    });
  },
);
