import { describe, expect, it } from 'vitest';

import type { JournalRecord } from '../../src/journal/record.ts';
import { carryOut, outcomes, sim } from '../support/run-harness.ts';
import type { HarnessResult } from '../support/run-harness.ts';

const slow = {
  with: { output: 'late', writes: { 'shared.slow': 'late' } },
  writes: ['shared.slow'],
};

interface Scene {
  /** How long the slow member takes, and the task that keeps the run alive. */
  readonly slowMs?: number;
  readonly otherMs?: number;
  readonly group?: object;
  readonly barrier?: object;
  readonly tasks?: object;
}

/** A group of a quick and a slow member with 50 ms, a task that takes its output, and one that keeps the run alive. */
function story(scene: Scene = {}): Promise<HarnessResult> {
  const { slowMs = 200, otherMs = 500, group = {}, barrier = {}, tasks = {} } = scene;
  return carryOut({
    document: {
      version: 1,
      tasks: {
        quick: sim(10, { with: { output: 'quick' } }),
        slow: sim(slowMs, slow),
        user: sim(5, { needs: ['g'], with: { output: '${groups.g.output}' } }),
        other: sim(otherMs),
        ...tasks,
      },
      groups: {
        g: {
          tasks: ['quick', 'slow'],
          barrier: { min_success: 1, timeout: 50, late: 'merge', ...barrier },
          ...group,
        },
      },
    },
  });
}

function timesOf({ records }: HarnessResult, type: JournalRecord['type']): number[] {
  return records.filter((record) => record.type === type).map(({ at }) => at);
}

