import { describe, expect, it } from 'vitest';

import type { TaskContext } from '../../src/actors/behaviours/behaviour.ts';
import type { JournalRecord } from '../../src/journal/record.ts';
import { carryOut, outcomes, refolded } from '../support/run-harness.ts';
import type { HarnessResult } from '../support/run-harness.ts';

const breaker = { minimum_calls: 2, sliding_window: 10, wait: '30s', half_open_calls: 1 };

/** Tasks t0, t1, ... of one agent, one after another as permits allow. */
function tasks(count: number, rest: object = {}): object {
  const ids = Array.from({ length: count }, (_, index) => `t${index}`);
  return Object.fromEntries(ids.map((id) => [id, { agent: 'a', retry: 1, ...rest }]));
}

function agent(rest: object = {}): object {
  return { a: { uses: 'function', module: 'host:work', breaker, ...rest } };
}

/** Fails the first so many calls. */
function failing(count: number): (context: TaskContext) => Promise<string> {
  let calls = 0;
  return () => {
    calls++;
    return calls <= count ? Promise.reject(new Error('down')) : Promise.resolve('ok');
  };
}

function started({ records }: HarnessResult): readonly (readonly [string, number])[] {
  const begun = records.filter((record) => record.type === 'task.started');
  return begun.map(({ task, at }) => [task, at] as const);
}

function decisions(records: readonly JournalRecord[]): readonly object[] {
  return records
    .filter((record) => record.type === 'breaker.decided')
    .map(({ task, breaker: name, decision, until, to }) => ({
      task,
      name,
      decision,
      until,
      ...(to && { to }),
    }));
}

describe('tasks of an agent whose breaker is open', () => {
  it('wait without permits and without spending attempts until it lets one try, and go on when that succeeds', async () => {
    const result = await carryOut({
      document: {
        agents: agent(),
        resources: { concurrency: 1 },
        tasks: { ...tasks(5), other: { uses: 'simulate', with: { duration: 10 }, priority: 1 } },
      },
      functions: { work: failing(2) },
    });
    expect(result.end).toBe('ended');
    const times = Object.fromEntries(started(result));
    expect([times['t0'], times['t1']]).toEqual([0, 0]);
    expect(times['other']).toBe(0);
    expect([times['t2'], times['t3'], times['t4']]).toEqual([30_000, 30_000, 30_000]);
    expect(outcomes(result.report)).toMatchObject({ t0: 'failed', t1: 'failed', t2: 'succeeded' });
    expect(result.report.tasks.find(({ id }) => id === 't4')?.attempts).toBe(1);
    const waits = decisions(result.records);
    expect(waits).toHaveLength(3);
    expect(waits[0]).toMatchObject({ name: 'agent:a', decision: 'wait', until: 30_000 });
    expect(result.state.breakers.get('agent:a')).toEqual({
      waited: 3,
      redistributed: 0,
      failed: 0,
    });
  });

  it('wait for another 30 s each time that the one that may try fails', async () => {
    const result = await carryOut({
      document: { agents: agent(), resources: { concurrency: 1 }, tasks: tasks(4) },
      functions: { work: failing(3) },
    });
    const times = Object.fromEntries(started(result));
    expect([times['t2'], times['t3']]).toEqual([30_000, 60_000]);
    expect(outcomes(result.report)).toMatchObject({ t2: 'failed', t3: 'succeeded' });
  });

  it('end when their deadline comes while they wait', async () => {
    const result = await carryOut({
      document: {
        agents: agent(),
        resources: { concurrency: 1 },
        tasks: tasks(3, { deadline: '10s' }),
      },
      functions: { work: failing(2) },
    });
    expect(result.end).toBe('ended');
    expect(result.report.tasks[2]).toMatchObject({
      outcome: 'timed_out',
      reason: 'deadline_exceeded',
      attempts: 0,
      finished_ms: 10_000,
    });
  });

  it('end at once where the document wants that', async () => {
    const result = await carryOut({
      document: {
        agents: agent({ breaker: { ...breaker, when_open: 'fail' } }),
        resources: { concurrency: 1 },
        tasks: tasks(3),
      },
      functions: { work: failing(9) },
    });
    expect(result.report.tasks[2]).toMatchObject({
      outcome: 'failed',
      reason: 'breaker_open',
      attempts: 0,
      error: { code: 'TRP_BREAKER_OPEN', errorClass: 'transient' },
    });
  });

  it('go to a peer where the document wants that, and wait where no peer is free either', async () => {
    const b = { uses: 'function', module: 'host:peer', breaker };
    const result = await carryOut({
      document: {
        agents: {
          ...agent({ breaker: { ...breaker, when_open: 'redistribute' }, peers: ['b'] }),
          b,
        },
        resources: { concurrency: 1 },
        tasks: tasks(6),
      },
      functions: { work: failing(2), peer: failing(2) },
    });
    expect(result.end).toBe('ended');
    const made = decisions(result.records);
    expect(made.slice(0, 4)).toMatchObject(
      ['t2', 't3', 't4', 't5'].map((task) => ({ task, decision: 'redistribute', to: 'b' })),
    );
    expect(made.slice(4)).not.toHaveLength(0);
    for (const one of made.slice(4)) expect(one).toMatchObject({ decision: 'wait', until: 30_000 });
    expect(new Set(Object.values(outcomes(result.report)))).toEqual(new Set(['succeeded']));
    expect(refolded(result.records)).toEqual(result.state);
  });

  it('are let go on by retries only when it does', async () => {
    const retry = { max_attempts: 3, initial: '1s', backoff: 'fixed', jitter: 0 };
    const result = await carryOut({
      document: { agents: agent(), resources: { concurrency: 1 }, tasks: tasks(1, { retry }) },
      functions: { work: failing(2) },
    });
    expect(started(result).map(([, at]) => at)).toEqual([0, 1000, 31_000]);
    expect(outcomes(result.report)).toEqual({ t0: 'succeeded' });
  });
});

