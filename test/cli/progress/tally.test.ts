import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Tally } from '../../../src/cli/progress/tally.ts';
import type { RunEvent } from '../../../src/runtime/api.ts';
import { runReport, taskReport } from '../support/reports.ts';

let seq = 0;
type Body = RunEvent extends infer Each
  ? Each extends unknown
    ? Omit<Each, 'run' | 'seq' | 'at'>
    : never
  : never;
const event = (body: Body, at = 0): RunEvent => ({ ...body, run: 'r', seq: ++seq, at }) as RunEvent;
const started = (task: string, attempt = 1): RunEvent =>
  event({ type: 'task.started', task, attempt, iteration: 1 });
const succeeded = (task: string): RunEvent =>
  event({ type: 'task.succeeded', task, attempt: 1, output: null });
const completed = (task: string): RunEvent =>
  event({ type: 'task.completed', task, attempt: 1, output: null });
const failed = (task: string): RunEvent =>
  event({ type: 'task.ended', task, outcome: 'failed', reason: 'not_retryable' });
const error = { code: 'TRP_ATTEMPT_FAILED', message: 'no', errorClass: 'transient' } as const;
const retried = (task: string): RunEvent =>
  event({ type: 'attempt.failed', task, attempt: 1, error, retryAt: 5 });

/** A tally of waiting tasks a, b and c; a and b in group g. */
function fresh(): Tally {
  const tally = new Tally([{ id: 'g', members: ['a', 'b'] }]);
  const waiting = {
    outcome: 'waiting',
    reason: 'waiting',
    started_ms: null,
    finished_ms: null,
  } as const;
  tally.begin(
    runReport({ status: 'running', tasks: ['a', 'b', 'c'].map((id) => taskReport(id, waiting)) }),
    0,
  );
  return tally;
}

function applied(...events: readonly RunEvent[]): Tally {
  const tally = fresh();
  for (const each of events) tally.apply(each);
  return tally;
}

describe('a tally', () => {
  it('counts what runs, what ended and how', () => {
    const tally = applied(started('a'), started('b'), started('c'), succeeded('a'), failed('b'));
    expect([tally.total, tally.endedCount, [...tally.running.keys()]]).toEqual([3, 2, ['c']]);
    expect(tally.census).toMatchObject({ succeeded: 1, failed: 1 });
  });

  it('counts the members of a group', () => {
    expect(applied(succeeded('a'), failed('b'), succeeded('c')).groups.get('g')).toEqual({
      id: 'g',
      total: 2,
      ended: 2,
      succeeded: 1,
    });
  });

  it('takes a failed attempt out of what runs until the next one starts', () => {
    const tally = applied(started('a'), retried('a'));
    expect([tally.running.size, tally.retries, tally.unfinished.has('a')]).toEqual([0, 1, true]);
    tally.apply(started('a', 2));
    expect(tally.running.get('a')?.attempt).toBe(2);
  });

  it('keeps the last message of a task that runs', () => {
    const told = event({ type: 'task.progress', task: 'a', fraction: 0.5, message: 'reading' });
    const silent = event({ type: 'task.progress', task: 'a', fraction: 0.6, message: null });
    expect(applied(started('a'), told, silent).running.get('a')?.message).toBe('reading');
  });

  it('counts members of an expanded task, for its group too', () => {
    const tally = applied(
      event({ type: 'task.expanded', task: 'a', items: [1, 2] }),
      succeeded('a[0]'),
    );
    expect(tally.total).toBe(5);
    expect(tally.groups.get('g')).toMatchObject({ total: 4, ended: 1 });
  });

  it('takes a task that waits for its checkers out of what runs, and ends it when they accept', () => {
    const tally = applied(started('a'), completed('a'));
    expect([tally.running.size, tally.endedCount]).toEqual([0, 0]);
    tally.apply(event({ type: 'task.accepted', task: 'a' }));
    expect(tally.census.succeeded).toBe(1);
  });

  it('opens a task again that a validation sent back, and its checkers', () => {
    const sent = event({
      type: 'task.sent_back',
      task: 'a',
      by: ['c'],
      iteration: 2,
      feedback: null,
      recheck: ['c'],
    });
    const tally = applied(completed('a'), succeeded('c'), sent);
    expect([tally.census.succeeded, tally.unfinished.size, tally.groups.get('g')?.ended]).toEqual([
      0, 3, 0,
    ]);
  });

  it('opens everything that did not succeed when the run is opened again', () => {
    const tally = applied(
      succeeded('a'),
      failed('b'),
      failed('c'),
      event({ type: 'run.reopened' }),
    );
    expect([...tally.unfinished]).toEqual(['b', 'c']);
    expect(tally.census).toMatchObject({ succeeded: 1, failed: 0 });
  });

  it('begins where a report stands', () => {
    const tally = new Tally();
    const running = taskReport('b', {
      outcome: 'running',
      reason: 'in_progress',
      started_ms: 500,
      finished_ms: null,
      attempts: 2,
    });
    tally.begin(runReport({ tasks: [taskReport('a'), running] }), 0);
    expect([tally.endedCount, tally.running.get('b')?.since]).toEqual([1, 1_000_500]);
  });

  it('stays the same when events come twice, and its counts always add up', () => {
    const events = fc
      .constantFrom(started, completed, succeeded, failed, retried)
      .chain((make) => fc.constantFrom('a', 'b', 'c').map((task) => make(task)));
    fc.assert(
      fc.property(fc.array(events), (history) => {
        const tally = fresh();
        for (const each of history) {
          tally.apply(each);
          const before = [
            tally.endedCount,
            tally.unfinished.size,
            tally.running.size,
            { ...tally.census },
          ];
          tally.apply(each);
          expect([
            tally.endedCount,
            tally.unfinished.size,
            tally.running.size,
            { ...tally.census },
          ]).toEqual(before);
        }
        const { cancelled, failed: bad, skipped, succeeded: good, timed_out } = tally.census;
        expect(good + bad + timed_out + cancelled + skipped).toBe(tally.endedCount);
        expect(tally.total).toBe(3);
        for (const task of tally.running.keys()) expect(tally.unfinished.has(task)).toBe(true);
      }),
    );
  });
});
