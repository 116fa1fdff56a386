import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { TaskFunction } from '../../../src/actors/behaviours/behaviour.ts';
import { deferred, remoteTask, Stage } from './worker-kit.ts';

const stage = new Stage();
afterEach(() => stage.end());

function options(level: 'memory' | 'process'): object {
  if (level === 'memory') return {};
  const dataDir = mkdtempSync(join(tmpdir(), 'troupe-remote-'));
  stage.onEnd(() => Promise.resolve(rmSync(dataDir, { recursive: true, force: true })));
  return { dataDir, level };
}

const echo: TaskFunction = ({ input, memory }) => {
  memory.set('a.seen', input);
  return { got: input, before: memory.get('b.given') ?? null };
};

describe.each(['memory', 'process'] as const)('at level %s, a task on worker hosts', (level) => {
  it('is carried out by a host, and its output and its memory come back', async () => {
    const bus = stage.bus();
    const troupe = await stage.troupe({ bus, ...options(level) });
    await stage.worker({ bus, pools: ['gpu'], functions: { work: echo } });
    const handle = await troupe.run(remoteTask({ with: { n: 1 }, writes: ['a.seen'] }));
    const report = await handle.outcome();
    expect(report.outputs).toEqual({ t: { got: { n: 1 }, before: null } });
    const records = await troupe.records(handle.id);
    expect(records.filter(({ type }) => type === 'memory.committed')).toHaveLength(1);
  });

  it('sees the memory that it reads', async () => {
    const bus = stage.bus();
    const give: TaskFunction = ({ memory }) => memory.set('b.given', { deep: [1, 2] });
    const troupe = await stage.troupe({ bus, functions: { give }, ...options(level) });
    await stage.worker({ bus, pools: ['gpu'], functions: { work: echo } });
    const document = remoteTask({ needs: ['b'], reads: ['b.*'], writes: ['a.seen'] }) as {
      tasks: object;
    };
    const tasks = {
      b: { uses: 'function', module: 'host:give', owns: ['b.*'] },
      ...document.tasks,
    };
    const handle = await troupe.run({ ...document, tasks });
    const report = await handle.outcome();
    expect(report.outputs).toMatchObject({ t: { before: { deep: [1, 2] } } });
  });

  it('fails with the error of the host, and its retry policy decides what follows', async () => {
    const bus = stage.bus();
    const troupe = await stage.troupe({ bus, ...options(level) });
    let calls = 0;
    const work: TaskFunction = () => {
      calls++;
      if (calls === 1) throw new Error('once');
      throw Object.assign(new Error('for good'), { errorClass: 'permanent' });
    };
    await stage.worker({ bus, pools: ['gpu'], functions: { work } });
    const handle = await troupe.run(remoteTask({ retry: { initial: 1 } }));
    const [task] = (await handle.outcome()).tasks;
    expect(task).toMatchObject({ outcome: 'failed', attempts: 2, reason: 'not_retryable' });
    expect(task?.error?.message).toBe('for good');
  });

  it('does a step once, however many attempts and hosts it takes', async () => {
    const bus = stage.bus();
    const troupe = await stage.troupe({ bus, ...options(level) });
    let paid = 0;
    const work: TaskFunction = async ({ step, attempt }) => {
      const receipt = await step('pay', () => ++paid);
      if (attempt === 1) throw new Error('after the step');
      return receipt;
    };
    await stage.worker({ bus, pools: ['gpu'], concurrency: 1, functions: { work } });
    await stage.worker({ bus, pools: ['gpu'], concurrency: 1, functions: { work } });
    const handle = await troupe.run(remoteTask({ retry: { initial: 1 } }));
    expect((await handle.outcome()).outputs).toEqual({ t: 1 });
    expect(paid).toBe(1);
  });

  it('is ended on its host when its timeout is over', async () => {
    const bus = stage.bus();
    const troupe = await stage.troupe({ bus, ...options(level) });
    const reasons: unknown[] = [];
    const work: TaskFunction = ({ signal }) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          reasons.push((signal.reason as { code?: unknown }).code);
          reject(signal.reason as Error);
        });
      });
    await stage.worker({ bus, pools: ['gpu'], functions: { work } });
    const handle = await troupe.run(remoteTask({ timeout: '50ms', retry: { max_attempts: 1 } }));
    const [task] = (await handle.outcome()).tasks;
    expect(task?.outcome).toBe('timed_out');
    expect(reasons).toEqual(['TRP_ATTEMPT_TIMEOUT']);
  });

  it('is ended on its host when the run is cancelled', async () => {
    const bus = stage.bus();
    const troupe = await stage.troupe({ bus, ...options(level) });
    const [begun, begin] = deferred<void>();
    let aborted = 0;
    const work: TaskFunction = ({ signal }) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          aborted++;
          reject(signal.reason as Error);
        });
        begin();
      });
    const worker = await stage.worker({ bus, pools: ['gpu'], functions: { work } });
    const handle = await troupe.run(remoteTask());
    await begun;
    const report = await handle.cancel('test');
    expect(report.status).toBe('cancelled');
    expect(aborted).toBe(1);
    await worker.drain();
    expect(worker.stats()).toMatchObject({ busy: 0, failed: 1 });
  });

  it('tells how far it is, and what it has spent', async () => {
    const bus = stage.bus();
    const troupe = await stage.troupe({ bus, ...options(level) });
    const [watched, watch] = deferred<void>();
    const work: TaskFunction = async ({ progress, provider }) => {
      await watched;
      progress({ fraction: 0.5 });
      return provider('llm').call({ tokens: 5 }, () => ({
        value: 'answer',
        usage: { input_tokens: 3, output_tokens: 4, cost: 0.25 },
      }));
    };
    await stage.worker({ bus, pools: ['gpu'], functions: { work } });
    const document = { ...remoteTask(), providers: { llm: { requests_per_minute: 60 } } };
    const handle = await troupe.run(document);
    const seen: unknown[] = [];
    const events = (async () => {
      for await (const event of handle.events())
        if (event.type === 'task.progress') seen.push(event.fraction);
    })();
    watch();
    const report = await handle.outcome();
    await events;
    expect(report.outputs).toEqual({ t: 'answer' });
    expect(report.spend).toMatchObject({ input_tokens: 3, output_tokens: 4, cost: 0.25 });
    expect(seen).toEqual([0.5]);
  });

  it('may take and leave more than a message holds', async () => {
    const bus = stage.bus();
    const troupe = await stage.troupe({ bus, ...options(level) });
    const work: TaskFunction = ({ input }) => [(input as { text: string }).text, 'back'];
    await stage.worker({ bus, pools: ['gpu'], functions: { work } });
    const text = 'x'.repeat(1_500_000);
    const handle = await troupe.run(remoteTask({ with: { text } }));
    expect((await handle.outcome()).outputs).toEqual({ t: [text, 'back'] });
  });

  it('is handed back by a host that has to leave, and done by another', async () => {
    const bus = stage.bus();
    const troupe = await stage.troupe({ bus, ...options(level) });
    const [begun, begin] = deferred<void>();
    let paid = 0;
    const slow: TaskFunction = async ({ signal, step }) => {
      await step('pay', () => ++paid);
      begin();
      await new Promise((_, reject) =>
        signal.addEventListener('abort', () => reject(signal.reason as Error)),
      );
    };
    const quick: TaskFunction = ({ step }) => step('pay', () => ++paid);
    const first = await stage.worker({ bus, pools: ['gpu'], functions: { work: slow } });
    const handle = await troupe.run(remoteTask());
    await begun;
    await stage.worker({ bus, pools: ['gpu'], functions: { work: quick } });
    await first.drain({ withinMs: 0 });
    const report = await handle.outcome();
    expect(report.tasks[0]).toMatchObject({ outcome: 'succeeded', attempts: 1 });
    expect(paid).toBe(1);
    expect(first.stats()).toMatchObject({ handedBack: 1, busy: 0 });
    expect(first.state).toBe('stopped');
  });
});

