import { describe, expect, it } from 'vitest';
import type { TaskFunction, Usage } from '../../src/actors/behaviours/behaviour.ts';
import { fold } from '../../src/journal/fold.ts';
import { carryOut, outcomes, sim } from '../support/run-harness.ts';

const agents = {
  caller: { uses: 'function', module: 'host:call', provider: 'llm' },
};
const providers = { llm: {} };

/** Calls once, uses so much, and fails the attempts that it is told to. */
function spends(usage: Usage, failing: readonly number[] = []): TaskFunction {
  return async ({ provider, attempt }) => {
    await provider().call({}, () => ({ value: null, usage }));
    if (failing.includes(attempt)) throw new Error('after the call');
    return 'done';
  };
}

/** A chain of tasks, one after the other. */
function chain(count: number): object {
  return Object.fromEntries(
    Array.from({ length: count }, (_, index) => [
      `t${index}`,
      { agent: 'caller', needs: index === 0 ? [] : [`t${index - 1}`] },
    ]),
  );
}

const document = (budget: object, tasks: object, rest: object = {}): object => ({
  version: 1,
  name: 'budget',
  agents,
  providers,
  budget,
  tasks,
  ...rest,
});

describe('what a run spends', () => {
  it('is journaled per attempt, failed ones included, and counted per agent', async () => {
    const usage = { input_tokens: 60, output_tokens: 40, cost: 0.5 };
    const { report, records } = await carryOut({
      document: document({}, { a: { agent: 'caller', retry: { backoff: 'none' } } }),
      functions: { call: spends(usage, [1, 2]) },
    });
    expect(report.status).toBe('succeeded');
    const all = { input_tokens: 180, output_tokens: 120, cost: 1.5 };
    expect(report.spend).toEqual({ ...all, by_agent: { caller: all }, exhausted: [] });
    const spent = records.filter(({ type }) => type === 'attempt.spent');
    expect(spent.map((record) => 'attempt' in record && record.attempt)).toEqual([1, 2, 3]);
    expect(fold(records).spend.total).toEqual(all);
  });

  it('counts also of losers: an attempt that ran into its timeout', async () => {
    const { report } = await carryOut({
      document: document({}, { a: { agent: 'caller', timeout: '1s', retry: 1 } }),
      functions: {
        call: async ({ provider, signal }) => {
          await provider().call({}, () => ({ value: null, usage: { cost: 2 } }));
          await new Promise((_, reject) => {
            signal.addEventListener('abort', () => reject(new Error('late')));
          });
        },
      },
    });
    expect(report.tasks[0]?.outcome).toBe('timed_out');
    expect(report.spend.cost).toBe(2);
  });
});

describe('a budget', () => {
  it.each([
    ['tokens', { tokens: 250 }],
    ['cost', { cost: 2.5 }],
  ])('of %s lets begin what fits, ends the run partial and says why', async (cap, budget) => {
    const { report } = await carryOut({
      document: document(budget, chain(6)),
      functions: { call: spends({ input_tokens: 50, output_tokens: 50, cost: 1 }) },
    });
    expect(report).toMatchObject({ status: 'partial', reason: 'budget_exhausted' });
    expect(report.spend.exhausted).toEqual([{ cap, agent: null }]);
    expect(report.census).toMatchObject({ succeeded: 3, skipped: 3, failed: 0 });
    const reasons = report.tasks.slice(3).map(({ reason }) => reason);
    expect(new Set(reasons)).toEqual(new Set(['budget_exhausted']));
  });

  it('of time lets what runs end, and nothing else begin', async () => {
    const { report } = await carryOut({
      document: {
        version: 1,
        name: 'time',
        budget: { time: '10s' },
        tasks: {
          long: sim(25_000),
          short: sim(5_000),
          next: sim(7_000, { needs: ['short'] }),
          late: sim(1, { needs: ['next'] }),
        },
      },
    });
    expect(report).toMatchObject({ status: 'partial', reason: 'budget_exhausted' });
    expect(outcomes(report)).toEqual({
      long: 'succeeded',
      short: 'succeeded',
      next: 'succeeded',
      late: 'skipped',
    });
    expect(report.spend.exhausted).toEqual([{ cap: 'time', agent: null }]);
  });

  it('of an agent stops that agent only', async () => {
    const { report } = await carryOut({
      document: document(
        {},
        {
          ...chain(3),
          other: { agent: 'free', needs: [{ task: 't0' }] },
        },
        {
          agents: {
            caller: { ...agents.caller, budget: { cost: 1 } },
            free: { uses: 'function', module: 'host:free' },
          },
        },
      ),
      functions: { call: spends({ cost: 1 }), free: () => 'free' },
    });
    expect(report).toMatchObject({ status: 'partial', reason: 'budget_exhausted' });
    expect(outcomes(report)).toMatchObject({ t0: 'succeeded', t1: 'skipped', other: 'succeeded' });
    expect(report.spend.exhausted).toEqual([{ cap: 'cost', agent: 'caller' }]);
  });

  it('lets no further call begin in an attempt that runs, and tries nothing again', async () => {
    const { report } = await carryOut({
      document: document({ cost: 2 }, { a: { agent: 'caller', retry: 5 } }),
      functions: {
        call: async ({ provider }) => {
          for (;;) {
            await provider().call({}, () => ({ value: null, usage: { cost: 1 } }));
          }
        },
      },
    });
    expect(report.spend.cost).toBe(2);
    expect(report.tasks[0]).toMatchObject({
      outcome: 'failed',
      reason: 'budget_exhausted',
      attempts: 1,
      error: { code: 'TRP_BUDGET_EXHAUSTED' },
    });
    expect(report.reason).toBe('budget_exhausted');
  });

  it('does not let calls go out that waited when it was spent', async () => {
    let calls = 0;
    const { report } = await carryOut({
      document: document(
        { cost: 1 },
        Object.fromEntries(Array.from({ length: 5 }, (_, i) => [`t${i}`, { agent: 'caller' }])),
        { providers: { llm: { requests_per_minute: 1 } } },
      ),
      functions: {
        call: ({ provider }) =>
          provider().call({}, () => {
            calls++;
            return { value: null, usage: { cost: 1 } };
          }),
      },
    });
    expect(calls).toBe(1);
    expect(report.census).toMatchObject({ succeeded: 1, failed: 4 });
    expect(report).toMatchObject({ status: 'partial', reason: 'budget_exhausted' });
    expect(report.metrics.wall_ms).toBeLessThan(60_000);
  });

  it('is not forgotten by a resume', async () => {
    const options = {
      document: document({ cost: 3 }, chain(6)),
      functions: { call: spends({ cost: 1 }) },
    };
    const whole = await carryOut(options);
    const second = whole.records.findIndex(
      (record) => record.type === 'task.succeeded' && record.task === 't1',
    );
    const { report } = await carryOut({ ...options, records: whole.records.slice(0, second + 1) });
    expect(report.spend.cost).toBe(3);
    expect(report.census).toMatchObject({ succeeded: 3, skipped: 3 });
    const again = await carryOut({ ...options, records: whole.records });
    expect(again.report).toMatchObject({ status: 'partial', reason: 'budget_exhausted' });
    expect(again.report.spend.cost).toBe(3);
  });
});
