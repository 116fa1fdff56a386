import { describe, expect, it } from 'vitest';

import { carryOut, outcomes, sim } from '../support/run-harness.ts';

/** Three branches a, b, c and a join that needs the group. */
function branches(tasks: object, group: object): object {
  return {
    version: 1,
    name: 'branches',
    defaults: { retry: { max_attempts: 1 } },
    tasks: { ...tasks, join: sim(5, { needs: ['all'] }) },
    groups: { all: { tasks: Object.keys(tasks), ...group } },
  };
}

const failing = { with: { fail: true } };

describe('a fork-join group', () => {
  it('joins when all members have succeeded, at the time of the slowest', async () => {
    const { report } = await carryOut({
      document: branches({ a: sim(10), b: sim(30), c: sim(20) }, {}),
    });
    expect(report.status).toBe('succeeded');
    expect(report.groups[0]).toMatchObject({
      id: 'all',
      outcome: 'succeeded',
      reason: 'completed',
    });
    expect(report.tasks.find(({ id }) => id === 'join')).toMatchObject({
      started_ms: 30,
      finished_ms: 35,
    });
  });

  it('keeps the results of two branches and runs the join when the third fails and two are enough', async () => {
    const document = branches(
      {
        a: sim(10, { with: { output: 'A' } }),
        b: sim(30, failing),
        c: sim(20, { with: { output: 'C' } }),
      },
      { barrier: { min_success: 2 } },
    );
    const { report, state } = await carryOut({ document });
    expect(outcomes(report)).toEqual({
      a: 'succeeded',
      b: 'failed',
      c: 'succeeded',
      join: 'succeeded',
    });
    expect(state.groups.get('all')).toMatchObject({ outcome: 'partial', output: ['A', null, 'C'] });
    expect(report).toMatchObject({
      status: 'partial',
      reason: 'gaps_tolerated',
      census: { succeeded: 3, failed: 1 },
    });
  });

  it('fails, and skips the join, when too few succeed', async () => {
    const document = branches(
      { a: sim(10, failing), b: sim(30, failing), c: sim(20) },
      { barrier: { min_success: 2 } },
    );
    const { report } = await carryOut({ document });
    expect(report.groups[0]).toMatchObject({ outcome: 'failed', reason: 'min_success_missed' });
    expect(outcomes(report)).toMatchObject({ c: 'succeeded', join: 'skipped' });
    expect(report).toMatchObject({ status: 'failed', reason: 'tasks_failed' });
  });

  it('tells a smart barrier that it is lost as soon as it is, and stops the rest', async () => {
    const document = branches(
      { a: sim(10, failing), b: sim(20, failing), c: sim(3000) },
      { barrier: { type: 'smart', min_success: 2 } },
    );
    const { report } = await carryOut({ document });
    expect(report.metrics.wall_ms).toBe(20);
    expect(outcomes(report)).toMatchObject({ c: 'cancelled', join: 'skipped' });
  });

  it('fails with its reason when a required member fails', async () => {
    const document = branches(
      { a: sim(10, failing), b: sim(20), c: sim(30) },
      { barrier: { min_success: 1, required: ['a'] } },
    );
    const { report } = await carryOut({ document });
    expect(report.groups[0]).toMatchObject({ outcome: 'failed', reason: 'required_member_failed' });
  });

  it('goes on with what is there when the timeout comes, and counts the rest as timed out', async () => {
    const document = branches(
      { a: sim(10), b: sim(500), c: sim(20) },
      { barrier: { min_success: 1, timeout: 100, on_timeout: 'proceed_with_available' } },
    );
    const { report } = await carryOut({ document });
    expect(outcomes(report)).toEqual({
      a: 'succeeded',
      b: 'timed_out',
      c: 'succeeded',
      join: 'succeeded',
    });
    expect(report.groups[0]?.census).toMatchObject({ succeeded: 2, timed_out: 1 });
    expect(report.metrics.wall_ms).toBe(105);
  });

  it('extends once, by the declared time, for members that show progress', async () => {
    const document = branches(
      { a: sim(10), b: sim(130, { with: { progress: 10 } }), c: sim(20) },
      { barrier: { timeout: 100, on_timeout: ['extend', 'fail'], extension: { by: 50, max: 1 } } },
    );
    const { report, records } = await carryOut({ document });
    expect(records.filter(({ type }) => type === 'barrier.extended')).toHaveLength(1);
    expect(report).toMatchObject({ status: 'succeeded', metrics: { wall_ms: 135 } });
  });

  it('does not extend for members that show none', async () => {
    const document = branches(
      { a: sim(10), b: sim(130), c: sim(20) },
      {
        barrier: { timeout: 100, on_timeout: ['extend', 'proceed_with_available'], min_success: 1 },
      },
    );
    const { records, report } = await carryOut({ document });
    expect(records.some(({ type }) => type === 'barrier.extended')).toBe(false);
    expect(outcomes(report)['b']).toBe('timed_out');
  });

  it('falls back to one member at a time when nothing was there in time', async () => {
    const document = branches(
      { a: sim(300), b: sim(300), c: sim(300) },
      { barrier: { timeout: 100, on_timeout: ['abort_and_fallback'] } },
    );
    const { report, records } = await carryOut({ document });
    expect(records.filter(({ type }) => type === 'barrier.fell_back')).toHaveLength(1);
    expect(report).toMatchObject({ status: 'succeeded', metrics: { wall_ms: 100 + 3 * 300 + 5 } });
    const spans = report.tasks
      .filter(({ id }) => id !== 'join')
      .map(({ finished_ms }) => finished_ms);
    expect(new Set(spans).size).toBe(3);
  });

  it('fills a gap with the default that the member declares', async () => {
    const document = branches(
      {
        a: sim(10, { with: { output: 'A' } }),
        b: sim(10, { ...failing, default: 'none' }),
        c: sim(10),
      },
      { barrier: { min_success: 2 } },
    );
    const { state } = await carryOut({ document });
    expect(state.groups.get('all')?.output).toEqual(['A', 'none', null]);
  });

  it('ends at once when a member fails and the document says fail_fast', async () => {
    const document = branches(
      { a: sim(10, failing), b: sim(500), c: sim(500) },
      { barrier: { min_success: 1, on_failure: 'fail_fast' } },
    );
    const { report } = await carryOut({ document });
    expect(report).toMatchObject({ status: 'failed', metrics: { wall_ms: 10 } });
    expect(outcomes(report)).toMatchObject({ b: 'cancelled', c: 'cancelled' });
  });

  it('becomes partial instead of failed when it is not critical', async () => {
    const document = branches(
      { a: sim(10, failing), b: sim(10, failing), c: sim(10, failing) },
      { critical: false },
    );
    const { report } = await carryOut({ document });
    expect(report.groups[0]).toMatchObject({ outcome: 'partial', reason: 'gaps_tolerated' });
    expect(outcomes(report)['join']).toBe('succeeded');
    expect(report.status).toBe('partial');
  });

  it('shows its members one view of memory, without what a sibling writes meanwhile', async () => {
    const seen: unknown[] = [];
    const document = {
      version: 1,
      name: 'views',
      agents: {
        writer: { uses: 'function', module: 'host:write', owns: ['writer.*'] },
        reader: { uses: 'function', module: 'host:read' },
      },
      tasks: {
        write: { agent: 'writer' },
        wait: sim(50),
        read: { agent: 'reader', needs: ['wait'] },
        after: { agent: 'reader', needs: ['g'] },
      },
      groups: { g: { tasks: ['write', 'wait', 'read'] } },
    };
    await carryOut({
      document,
      functions: {
        write: ({ memory }) => memory.set('writer.x', 1),
        read: ({ memory, task }) => void seen.push([task, memory.get('writer.x') ?? null]),
      },
    });
    expect(seen).toEqual([
      ['read', null],
      ['after', 1],
    ]);
  });
});

describe('a member that its condition leaves out', () => {
  it('does not fail its group, nor make the run partial', async () => {
    const document = branches(
      { a: sim(10), b: sim(10, { when: '${input.deep}' }), c: sim(20) },
      {},
    );
    const { report } = await carryOut({ document, input: { deep: false } });
    expect(report.groups[0]).toMatchObject({ outcome: 'succeeded', reason: 'completed' });
    expect(outcomes(report)).toMatchObject({ b: 'skipped', join: 'succeeded' });
    expect(report.status).toBe('succeeded');
  });

  it('is not asked for where a share of the members must succeed', async () => {
    const document = branches(
      { a: sim(10), b: sim(10, { when: '${input.deep}' }), c: sim(20, failing) },
      { barrier: { min_success: '50%' } },
    );
    const { report } = await carryOut({ document, input: { deep: false } });
    expect(report.groups[0]).toMatchObject({ outcome: 'partial', reason: 'gaps_tolerated' });
  });
});
