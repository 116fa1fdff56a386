import { afterEach, describe, expect, it } from 'vitest';
import type { Bus } from '../../../src/bus/bus.ts';
import type { EmbeddedBus } from '../../../src/bus/embedded/embedded-bus.ts';
import { createEmbeddedBus } from '../../../src/bus/embedded/embedded-bus.ts';
import { systemClock } from '../../../src/core/clock.ts';
import type { TaskFunction } from '../../../src/actors/behaviours/behaviour.ts';
import { createTroupe } from '../../../src/runtime/troupe.ts';
import type { Troupe, TroupeOptions } from '../../../src/runtime/api.ts';
import { eventually } from '../../support/eventually.ts';

const agents = { worker: { uses: 'function', module: 'host:work' } };

/** n tasks that each write a key of their own and one that all of them write. */
function document(n: number): object {
  const tasks = Object.fromEntries(
    Array.from({ length: n }, (_, index) => [
      `t${index}`,
      { agent: 'worker', writes: [`out.t${index}`, 'sum.all'] },
    ]),
  );
  return {
    version: 1,
    name: 'shown',
    agents,
    tasks,
    memory: { keys: { 'sum.all': { merge: 'append' } } },
  };
}

const work: TaskFunction = async ({ memory, task, progress }) => {
  progress({ fraction: 0.5, message: 'half' });
  memory.set(`out.${task}`, { by: task });
  memory.set('sum.all', [task]);
  return `result of ${task}`;
};

async function ended(troupe: Troupe, n: number): Promise<string> {
  const run = await troupe.run(document(n));
  const { status } = await run.outcome();
  expect(status).toBe('succeeded');
  return run.id;
}

async function contents(bus: Bus, pattern: string): Promise<Record<string, unknown>> {
  const bucket = await bus.keys('mem');
  const keys = await bucket.keys(pattern);
  const entries = await Promise.all(
    keys.map(async (key) => [key.slice(key.indexOf('.') + 1), (await bucket.get(key))?.value]),
  );
  return Object.fromEntries(entries) as Record<string, unknown>;
}