describe('what counts as a failure', () => {
  it('is an attempt that ran into its timeout', async () => {
    const result = await carryOut({
      document: {
        agents: agent(),
        resources: { concurrency: 1 },
        tasks: tasks(3, { timeout: '1s' }),
      },
      functions: {
        work: ({ task, signal }) =>
          task === 't2'
            ? 'ok'
            : new Promise((_, reject) => {
                signal.addEventListener('abort', () => reject(signal.reason as Error));
              }),
      },
    });
    expect(Object.fromEntries(started(result))['t2']).toBe(32_000);
  });

  it('is none that was cancelled, and its place among those that may try is given back', async () => {
    const result = await carryOut({
      document: {
        agents: agent(),
        tasks: tasks(4),
        groups: {
          g: {
            tasks: ['t2', 't3'],
            barrier: { type: 'smart', min_success: 1 },
            needs: ['t0', 't1'],
          },
        },
      },
      functions: { work: failing(0) },
      during: (core) => {
        core.services.breakers?.trip(core.run, 'agent:a', 'for this test');
      },
    });
    expect(result.end).toBe('ended');
  });
});

describe('the breaker of a tool', () => {
  it('holds calls back while the attempt goes on, with its timeout standing still', async () => {
    let calls = 0;
    const result = await carryOut({
      document: {
        breakers: { tools: { git: breaker } },
        agents: { a: { uses: 'function', module: 'host:work' } },
        tasks: tasks(1, { timeout: '10s' }),
      },
      functions: {
        work: async ({ tool }) => {
          const call = (): Promise<string> =>
            tool('git').call(() => {
              calls++;
              if (calls <= 2) throw new Error('down');
              return 'pushed';
            });
          await call().catch(() => undefined);
          await call().catch(() => undefined);
          return call();
        },
      },
    });
    expect(result.report.tasks[0]).toMatchObject({ outcome: 'succeeded', finished_ms: 30_000 });
    expect(result.report.outputs).toEqual({ t0: 'pushed' });
  });

  it('fails the call at once where the document wants that, and the retry waits for it', async () => {
    let calls = 0;
    const result = await carryOut({
      document: {
        breakers: { tools: { git: { ...breaker, when_open: 'fail' } } },
        agents: { a: { uses: 'function', module: 'host:work' } },
        tasks: tasks(1, { retry: 2 }),
      },
      functions: {
        work: async ({ tool }) => {
          const call = (): Promise<string> =>
            tool('git').call(() => {
              calls++;
              if (calls <= 2) throw new Error('down');
              return 'pushed';
            });
          await call().catch(() => undefined);
          await call().catch(() => undefined);
          return call();
        },
      },
    });
    expect(result.report.tasks[0]).toMatchObject({ outcome: 'succeeded', attempts: 2 });
    expect(started(result)[1]?.[1]).toBe(30_000);
  });

  it('lets tools through that the document says nothing of', async () => {
    const result = await carryOut({
      document: { agents: { a: { uses: 'function', module: 'host:work' } }, tasks: tasks(1) },
      functions: { work: ({ tool }) => tool('git').call(() => 'pushed') },
    });
    expect(result.report.outputs).toEqual({ t0: 'pushed' });
  });
});

describe('the breaker of a provider', () => {
  const document = (rest: object = {}): object => ({
    providers: { api: { breaker: { ...breaker, ...rest } } },
    agents: { a: { uses: 'function', module: 'host:work', provider: 'api' } },
    resources: { concurrency: 1 },
    tasks: tasks(3),
  });
  const answering = (statuses: readonly number[]) => {
    let calls = 0;
    return ({ provider }: TaskContext): Promise<string> =>
      provider().call({}, () => {
        const status = statuses[calls++];
        if (status !== undefined) throw Object.assign(new Error('no'), { status });
        return { value: 'ok' };
      });
  };

  it('holds back tasks of agents that call it', async () => {
    const result = await carryOut({
      document: document(),
      functions: { work: answering([500, 500]) },
    });
    expect(Object.fromEntries(started(result))['t2']).toBe(30_000);
    expect(outcomes(result.report)).toEqual({ t0: 'failed', t1: 'failed', t2: 'succeeded' });
  });

  it('does not take calls for failures that were wrong themselves', async () => {
    const result = await carryOut({
      document: document(),
      functions: { work: answering([400, 404]) },
    });
    expect(Object.fromEntries(started(result))['t2']).toBe(0);
  });
});

describe('a run with breakers that is resumed', () => {
  it('comes to the same outcomes after a crash at any record', async () => {
    const options = (): Parameters<typeof carryOut>[0] => ({
      document: { agents: agent(), resources: { concurrency: 1 }, tasks: tasks(4, { retry: 6 }) },
      functions: { work: failing(2) },
    });
    const whole = await carryOut(options());
    for (let length = 1; length < whole.records.length; length++) {
      const result = await carryOut({ ...options(), records: whole.records.slice(0, length) });
      expect(result.end).toBe('ended');
      expect(new Set(Object.values(outcomes(result.report)))).toEqual(new Set(['succeeded']));
      expect(refolded(result.records)).toEqual(result.state);
    }
  });
});
