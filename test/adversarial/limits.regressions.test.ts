import { describe, expect, it } from 'vitest';

import type { TaskContext } from '../../src/actors/behaviours/behaviour.ts';
import type { SimulatedClock } from '../../src/core/simulated-clock.ts';
import { outcomes, sim } from '../support/run-harness.ts';
import type { Functions } from './bodies.ts';
import { carryOut, lines } from './carry-out.ts';
import { ignoreLateAcknowledgements } from './quiet.ts';

ignoreLateAcknowledgements();

/** What was found of budgets, providers and locks, each as small as it could be made. */

function after(clock: SimulatedClock, ms: number): Promise<void> {
  return new Promise((resolve) => clock.setTimeout(resolve, ms));
}

describe('a run whose last record is on its way to the disk', () => {
  it('takes down nothing after it when the time of its budget is over', async () => {
    const document = { version: 1, name: 'w', budget: { time: 130 }, tasks: { a: sim(10) } };
    const { end, records } = await carryOut({ document, syncMs: 50 });
    expect(end).toBe('ended');
    expect(records.at(-1)?.type).toBe('run.ended');
  });

  it('takes down nothing after it when a call of an attempt that is over tells of its use', async () => {
    const functions = (clock: SimulatedClock): Functions => ({
      f: ({ provider }: TaskContext) => {
        const answer = { value: 1, usage: { input_tokens: 5 } };
        void provider().call({}, () => after(clock, 70).then(() => answer));
        return 1;
      },
    });
    const f = { uses: 'function', module: 'host:f', provider: 'api' };
    const document = {
      version: 1,
      name: 'w',
      providers: { api: {} },
      agents: { f },
      tasks: { a: { agent: 'f' } },
    };
    const { end, records } = await carryOut({ document, functions, syncMs: 50 });
    expect(end).toBe('ended');
    expect(records.at(-1)?.type).toBe('run.ended');
  });

  it('adapts no more', async () => {
    const slow = { agent: 'x', estimate: 10, with: { duration: 35 } };
    const document = {
      version: 1,
      name: 'w',
      resources: { concurrency: 4 },
      adaptation: true,
      monitoring: { interval: 100, thresholds: { response_time: 20 } },
      agents: { x: { uses: 'simulate' }, y: { uses: 'simulate' } },
      tasks: { a: slow, b: slow, c: slow, d: { agent: 'y', with: { duration: 10 } } },
    };
    const { end, records } = await carryOut({ document, syncMs: 60 });
    expect(end).toBe('ended');
    expect(records.at(-1)?.type).toBe('run.ended');
  });
});

describe('an attempt whose waiting call a spent budget refuses', () => {
  it('still has its timeout', async () => {
    const functions = (clock: SimulatedClock): Functions => ({
      f: ({ provider, task, signal }: TaskContext) => {
        const answer = { value: 1, usage: { input_tokens: 50 } };
        const call = provider().call({}, () => after(clock, 20).then(() => answer));
        if (task === 'a') return call;
        // Does not take the refusal for its end.
        return call.catch(
          () =>
            new Promise((_, reject) =>
              signal.addEventListener('abort', () => reject(signal.reason as Error)),
            ),
        );
      },
    });
    const f = { uses: 'function', module: 'host:f', provider: 'api' };
    const document = {
      version: 1,
      name: 'w',
      providers: { api: { concurrency: 1 } },
      budget: { tokens: 10 },
      agents: { f },
      tasks: { a: { agent: 'f' }, b: { agent: 'f', timeout: 100 } },
    };
    const { end, report, records } = await carryOut({ document, functions });
    expect(end).toBe('ended');
    expect(outcomes(report)).toEqual({ a: 'succeeded', b: 'timed_out' });
    // It waited for 20 ms, which do not count.
    expect(lines(records, 'task.ended')).toEqual(['120 task.ended b timed_out budget_exhausted']);
  });
});

describe('a call that waits while its provider names a lower limit of tokens than it needs', () => {
  it('goes out by itself once the minute before it is empty', async () => {
    const functions = (clock: SimulatedClock): Functions => ({
      f: ({ provider, task }: TaskContext) =>
        provider().call({ tokens: 900 }, async () => {
          await after(clock, 20);
          const headers = { 'x-ratelimit-limit-tokens': '500' };
          return { value: task, usage: { input_tokens: 900 }, headers };
        }),
    });
    const f = { uses: 'function', module: 'host:f', provider: 'api' };
    const document = {
      version: 1,
      name: 'w',
      providers: { api: { tokens_per_minute: 1000 } },
      agents: { f },
      tasks: { a: { agent: 'f' }, b: { agent: 'f' } },
    };
    const { end, report } = await carryOut({ document, functions });
    expect(end).toBe('ended');
    expect(outcomes(report)).toEqual({ a: 'succeeded', b: 'succeeded' });
  });
});

describe('a task that a plan holds back while another has its lock', () => {
  it('gives up when it has waited as long as it may, and is tried again', async () => {
    const locks = [{ name: 'l', timeout: 50 }];
    const retry = { max_attempts: 2, initial: 20, backoff: 'fixed', jitter: 0 };
    const tasks = {
      first: sim(300, { estimate: 300, locks }),
      second: sim(100, { estimate: 100, locks, retry, not_before: 5 }),
    };
    const { end, report, records, core } = await carryOut({
      document: { version: 1, name: 'w', tasks, resources: { concurrency: 2 } },
    });
    expect(core.plan).toBeDefined();
    expect(end).toBe('ended');
    expect(outcomes(report)).toMatchObject({ first: 'succeeded', second: 'timed_out' });
    expect(lines(records, 'attempt.failed', 'task.ended')).toEqual([
      '55 attempt.failed second 1',
      '125 task.ended second timed_out lock_timeout 2',
    ]);
  });
});
