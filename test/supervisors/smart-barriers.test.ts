import { describe, expect, it } from 'vitest';

import type { JournalRecord } from '../../src/journal/record.ts';
import { reportOf } from '../../src/runtime/reporting.ts';
import { carryOut, outcomes, sim } from '../support/run-harness.ts';
import type { HarnessResult } from '../support/run-harness.ts';

/** Runs the tasks as one group, and a task after it. */
function grouped(tasks: object, barrier: object, rest: object = {}): Promise<HarnessResult> {
  return carryOut({
    document: {
      version: 1,
      tasks: { ...tasks, after: sim(5, { needs: ['g'] }) },
      groups: { g: { tasks: Object.keys(tasks), barrier, ...rest } },
    },
  });
}

type Of<Type extends JournalRecord['type']> = Extract<JournalRecord, { type: Type }>;

function recordsOf<Type extends JournalRecord['type']>(
  { records }: HarnessResult,
  type: Type,
): Of<Type>[] {
  return records.filter((record): record is Of<Type> => record.type === type);
}

function release(result: HarnessResult): object | undefined {
  return recordsOf(result, 'barrier.released')[0];
}

const once = { retry: 1 };

describe('a group that is measured by weight', () => {
  const tasks = {
    heavy: sim(10, { weight: 3, ...once }),
    light: sim(20, { with: { fail: true }, ...once }),
    faint: sim(30, { weight: 0.5, with: { fail: true }, ...once }),
  };

  it('goes on when those that succeeded weigh enough', async () => {
    const result = await grouped(tasks, { min_success: { weight: 3 } });
    expect(release(result)).toMatchObject({ outcome: 'partial', reason: 'gaps_tolerated', at: 30 });
  });

  it('has failed when they do not, and a smart barrier knows as soon as it is certain', async () => {
    const result = await grouped(tasks, { type: 'smart', min_success: { weight: 4 } });
    expect(release(result)).toMatchObject({
      outcome: 'failed',
      reason: 'min_success_missed',
      at: 20,
    });
  });

  it('weighs aspects', async () => {
    const { report, state } = await carryOut({
      document: {
        version: 1,
        agents: { w: { uses: 'simulate' } },
        tasks: {
          ask: {
            agent: 'w',
            retry: 1,
            with: { duration: 5 },
            aspects: {
              cost: { weight: 5 },
              risk: { with: { duration: 5, fail: true } },
              time: { with: { duration: 5, fail: true } },
            },
            barrier: { min_success: { weight: 5 } },
          },
        },
      },
    });
    expect(outcomes(report)['ask']).toBe('succeeded');
    expect(state.groups.get('ask')?.outcome).toBe('partial');
  });
});

describe('a group with a quorum', () => {
  const five = Object.fromEntries(
    [10, 20, 30, 40, 500].map((ms, index) => [`m${index}`, sim(ms, { default: 'D' })]),
  );

  it.each<readonly [string, object, number]>([
    ['a count', { quorum: 2 }, 20],
    ['a share', { quorum: '60%' }, 30],
    ['a weight', { quorum: { weight: 6 }, weights: { m3: 4 } }, 40],
  ])('goes on at %s, and cancels the rest at once', async (_title, barrier, at) => {
    const result = await grouped(five, barrier);
    expect(release(result)).toMatchObject({ outcome: 'partial', reason: 'quorum_reached', at });
    const cut = result.report.tasks.filter(({ outcome }) => outcome === 'cancelled');
    expect(cut.map(({ reason }) => reason)).toEqual(cut.map(() => 'quorum_reached'));
    expect(cut.every(({ finished_ms: ended }) => ended === at)).toBe(true);
    const { census, outcome } = result.report.groups[0] ?? {};
    expect(census?.cancelled).toBe(cut.length);
    expect([outcome, outcomes(result.report)['after']]).toEqual(['partial', 'succeeded']);
    expect(result.report.tasks.find(({ id }) => id === 'after')?.started_ms).toBe(at);
  });

  it('fills the gaps of those that were cut off with their defaults', async () => {
    const { state } = await grouped(five, { quorum: 1 });
    expect(state.groups.get('g')?.output).toEqual([null, 'D', 'D', 'D', 'D']);
  });

  it('does not go on at it while a required member works', async () => {
    const result = await grouped(five, { quorum: 2, required: ['m3'] });
    expect(release(result)).toMatchObject({ reason: 'quorum_reached', at: 40 });
  });

  it('is judged by what succeeded when too few ever do', async () => {
    const tasks = { a: sim(10), b: sim(20, { with: { fail: true }, ...once }) };
    const result = await grouped(tasks, { quorum: 2, min_success: 1 });
    expect(release(result)).toMatchObject({ reason: 'gaps_tolerated', at: 20 });
  });
});

