import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { startNatsServer } from '../../support/nats-server.ts';
import type { NatsServer } from '../../support/nats-server.ts';
import { HostProcess, Observer, SupervisorProcess } from './host-process.ts';
import { Stage } from './worker-kit.ts';

let server: NatsServer;
const stage = new Stage();
const hosts: HostProcess[] = [];

beforeAll(async () => {
  server = await startNatsServer();
});
afterEach(async () => {
  await stage.end();
  await Promise.all(hosts.splice(0).map((host) => host.kill()));
});
afterAll(() => server.stop());

function observer(): Observer {
  const made = new Observer();
  stage.onEnd(() => Promise.resolve(made.remove()));
  return made;
}

async function host(...args: readonly string[]): Promise<HostProcess> {
  const made = new HostProcess(server.url, args);
  hosts.push(made);
  return made.ready();
}

interface Tasks {
  readonly [id: string]: object;
}

function document(tasks: Tasks, agent: object = {}): object {
  return {
    pools: { gpu: { remote: true, lost_after: '3s' } },
    agents: { a: { uses: 'function', module: 'host:work', pool: 'gpu', ...agent } },
    defaults: { agent: 'a', retry: { initial: '1ms' } },
    tasks,
  };
}

describe('worker hosts as processes, at level process', () => {
  it('that are killed lose their attempts, and others do them', async () => {
    const seen = observer();
    const first = await host();
    const troupe = await stage.troupe({
      bus: server.url,
      dataDir: seen.folder,
      level: 'process',
    });
    const tasks = { t: { with: { file: seen.file, ms: 300 } } };
    const handle = await troupe.run(document(tasks));
    await eventually('the attempt has begun', () => seen.seen('begun').length === 1);
    await first.kill();
    const second = await host();
    const report = await handle.outcome();
    expect(report.outputs).toEqual({ t: { pid: second.pid, attempt: 2 } });
    const records = await troupe.records(handle.id);
    const failures = records.filter(({ type }) => type === 'attempt.failed');
    expect(failures).toMatchObject([{ error: { code: 'TRP_ATTEMPT_LOST', errorClass: 'lost' } }]);
    expect(records.filter(({ type }) => type === 'task.succeeded')).toHaveLength(1);
  });

  it('that sleep longer than their silence may last come too late', async () => {
    const seen = observer();
    const first = await host();
    const troupe = await stage.troupe({ bus: server.url, dataDir: seen.folder, level: 'process' });
    const tasks = { t: { with: { file: seen.file, ms: 300 } } };
    const handle = await troupe.run(document(tasks));
    await eventually('the attempt has begun', () => seen.seen('begun').length === 1);
    first.signal('SIGSTOP');
    const second = await host();
    await eventually('it was begun elsewhere', () => seen.seen('begun').length === 2);
    first.signal('SIGCONT');
    const report = await handle.outcome();
    expect(report.outputs).toEqual({ t: { pid: second.pid, attempt: 2 } });
    const records = await troupe.records(handle.id);
    expect(records.filter(({ type }) => type === 'task.succeeded')).toHaveLength(1);
  });

  it('work on while the owner of the run is dead, and the next owner finds what they left', async () => {
    const seen = observer();
    await host();
    const tasks = {
      done: { with: { file: seen.file, ms: 300 } },
      going: { with: { file: seen.file, ms: 4_000 } },
      next: { needs: ['done', 'going'], with: { file: seen.file } },
    };
    const owner = new SupervisorProcess(server.url, seen.folder, document(tasks));
    const run = await owner.run();
    await eventually('both have begun', () => seen.seen('begun').length === 2);
    await owner.kill();
    await eventually('one has ended', () => seen.seen('effect').length === 1);
    const troupe = await stage.troupe({ bus: server.url, dataDir: seen.folder, level: 'process' });
    const report = await (await troupe.resume(run)).outcome();
    expect(report.status).toBe('succeeded');
    const operations = seen.seen('effect').map(([, operation]) => operation);
    expect(operations).toHaveLength(3);
    expect(new Set(operations).size).toBe(3);
    expect(seen.seen('begun')).toHaveLength(3);
  });

  it('end by themselves when they are told to: what is at work is finished first', async () => {
    const seen = observer();
    const first = await host('--concurrency', '1');
    const troupe = await stage.troupe({ bus: server.url, dataDir: seen.folder, level: 'process' });
    const file = seen.file;
    const tasks = { one: { with: { file, ms: 500 } }, two: { with: { file, ms: 1 } } };
    const handle = await troupe.run(document(tasks));
    await eventually('an attempt has begun', () => seen.seen('begun').length === 1);
    first.signal('SIGTERM');
    expect(await first.ended()).toBe(0);
    expect(seen.seen('effect')).toHaveLength(1);
    await host();
    const report = await handle.outcome();
    expect(report.tasks.map(({ attempts }) => attempts)).toEqual([1, 1]);
    expect(seen.seen('effect')).toHaveLength(2);
  });

  it('do no step twice that another host has done', async () => {
    const seen = observer();
    const first = await host();
    const troupe = await stage.troupe({ bus: server.url, dataDir: seen.folder, level: 'process' });
    const tasks = { t: { with: { file: seen.file, hang: true } } };
    const handle = await troupe.run(document(tasks, { module: 'host:pay' }));
    await eventually('the step is done', () => seen.seen('begun').length === 1);
    await first.kill();
    const second = await host();
    const report = await handle.outcome();
    expect(report.outputs).toEqual({ t: { paid: first.pid, by: second.pid } });
    expect(seen.seen('paid')).toHaveLength(1);
  });

  it('survive functions that never return or eat all memory', async () => {
    const seen = observer();
    const only = await host('--concurrency', '4');
    const troupe = await stage.troupe({ bus: server.url, dataDir: seen.folder, level: 'process' });
    const file = seen.file;
    const isolated = { uses: 'function', module: './agents.mjs', isolate: 'process', pool: 'gpu' };
    const once = { max_attempts: 1 };
    const base = document({
      endless: { agent: 'spinner', timeout: '1s', retry: once },
      greedy: { agent: 'hog', retry: once },
      fine: { with: { file, ms: 10 } },
    }) as { agents: object };
    const agents = {
      ...base.agents,
      spinner: { ...isolated, export: 'spin', limits: { kill_after: '200ms' } },
      hog: { ...isolated, export: 'hog', limits: { max_memory: '48MB' } },
    };
    const handle = await troupe.run({ ...base, agents });
    const { tasks } = await handle.outcome();
    expect(tasks).toMatchObject([
      { id: 'endless', outcome: 'timed_out' },
      { id: 'greedy', outcome: 'failed', error: { code: 'TRP_ATTEMPT_LOST' } },
      { id: 'fine', outcome: 'succeeded' },
    ]);
    expect(only.child.exitCode).toBe(null);
  });

  it('go on when the server was killed and came back', async () => {
    const seen = observer();
    await host('--concurrency', '2');
    const troupe = await stage.troupe({ bus: server.url, dataDir: seen.folder, level: 'process' });
    const ids = Array.from({ length: 12 }, (_, index) => `t${index}`);
    const tasks = Object.fromEntries(ids.map((id) => [id, { with: { file: seen.file, ms: 100 } }]));
    const handle = await troupe.run(document(tasks));
    await eventually('some are done', () => seen.seen('effect').length >= 3);
    await server.restart('SIGKILL');
    const report = await handle.outcome();
    expect(report.census).toMatchObject({ succeeded: 12 });
    const operations = new Set(seen.seen('effect').map(([, operation]) => operation));
    expect(operations.size).toBe(12);
  });
});
