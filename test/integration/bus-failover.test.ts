import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Troupe } from '../../src/runtime/api.ts';
import { createTroupe } from '../../src/runtime/troupe.ts';
import { eventually } from '../support/eventually.ts';
import { natsServers, startNatsServer } from '../support/nats-server.ts';
import type { NatsServer } from '../support/nats-server.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import type { Program } from './support/program.ts';
import { faultsOf, objectIn, ownersOf, ServedWorld } from './support/served-world.ts';

/** Two processes begin, one of them dies, and its lease runs out: that takes its time on a busy machine. */
const options = { timeout: 120_000 };

describe.each(natsServers())('processes that serve one nats-server $version', options, (binary) => {
  let server: NatsServer;
  let world: ServedWorld;
  let watcher: Troupe;

  beforeAll(async () => {
    server = await startNatsServer({ server: binary });
  });
  afterAll(() => server.stop());
  beforeEach(async () => {
    world = new ServedWorld();
    watcher = await createTroupe({ bus: server.url, journal: 'bus' });
  });
  afterEach(async () => {
    await watcher.close();
    await world.remove();
  });

  /** Submits the gated run and waits until somebody stands at its gate. */
  async function runAtGate(): Promise<string> {
    const submitted = await world.call('run', world.gated, '--submit', '--bus', server.url);
    expect(submitted).toMatchObject({ code: 0, stderr: '' });
    const run = submitted.stdout.trim();
    await eventually('it stands at its gate', () =>
      world.effects().some((effect) => effect.run === run && effect.task === 'gate'),
    );
    return run;
  }

  /** Of those that are at the gate, in order. */
  const atGate = (run: string): readonly number[] =>
    world
      .effects()
      .flatMap((effect) => (effect.run === run && effect.task === 'gate' ? effect.pid : []));

  async function takenOver(run: string, from: Program): Promise<void> {
    await eventually('another process stands at the gate', () =>
      atGate(run).some((pid) => pid !== from.child.pid),
    );
  }

  async function endsWell(run: string, owners: number): Promise<void> {
    world.open();
    const report = await (await watcher.follow(run)).outcome();
    expect(report).toMatchObject({ status: 'succeeded', outputs: { after: 'after' } });
    const records = await watcher.records(run);
    expect(new Set(ownersOf(records)).size).toBe(owners);
    const done = records.flatMap((one) => (one.type === 'task.succeeded' ? one.task : []));
    expect(done).toEqual(['before', 'gate', 'after']);
    const before = world.effects().filter((one) => one.run === run && one.task === 'before');
    expect(before).toHaveLength(1);
  }

  it('carries on with the run of a process that was killed', async () => {
    const first = world.serve(server.url);
    const run = await runAtGate();
    world.serve(server.url);
    await first.kill('SIGKILL');
    await takenOver(run, first);
    await endsWell(run, 2);
  });

  it('carries on with the run of a process that stood still, and that one lets go of it', async () => {
    const first = world.serve(server.url);
    const run = await runAtGate();
    world.serve(server.url);
    first.child.kill('SIGSTOP');
    await takenOver(run, first);
    first.child.kill('SIGCONT');
    await endsWell(run, 2);
    const { code, stderr } = await first.kill('SIGTERM');
    expect([code, stderr]).toEqual([0, expect.stringContaining('TRP_JOURNAL_FENCED')]);
  });

  it('carries on with the run of a process that was cut off from the server', async () => {
    const proxy = await TcpProxy.to(server.port);
    const first = world.serve(proxy.url);
    const run = await runAtGate();
    world.serve(server.url);
    proxy.cut();
    await takenOver(run, first);
    proxy.heal();
    await endsWell(run, 2);
    await first.kill('SIGTERM');
    await proxy.close();
  });

  it('hands its runs over at once when it is told to end', async () => {
    const first = world.serve(server.url, ['--lease', '10m']);
    const run = await runAtGate();
    world.serve(server.url);
    const { code } = await first.kill('SIGTERM');
    expect(code).toBe(0);
    await takenOver(run, first);
    await endsWell(run, 2);
  });

  it('finishes its runs before it ends, when it is told how long it may take', async () => {
    const first = world.serve(server.url, ['--drain', '1m']);
    const run = await runAtGate();
    first.child.kill('SIGTERM');
    await endsWell(run, 1);
    expect((await first.ended).code).toBe(0);
  });

  it('goes on with its runs when the server was killed and is back', async () => {
    world.serve(server.url);
    const submitted = await world.call(
      'run',
      world.flow,
      '--submit',
      '--bus',
      server.url,
      '-i',
      'ms=150',
    );
    const run = submitted.stdout.trim();
    await eventually('it runs', () => world.effects().some((effect) => effect.run === run));
    await server.restart('SIGKILL');
    await (await watcher.follow(run)).outcome();
    expect(faultsOf(run, await watcher.records(run), world.effects())).toEqual([]);
  });

  it('shows, lists and cancels runs of other processes, and waits for them', async () => {
    world.serve(server.url);
    const run = await runAtGate();
    const at = ['--bus', server.url] as const;
    const shown = await world.call('show', run, '--json', ...at);
    expect(objectIn(shown)).toMatchObject({ run_id: run, status: 'running' });
    const listed = await world.call('runs', '--json', ...at);
    expect(objectIn(listed)['runs']).toContainEqual(
      expect.objectContaining({ run_id: run, owner: expect.stringMatching(/^node-/) }),
    );
    const cancelled = await world.call('cancel', run, '--json', ...at);
    expect(objectIn(cancelled)).toMatchObject({ run_id: run, status: 'cancelled' });
    const waited = await world.call(
      'run',
      world.flow,
      '--submit',
      '--wait',
      '--json',
      '-i',
      'ms=1',
      ...at,
    );
    expect([waited.code, objectIn(waited)['status']]).toEqual([0, 'succeeded']);
  });

  it('tells whether it lives and takes work', async () => {
    const serving = world.serve(server.url, ['--health-port', '0', '--drain', '1m']);
    const run = await runAtGate();
    const port = /health=(\d+)/.exec(await firstLine(serving))?.[1];
    const ready = async (path: string): Promise<number> =>
      (await fetch(`http://127.0.0.1:${port}${path}`)).status;
    expect([await ready('/healthz'), await ready('/readyz')]).toEqual([200, 200]);
    serving.child.kill('SIGTERM');
    await eventually('it is not ready', async () => (await ready('/readyz')) === 503);
    expect(await ready('/healthz')).toBe(200);
    await endsWell(run, 1);
    expect((await serving.ended).code).toBe(0);
  });
});

/** What it has said so far. */
async function firstLine(program: Program): Promise<string> {
  await eventually('it has said that it serves', () => program.told.includes('serving'));
  return program.told;
}