describe('what a worker host runs', () => {
  it.each([
    ['a program', { uses: 'command', command: ['true'] }, '--allow-commands'],
    ['a module without a folder', { uses: 'function', module: './work.mjs' }, '--base-dir'],
    ['a package', { uses: 'function', module: 'node:child_process' }, 'host:NAME'],
  ])('is not %s unless it was started so', async (_, agent, hint) => {
    const bus = stage.bus();
    const troupe = await stage.troupe({ bus });
    await stage.worker({ bus, pools: ['gpu'] });
    const handle = await troupe.run({
      pools: { gpu: { remote: true } },
      agents: { a: { ...agent, pool: 'gpu' } },
      tasks: { t: { agent: 'a' } },
    });
    const [task] = (await handle.outcome()).tasks;
    expect(task).toMatchObject({ attempts: 1, error: { code: 'TRP_WORKER_REFUSED' } });
    expect(task?.error?.hint).toContain(hint);
  });

  it('is a program when it was started so', async () => {
    const bus = stage.bus();
    const troupe = await stage.troupe({ bus });
    await stage.worker({ bus, pools: ['gpu'], allowCommands: true });
    const handle = await troupe.run({
      pools: { gpu: { remote: true } },
      agents: { a: { uses: 'command', command: ['echo', '{"output": 5}'], pool: 'gpu' } },
      tasks: { t: { agent: 'a' } },
    });
    expect((await handle.outcome()).status).toBe('succeeded');
  });
});

describe('the order of work', () => {
  it('is by priority before anything else, over all pools of a host', async () => {
    const bus = stage.bus();
    const troupe = await stage.troupe({ bus, ...options('process') });
    const order: string[] = [];
    const work: TaskFunction = ({ task }) => void order.push(task);
    const tasks = Object.fromEntries(
      [2, 10, 5, 8, 1, 9].map((priority, index) => [
        `t${priority}`,
        { agent: index % 2 === 0 ? 'a' : 'b', priority },
      ]),
    );
    const pools = { gpu: { remote: true }, cpu: { remote: true } };
    const agents = {
      a: { uses: 'function', module: 'host:work', pool: 'gpu' },
      b: { uses: 'function', module: 'host:work', pool: 'cpu' },
    };
    const handle = await troupe.run({ pools, agents, tasks });
    const waiting = async (): Promise<number> => {
      const queues = await Promise.all(['gpu', 'cpu'].map((pool) => bus.workQueue(pool)));
      const depths = await Promise.all(queues.map((queue) => queue.depth()));
      return depths.reduce((sum, { waiting: by }) => sum + by.p0 + by.p1 + by.p2 + by.p3, 0);
    };
    while ((await waiting()) < 6) await new Promise((resolve) => setImmediate(resolve));
    await stage.worker({ bus, pools: ['gpu', 'cpu'], concurrency: 1, functions: { work } });
    await handle.outcome();
    expect(order.slice(0, 2).toSorted()).toEqual(['t10', 't9']);
    expect(order.slice(2)).toEqual(['t8', 't5', ...order.slice(4)]);
    expect(order.slice(4).toSorted()).toEqual(['t1', 't2']);
  });
});