describe('what a run shows on the bus', () => {
  let troupe: Troupe | undefined;
  let bus: EmbeddedBus | undefined;
  const begin = async (options: TroupeOptions = {}): Promise<Troupe> => {
    troupe = await createTroupe({ functions: { work }, ...options });
    return troupe;
  };
  const given = (): EmbeddedBus => {
    bus = createEmbeddedBus({ clock: systemClock, schedule: setImmediate });
    return bus;
  };
  afterEach(async () => {
    await troupe?.close();
    await bus?.close();
  });

  it('is its memory, results, progress and how it stands, as keys of the bucket', async () => {
    const shared = given();
    const run = await ended(await begin({ bus: shared }), 3);
    await eventually('it is shown', async () => 'parallel.run' in (await contents(shared, '>')));
    await eventually('its end is shown', async () =>
      Boolean(((await contents(shared, '>'))['parallel.run'] as { ended?: boolean }).ended),
    );
    const shown = await contents(shared, `${run}.>`);
    expect(shown).toMatchObject({
      'out.t0': { by: 't0' },
      'out.t2': { by: 't2' },
      'parallel.results.t1': { task: 't1', outcome: 'succeeded', output: 'result of t1' },
      'parallel.run': { status: 'succeeded', ended: true },
    });
    expect([...(shown['sum.all'] as string[])].sort()).toEqual(['t0', 't1', 't2']);
  });

  it('is nothing while nobody can look, and everything as soon as somebody does', async () => {
    const opened = await begin();
    const run = await opened.run(document(2));
    await run.outcome();
    const memory = await opened.memory(run.id);
    expect(memory.view().keys()).toEqual([]);
    await memory.close();
    const next = await opened.run(document(2));
    const live = await opened.memory(next.id);
    await next.outcome();
    await eventually('all is in view', () => live.view().keys('out.>').length === 2);
    await live.close();
  });

  it('reaches a late observer of a run that is still going', async () => {
    let release: (value: unknown) => void = () => undefined;
    const gate = new Promise((resolve) => {
      release = resolve;
    });
    const opened = await begin({
      functions: {
        work: async (context) => {
          if (context.task === 't1') await gate;
          return work(context);
        },
      },
    });
    const run = await opened.run(document(2));
    await eventually('the first task is through', () => run.report().census.succeeded === 1);
    const shown = await contents(opened.bus, `${run.id}.>`).then(async () => {
      await eventually('it is shown', async () => 'out.t0' in (await contents(opened.bus, '>')));
      return contents(opened.bus, `${run.id}.>`);
    });
    expect(shown['parallel.results.t0']).toMatchObject({ outcome: 'succeeded' });
    expect('out.t1' in shown).toBe(false);
    release(undefined);
    await run.outcome();
  });

  it('copies changesets in order into the log, so that a copy elsewhere has the same views', async () => {
    const shared = given();
    const opened = await begin({ bus: shared });
    const run = await opened.run(document(5));
    await run.outcome();
    const memory = await opened.memory(run.id);
    await eventually('all changesets are there', () => memory.view().keys('out.>').length === 5);
    const records = await opened.records(run.id);
    const committed = records.filter(({ type }) => type === 'memory.committed');
    expect(memory.revision).toBe(committed.at(-1)?.seq);
    await memory.close();
  });

  it('catches up after the bus was away, and does not hold up the run meanwhile', async () => {
    const shared = given();
    const away = shared.peer();
    const opened = await begin({ bus: away });
    away.disconnect();
    const run = await opened.run(document(30));
    expect((await run.outcome()).status).toBe('succeeded');
    expect(await contents(shared, '>')).toEqual({});
    const seen = eventually('all is shown', async () => {
      const shown = await contents(shared, `${run.id}.>`);
      return Object.keys(shown).filter((key) => key.startsWith('parallel.results.')).length === 30;
    });
    away.reconnect();
    await seen;
  });

  it('takes changes from outside that the document allows, and refuses others', async () => {
    let release: (value: unknown) => void = () => undefined;
    const gate = new Promise((resolve) => {
      release = resolve;
    });
    const opened = await begin({ functions: { work: async () => gate } });
    const run = await opened.run({
      ...document(1),
      agents: { worker: { ...agents.worker, owns: ['desk.>'] } },
    });
    const memory = await opened.memory(run.id);
    const { revision } = await memory.propose({ 'desk.note': 'hello' }, { agent: 'worker' });
    expect(memory.view().get('desk.note')).toBe('hello');
    await expect(memory.propose({ 'desk.note': 'x' }, { agent: 'who' })).rejects.toMatchObject({
      code: 'TRP_MEMORY_NOT_OWNER',
    });
    release('done');
    await run.outcome();
    const records = await opened.records(run.id);
    expect(records.find(({ seq }) => seq === revision)).toMatchObject({
      type: 'memory.committed',
      agent: 'worker',
    });
    await memory.close();
  });

  it('tells conflicts in a log of their own', async () => {
    const shared = given();
    const opened = await begin({
      bus: shared,
      functions: {
        work: async ({ memory, task }) => {
          memory.set('k', task);
          return null;
        },
      },
    });
    const run = await opened.run({
      version: 1,
      agents,
      tasks: {
        a: { agent: 'worker', writes: ['worker.k'] },
        b: { agent: 'worker', writes: ['worker.k'] },
      },
      memory: { keys: { 'worker.k': { merge: 'first_writer_wins' } } },
    });
    await run.outcome();
    const log = await shared.log('cfl', run.id);
    await eventually('the conflict is there', async () => (await log.lastSeq()) > 0);
    const frames = [];
    for await (const { payload } of log.read()) frames.push(payload);
    expect(frames).toMatchObject([{ records: [{ type: 'conflict.recorded', key: 'worker.k' }] }]);
  });

  it('goes on over values and names that the bus cannot hold', async () => {
    const shared = given();
    const long = `out.${'n'.repeat(300)}`;
    const opened = await begin({
      bus: shared,
      functions: {
        work: ({ memory, task }) => {
          memory.set('out.big', 'x'.repeat(1_500_000));
          memory.set('out.small', task);
          memory.set(long, 1);
          return null;
        },
        next: ({ memory }) => {
          memory.set('next.k', 'after');
          return null;
        },
      },
    });
    const run = await opened.run({
      version: 1,
      agents: { ...agents, next: { uses: 'function', module: 'host:next', owns: ['next.*'] } },
      tasks: {
        a: { agent: 'worker', writes: ['out.>'] },
        b: { agent: 'next', needs: ['a'] },
      },
    });
    const live = await opened.memory(run.id);
    expect((await run.outcome()).status).toBe('succeeded');
    await eventually('what came later is in view', () => live.view().get('next.k') === 'after');
    const omitted = { $omitted: 'too large for a message' };
    expect(['out.big', 'out.small', long].map((key) => live.view().get(key))).toEqual([
      omitted,
      'a',
      1,
    ]);
    await eventually('the end is shown', async () =>
      Boolean(((await contents(shared, '>'))['parallel.run'] as { ended?: boolean }).ended),
    );
    expect(await contents(shared, '>')).toMatchObject({
      'out.big': omitted,
      'out.small': 'a',
      'next.k': 'after',
    });
    await live.close();
  });
});