describe('a group with a soft deadline', () => {
  it('goes on at it when enough have succeeded, and fills gaps with defaults', async () => {
    const tasks = { a: sim(10, { with: { output: 1 } }), b: sim(900, { default: 2 }), c: sim(900) };
    const result = await grouped(tasks, { min_success: 1, soft_deadline: 50 });
    expect(release(result)).toMatchObject({ outcome: 'partial', at: 50, timedOut: true });
    expect(outcomes(result.report)).toMatchObject({ b: 'timed_out', c: 'timed_out' });
    expect(result.state.groups.get('g')?.output).toEqual([1, 2, null]);
  });

  it('goes on after it as soon as enough have succeeded', async () => {
    const tasks = { a: sim(80), b: sim(500), c: sim(30, { with: { fail: true }, ...once }) };
    const result = await grouped(tasks, { min_success: 1, soft_deadline: 50, timeout: 300 });
    expect(recordsOf(result, 'barrier.softened')).toMatchObject([{ group: 'g', at: 50 }]);
    expect(release(result)).toMatchObject({ outcome: 'partial', at: 80 });
  });

  it('waits for all before it', async () => {
    const tasks = { a: sim(10), b: sim(40) };
    const result = await grouped(tasks, { min_success: 1, soft_deadline: 50 });
    expect(release(result)).toMatchObject({ outcome: 'succeeded', at: 40 });
    expect(recordsOf(result, 'barrier.softened')).toEqual([]);
  });

  it('is moved for members that show progress where that is asked for first', async () => {
    const tasks = { a: sim(10), b: sim(90, { with: { progress: 9 } }) };
    const result = await grouped(tasks, {
      min_success: 1,
      soft_deadline: 50,
      on_timeout: ['extend', 'proceed_with_available'],
      extension: { by: 30 },
    });
    expect(recordsOf(result, 'barrier.extended')).toMatchObject([
      { bound: 'soft', deadline: 80, members: ['b'], at: 50 },
    ]);
    expect(release(result)).toMatchObject({ outcome: 'partial', at: 80 });
  });

  it('counts in a group that merges as results arrive', async () => {
    const tasks = { a: sim(80), b: sim(500) };
    const result = await grouped(
      tasks,
      { min_success: 1, soft_deadline: 50 },
      { mode: 'async_merge' },
    );
    expect(release(result)).toMatchObject({ outcome: 'partial', at: 80 });
  });
});

describe('a group with a hard deadline', () => {
  it('ends at it, however much progress members show', async () => {
    const tasks = { a: sim(10), b: sim(900, { with: { progress: 90 } }) };
    const result = await grouped(tasks, {
      min_success: 1,
      timeout: 50,
      hard_deadline: 120,
      on_timeout: ['extend', 'proceed_with_available'],
      extension: { by: 60, max: 9 },
    });
    const extended = recordsOf(result, 'barrier.extended');
    expect(extended.map(({ deadline }) => deadline)).toEqual([110, 120]);
    expect(release(result)).toMatchObject({ outcome: 'partial', at: 120, timedOut: true });
  });

  it('ends also a group that has fallen back to one member at a time', async () => {
    const tasks = { a: sim(10), b: sim(200), c: sim(200) };
    const result = await grouped(tasks, {
      min_success: 2,
      timeout: 50,
      hard_deadline: 300,
      on_timeout: 'abort_and_fallback',
    });
    expect(recordsOf(result, 'barrier.fell_back')).toMatchObject([{ members: ['b', 'c'], at: 50 }]);
    expect(release(result)).toMatchObject({ outcome: 'partial', at: 300 });
    expect(outcomes(result.report)).toMatchObject({ b: 'succeeded', c: 'timed_out' });
  });

  it('fails the group when too few have succeeded, or when the document asks to fail', async () => {
    const tasks = { a: sim(10), b: sim(900) };
    const missed = await grouped(tasks, { hard_deadline: 50 });
    expect(release(missed)).toMatchObject({ outcome: 'failed', reason: 'min_success_missed' });
    const asked = await grouped(tasks, { min_success: 1, hard_deadline: 50, on_timeout: 'fail' });
    expect(release(asked)).toMatchObject({ outcome: 'failed', reason: 'deadline_exceeded' });
  });
});