describe('a member that comes late', () => {
  it('runs on after the release, and its result is merged', async () => {
    const result = await story();
    expect(timesOf(result, 'barrier.released')).toEqual([50]);
    expect(timesOf(result, 'contribution.late')).toEqual([200]);
    expect(outcomes(result.report)).toMatchObject({ slow: 'succeeded', user: 'succeeded' });
    expect(result.core.ledger.memory.entry('shared.slow')?.latest?.value).toBe('late');
  });

  it('changes nothing of the output that others have used', async () => {
    const { state, report } = await story();
    expect(state.groups.get('g')?.output).toEqual(['quick', null]);
    expect(state.tasks.get('user')?.output).toEqual(['quick', null]);
    expect(report.groups[0]).toMatchObject({
      outcome: 'partial',
      late: ['slow'],
      census: { succeeded: 1, late: 1 },
    });
  });

  it('is a further revision of a group that merges as results arrive', async () => {
    const result = await story({ group: { mode: 'async_merge' } });
    const merged = result.records.filter(({ type }) => type === 'contribution.merged');
    expect(merged).toMatchObject([
      { member: 'quick', revision: 1, at: 10 },
      { member: 'slow', revision: 2, at: 200 },
    ]);
    expect(result.report.groups[0]?.merged).toEqual({ revision: 2, output: ['quick', 'late'] });
    expect(result.state.groups.get('g')?.output).toEqual(['quick', null]);
  });

  it('is cut off when nothing else of the run is left', async () => {
    const result = await story({ otherMs: 70 });
    expect(timesOf(result, 'run.ended')).toEqual([70]);
    expect(result.report.tasks.find(({ id }) => id === 'slow')).toMatchObject({
      outcome: 'cancelled',
      reason: 'run_ending',
    });
    expect(timesOf(result, 'contribution.late')).toEqual([]);
  });

  it('is waited for by a task that needs it and not only its group', async () => {
    const result = await story({ otherMs: 10, tasks: { heir: sim(5, { needs: ['slow'] }) } });
    expect(outcomes(result.report)).toMatchObject({ slow: 'succeeded', heir: 'succeeded' });
    expect(timesOf(result, 'run.ended')).toEqual([205]);
  });

  it('is tried again when it fails, and may fail for good', async () => {
    const retry = { max_attempts: 2, backoff: 'fixed', initial: 10, jitter: 0 };
    const again = await story({
      slowMs: 100,
      tasks: { slow: sim(100, { retry, with: { fail: [1], output: 'second' } }) },
    });
    expect(timesOf(again, 'contribution.late')).toEqual([210]);
    const never = await story({ tasks: { slow: sim(100, { retry: 1, with: { fail: true } }) } });
    expect(timesOf(never, 'contribution.late')).toEqual([]);
    expect(never.report.status).toBe('partial');
  });

  it('may be a task that was split', async () => {
    const parts = { for_each: [1, 2], with: { output: '${item}' } };
    const whole = await story({ tasks: { slow: sim(100, parts) } });
    expect(timesOf(whole, 'contribution.late')).toEqual([100]);
    expect(whole.state.tasks.get('slow')?.output).toEqual([1, 2]);
    const cut = await story({ otherMs: 60, tasks: { slow: sim(100, parts) } });
    expect(timesOf(cut, 'run.ended')).toEqual([60]);
    expect(outcomes(cut.report)).toMatchObject({ slow: 'cancelled', 'slow[0]': 'timed_out' });
  });

  it('may be checked before it counts', async () => {
    const result = await carryOut({
      document: {
        version: 1,
        agents: { judge: { uses: 'function', module: 'host:judge' } },
        tasks: {
          quick: sim(10),
          slow: sim(100, { needs: [{ task: 'check', kind: 'validation' }] }),
          check: { agent: 'judge', needs: ['slow'] },
          other: sim(400),
        },
        groups: {
          g: { tasks: ['quick', 'slow'], barrier: { min_success: 1, timeout: 50, late: 'merge' } },
        },
      },
      functions: { judge: ({ iteration }) => ({ accepted: iteration > 1 }) },
    });
    expect(timesOf(result, 'contribution.late')).toEqual([200]);
    expect(result.state.tasks.get('slow')?.iteration).toBe(2);
  });

  it('is not waited for by a quorum either', async () => {
    const result = await story({ barrier: { quorum: 1 } });
    expect(timesOf(result, 'barrier.released')).toEqual([10]);
    expect(timesOf(result, 'contribution.late')).toEqual([200]);
  });

  it('is ended with a group that has failed', async () => {
    const result = await story({ barrier: { min_success: 2 } });
    expect(outcomes(result.report)).toMatchObject({ slow: 'timed_out', user: 'skipped' });
  });

  it('is not begun when it had not begun', async () => {
    const result = await carryOut({
      document: {
        version: 1,
        resources: { concurrency: 2 },
        tasks: { quick: sim(10), slow: sim(300), third: sim(1), other: sim(400, { priority: 10 }) },
        groups: {
          g: {
            tasks: ['quick', 'slow', 'third'],
            barrier: { min_success: 0, timeout: 5, late: 'merge' },
          },
        },
      },
    });
    expect(outcomes(result.report)).toMatchObject({
      slow: 'succeeded',
      quick: 'skipped',
      third: 'skipped',
    });
  });
});

describe('a result that comes late and is dropped', () => {
  it('is counted where nothing else is said', async () => {
    const { records, report, core } = await carryOut({
      document: {
        version: 1,
        agents: { stubborn: { uses: 'function', module: 'host:stubborn' } },
        tasks: { quick: sim(10), slow: { agent: 'stubborn' }, other: sim(500) },
        groups: { g: { tasks: ['quick', 'slow'], barrier: { min_success: 1, timeout: 50 } } },
      },
      functions: {
        stubborn: ({ memory, signal }) =>
          new Promise((resolve) => {
            memory.set('stubborn.key', 1);
            signal.addEventListener('abort', () => resolve('too late'));
          }),
      },
    });
    expect(records.filter(({ type }) => type === 'result.late')).toHaveLength(1);
    expect(report.groups[0]).toMatchObject({ late: [], census: { late: 1 } });
    expect(core.ledger.memory.entry('stubborn.key')).toBeUndefined();
  });
});
