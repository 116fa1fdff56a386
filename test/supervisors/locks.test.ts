import { describe, expect, it } from 'vitest';
import type { JournalRecord } from '../../src/journal/record.ts';
import { carryOut, outcomes, sim } from '../support/run-harness.ts';

/** Most tasks of some names that ran at one time. */
function mostTogether(records: readonly JournalRecord[], names: readonly string[]): number {
  let running = 0;
  let most = 0;
  for (const record of records) {
    if (!('task' in record) || !names.includes(record.task)) continue;
    if (record.type === 'task.started') most = Math.max(most, ++running);
    if (record.type === 'task.succeeded' || record.type === 'task.ended') running--;
  }
  return most;
}

const named = (prefix: string, count: number, task: object): Record<string, object> =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`${prefix}${index}`, task]));

describe('locks', () => {
  it('are held by several readers, or by one writer', async () => {
    const read = sim(10, { locks: [{ name: 'plan', mode: 'read' }] });
    const write = sim(10, { locks: [{ name: 'plan' }] });
    const document = {
      tasks: {
        ...named('r', 4, read),
        ...named('w', 3, write),
        x: sim(10, { exclusive: ['plan'] }),
      },
    };
    const { records, report } = await carryOut({ document });
    expect(report.status).toBe('succeeded');
    expect(mostTogether(records, ['r0', 'r1', 'r2', 'r3'])).toBe(4);
    expect(mostTogether(records, ['w0', 'w1', 'w2', 'x'])).toBe(1);
    for (const reader of ['r0', 'r1', 'r2', 'r3'])
      for (const writer of ['w0', 'w1', 'w2', 'x'])
        expect(mostTogether(records, [reader, writer])).toBe(1);
  });

  it('that stay held longer than a task may wait end the attempt, and at last the task', async () => {
    const document = {
      tasks: {
        holder: sim(10_000, { exclusive: ['plan'], priority: 9 }),
        waiter: sim(10, {
          locks: [{ name: 'plan', timeout: '1s' }],
          retry: { max_attempts: 2, backoff: 'fixed', initial: '500ms', jitter: 0 },
          default: null,
        }),
      },
    };
    const { report, records } = await carryOut({ document });
    const waiter = report.tasks.find(({ id }) => id === 'waiter');
    expect(waiter).toMatchObject({ outcome: 'timed_out', reason: 'lock_timeout', attempts: 2 });
    expect(waiter?.finished_ms).toBe(2_500);
    expect(waiter?.error).toMatchObject({
      code: 'TRP_ATTEMPT_TIMEOUT',
      message: 'plan was not free within 1000 ms.',
    });
    expect(
      records.some((record) => record.type === 'task.started' && record.task === 'waiter'),
    ).toBe(false);
  });

  it('that come free in time let the task run, and what it waits for otherwise does not count', async () => {
    const document = {
      resources: { concurrency: 1 },
      tasks: {
        first: sim(5_000, { priority: 9 }),
        second: sim(10, { locks: [{ name: 'plan', timeout: '1s' }] }),
        third: sim(10, { locks: [{ name: 'plan', timeout: '1s' }] }),
      },
    };
    const { report } = await carryOut({ document });
    expect(outcomes(report)).toEqual({
      first: 'succeeded',
      second: 'succeeded',
      third: 'succeeded',
    });
  });

  it('are tried for again after a resume', async () => {
    const document = {
      tasks: {
        holder: sim(3_000, { exclusive: ['plan'], priority: 9 }),
        waiter: sim(10, {
          locks: [{ name: 'plan', timeout: '1s' }],
          retry: { max_attempts: 9, backoff: 'none' },
        }),
      },
    };
    const whole = await carryOut({ document });
    const cut = whole.records.findIndex(({ type }) => type === 'attempt.failed');
    const { report } = await carryOut({ document, records: whole.records.slice(0, cut + 1) });
    expect(report.status).toBe('succeeded');
  });
});

describe('limits of memory', () => {
  const tasks = {
    ...named('r', 6, sim(10, { reads: ['x.y'] })),
    ...named('w', 3, sim(10, { writes: ['x.y'], with: { writes: { 'x.y': 1 } } })),
  };
  const names = (prefix: string): string[] =>
    Object.keys(tasks).filter((name) => name.startsWith(prefix));

  it.each([
    ['memory', { memory: { readers: 3, writers: 1 } }],
    [
      'resources.context_store',
      { resources: { context_store: { concurrent_readers: 3, concurrent_writers: 1 } } },
    ],
  ])('under %s hold for readers and writers', async (_place, limits) => {
    const { records, report } = await carryOut({ document: { tasks, ...limits } });
    expect(report.status).toBe('succeeded');
    expect(mostTogether(records, names('r'))).toBe(3);
    expect(mostTogether(records, names('w'))).toBe(1);
    expect(mostTogether(records, ['r0', ...names('w')])).toBe(1);
  });

  it('allow several writers at one time', async () => {
    const { records } = await carryOut({ document: { tasks, memory: { readers: 2, writers: 3 } } });
    expect([mostTogether(records, names('r')), mostTogether(records, names('w'))]).toEqual([2, 3]);
  });
});