describe('an extension', () => {
  it('is granted again only for progress since the last decision', async () => {
    const tasks = { a: sim(10), b: sim(1000, { with: { progress: 20 } }) };
    const barrier = {
      min_success: 1,
      timeout: 60,
      on_timeout: ['extend', 'proceed_with_available'],
      extension: { by: 40, max: 5 },
    };
    const result = await grouped(tasks, barrier);
    // It reports at 50, 100, 150 ms ...: in each stretch of 40 ms that ends at a deadline, or not.
    expect(recordsOf(result, 'barrier.extended').map(({ at }) => at)).toEqual([60, 100]);
    expect(release(result)).toMatchObject({ at: 140 });
  });

  it('counts progress of the parts that a member was split into', async () => {
    const tasks = {
      a: sim(10),
      b: sim(90, { for_each: [1, 2], with: { progress: 9 } }),
    };
    const result = await grouped(tasks, {
      min_success: 1,
      timeout: 50,
      on_timeout: ['extend', 'proceed_with_available'],
      extension: { by: 100 },
    });
    expect(recordsOf(result, 'barrier.extended')).toMatchObject([{ members: ['b'] }]);
    expect(release(result)).toMatchObject({ outcome: 'succeeded', at: 90 });
  });
});

describe('a group that notifies', () => {
  const tasks = { a: sim(10), b: sim(200), c: sim(200) };

  it('raises an alert when it falls back, and one when its time is over', async () => {
    const result = await grouped(tasks, {
      min_success: 3,
      timeout: 50,
      hard_deadline: 100,
      on_timeout: 'abort_and_fallback',
      notify: 'operators',
    });
    expect(recordsOf(result, 'alert.raised')).toMatchObject([
      { name: 'barrier', group: 'g', to: 'operators', at: 50 },
      { name: 'barrier', group: 'g', to: 'operators', at: 100 },
    ]);
  });

  it('is silent when all is well, or when nobody asked', async () => {
    const well = await grouped(tasks, { timeout: 900, notify: true });
    expect(recordsOf(well, 'alert.raised')).toEqual([]);
    const unasked = await grouped(tasks, { timeout: 50 });
    expect(recordsOf(unasked, 'alert.raised')).toEqual([]);
  });
});

describe('the phases of a group', () => {
  it('are initiation, monitoring, completion and synchronization', async () => {
    const seen: string[] = [];
    await carryOut({
      document: {
        version: 1,
        tasks: {
          first: sim(5),
          a: sim(10, { needs: ['first'] }),
          b: sim(90, { needs: ['first'] }),
        },
        groups: { g: { tasks: ['a', 'b'], barrier: { min_success: 2, soft_deadline: 50 } } },
      },
      onRecord: (_record, { ledger, graph }) => {
        const phase = reportOf(ledger.state, graph).groups[0]?.phase ?? '';
        if (seen.at(-1) !== phase) seen.push(phase);
      },
    });
    expect(seen).toEqual(['initiation', 'monitoring', 'completion', 'synchronization', 'ended']);
  });

  it('are those of the supervisor at the same time', async () => {
    let compared = 0;
    await carryOut({
      document: {
        version: 1,
        tasks: { a: sim(10), b: sim(90), c: sim(70, { with: { fail: true }, retry: 1 }) },
        groups: {
          g: { tasks: ['a', 'b', 'c'], barrier: { min_success: 2, soft_deadline: 50 } },
        },
      },
      onRecord: ({ type }, { ledger, graph, supervisors }) => {
        // Between a decision and its record the supervisor is ahead.
        if (type !== 'task.started' && type !== 'group.opened') return;
        const phase = reportOf(ledger.state, graph).groups[0]?.phase;
        const snapshot = supervisors.getSnapshot().children.get('g')?.getSnapshot() as
          | { tags: ReadonlySet<string> }
          | undefined;
        if (!snapshot || phase === 'initiation') return;
        compared++;
        expect([phase]).toEqual([...snapshot.tags]);
      },
    });
    expect(compared).toBeGreaterThan(0);
  });
});

describe('a group that merges as results arrive', () => {
  it('shows what has been merged so far, with its revision, at any time', async () => {
    const seen: unknown[] = [];
    const { report } = await carryOut({
      document: {
        version: 1,
        tasks: {
          a: sim(10, { with: { output: 'A' } }),
          b: sim(20, { with: { output: 'B' } }),
          c: sim(15, { with: { fail: true }, default: 'gap', retry: 1 }),
        },
        groups: { g: { tasks: ['a', 'b', 'c'], mode: 'async_merge', barrier: { min_success: 1 } } },
      },
      onRecord: ({ type }, { ledger, graph }) => {
        if (type === 'contribution.merged' || type === 'task.ended')
          seen.push(reportOf(ledger.state, graph).groups[0]?.merged);
      },
    });
    expect(seen).toEqual([
      { revision: 1, output: ['A', null, null] },
      { revision: 1, output: ['A', null, 'gap'] },
      { revision: 2, output: ['A', 'B', 'gap'] },
    ]);
    expect(report.groups[0]?.merged).toEqual({ revision: 2, output: ['A', 'B', 'gap'] });
  });
});
