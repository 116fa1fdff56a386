import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { connect } from 'nats';
import type { NatsConnection } from 'nats';
import type { TroupeOptions } from '../../src/runtime/api.ts';
import type { Troupe } from '../../src/runtime/api.ts';
import { deleteRun, pruneRuns } from '../../src/runtime/retention.ts';
import { createTroupe } from '../../src/runtime/troupe.ts';
import { freshNamespace } from '../conformance/bus/under-test.ts';
import { eventually } from '../support/eventually.ts';
import { natsServers, startNatsServer } from '../support/nats-server.ts';
import type { NatsServer } from '../support/nats-server.ts';

/** Results that go aside: a value above the limit of records, and appends above that of messages. */
const functions = {
  say: ({ memory, run }: { memory: { set(key: string, value: string): void }; run: string }) => {
    memory.set('said.small', run);
    memory.set('said.large', `${run} ${'y'.repeat(100_000)}`);
    return `${run} ${'x'.repeat(900_000)}`;
  },
};

const document = {
  version: 1,
  name: 'w',
  agents: { a: { uses: 'function', module: 'host:say', owns: ['said.*'] } },
  inputs: { padding: { default: '' } },
  tasks: { one: { agent: 'a' } },
};

describe.each(natsServers())('runs on nats-server $version that have had their time', (binary) => {
  let server: NatsServer;
  let raw: NatsConnection;
  let ns: string;
  let opened: Troupe[];

  beforeAll(async () => {
    server = await startNatsServer({ server: binary });
    raw = await connect({ servers: server.url });
  });
  afterAll(async () => {
    await raw.close();
    await server.stop();
  });
  beforeEach(() => {
    [ns, opened] = [freshNamespace(), []];
  });
  afterEach(async () => {
    for (const troupe of opened) await troupe.close();
  });

  async function troupe(options: TroupeOptions = {}): Promise<Troupe> {
    const made = await createTroupe({ bus: server.url, ns, journal: 'bus', functions, ...options });
    opened.push(made);
    return made;
  }

  /** Runs to their ends, submitted with a large input; the process that carried them has gone. */
  async function ended(...ids: string[]): Promise<void> {
    const carrier = await troupe({ takeRuns: 4 });
    for (const id of ids) {
      const input = { padding: `${id} ${'z'.repeat(400_000)}` };
      await carrier.submit(document, input, { id });
      const { status } = await (await carrier.follow(id)).outcome();
      expect(status).toBe('succeeded');
    }
    await carrier.close();
  }

  /** Every message of every stream of the server, as text: what any client can find. */
  async function leftOf(run: string): Promise<readonly string[]> {
    const manager = await raw.jetstreamManager();
    const found: string[] = [];
    for await (const { config, state } of manager.streams.list()) {
      for (let seq = state.first_seq; seq <= state.last_seq; seq++) {
        const message = await manager.streams.getMessage(config.name, { seq }).catch(() => null);
        const text = message && message.subject + Buffer.from(message.data).toString('latin1');
        if (text?.includes(run)) found.push(`${config.name} ${message?.subject}`);
      }
    }
    return found;
  }

  it('are deleted with all that is kept of them on the server', async () => {
    await ended('gone-run', 'stays-run');
    const streams = new Set((await leftOf('gone-run')).map((place) => place.split(' ')[0]));
    expect(streams.size).toBeGreaterThan(3);
    await deleteRun({ bus: server.url, ns }, 'gone-run');
    expect(await leftOf('gone-run')).toEqual([]);
    const watcher = await troupe();
    expect((await watcher.runs()).map(({ run_id }) => run_id)).toEqual(['stays-run']);
    expect((await watcher.show('stays-run')).status).toBe('succeeded');
    await expect(deleteRun({ bus: server.url, ns }, 'gone-run')).rejects.toMatchObject({
      code: 'TRP_RUN_NOT_FOUND',
    });
  });

  it('are pruned by number and age, oldest first; a dry run only tells', async () => {
    await ended('run-a', 'run-b', 'run-c');
    const place = { bus: server.url, ns };
    const dry = await pruneRuns(place, { keep: 1, dryRun: true });
    expect(dry.map(({ run_id }) => run_id)).toEqual(['run-a', 'run-b']);
    expect(await pruneRuns(place, { olderThanMs: 3_600_000 })).toEqual([]);
    const pruned = await pruneRuns(place, { keep: 1 });
    expect(pruned).toEqual(dry);
    expect(await leftOf('run-a')).toEqual([]);
    expect((await (await troupe()).runs()).map(({ run_id }) => run_id)).toEqual(['run-c']);
  });

  it('are removed by a process that was told how long they stay, and no others', async () => {
    await ended('old-run');
    const keeper = await troupe({ retainMs: 0, takeRuns: 1 });
    await eventually('it is gone', async () => (await leftOf('old-run')).length === 0);
    expect(await keeper.runs()).toEqual([]);
  });

  it('are all found again when the index of the runs was lost', async () => {
    await ended('run-a', 'run-b');
    const manager = await raw.jetstreamManager();
    await manager.streams.delete(`KV_troupe_${ns}_runs`);
    const watcher = await troupe();
    const listed = await watcher.runs();
    expect(listed.map(({ run_id, status }) => [run_id, status])).toEqual([
      ['run-a', 'succeeded'],
      ['run-b', 'succeeded'],
    ]);
    await deleteRun({ bus: server.url, ns }, 'run-a');
    expect((await watcher.runs()).map(({ run_id }) => run_id)).toEqual(['run-b']);
  });

  it('are carried on by another process when the index of the runs was lost', async () => {
    let open = (): void => undefined;
    const gate = new Promise<string>((resolve) => (open = () => resolve('done')));
    const first = await troupe({ functions: { say: () => gate } });
    const { id } = await first.run(document);
    await first.close();
    const manager = await raw.jetstreamManager();
    await manager.streams.delete(`KV_troupe_${ns}_runs`);
    open();
    const second = await troupe({ adopt: true, functions: { say: () => gate }, leaseMs: 500 });
    const { status } = await (await second.follow(id)).outcome();
    expect(status).toBe('succeeded');
  });
});
