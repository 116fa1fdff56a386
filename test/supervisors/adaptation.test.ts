import { describe, expect, it } from 'vitest';

import { carryOut, refolded } from '../support/run-harness.ts';
import type { HarnessResult } from '../support/run-harness.ts';
import type { JournalRecord, PolicyAdapted } from '../../src/journal/record.ts';
import { steadyLoad } from '../../src/runtime/process-load.ts';
import type { ProcessLoad } from '../../src/policies/parallelism.ts';

const agents = { worker: { uses: 'simulate' }, other: { uses: 'simulate' } };
const task = (ms: number, rest: object = {}): object => ({
  agent: 'worker',
  with: { duration: ms },
  ...rest,
});
const many = (count: number, ms: number, rest: object = {}): object =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`t${i}`, task(ms, rest)]));

const adaptations = (records: readonly JournalRecord[]): PolicyAdapted[] =>
  records.filter((record) => record.type === 'policy.adapted');

/** The most tasks that ran at one time within a stretch of the run. */
function peakWithin({ report }: HarnessResult, from: number, to: number): number {
  let peak = 0;
  for (const { started_ms: at } of report.tasks) {
    if (at === null || at < from || at >= to) continue;
    const beside = report.tasks.filter(
      (task) => (task.started_ms ?? Infinity) <= at && (task.finished_ms ?? Infinity) > at,
    );
    peak = Math.max(peak, beside.length);
  }
  return peak;
}

const under = (parts: Partial<ProcessLoad>): ProcessLoad => ({ ...steadyLoad, ...parts });

describe('the degree of parallelism of a run', () => {
  it('is chosen when it begins, is journaled with its reasons, and is what really runs', async () => {
    const result = await carryOut({
      document: { agents, tasks: many(20, 100), resources: { concurrency: 'auto' } },
      load: () => under({ cores: 1, eventLoopDelayMs: 75 }),
    });
    expect(adaptations(result.records)).toMatchObject([
      {
        policy: 'concurrency',
        from: null,
        to: 10,
        reason: '20 could run together; 10 fit on 1 core, the event loop is 75 ms late',
        measured: { event_loop_delay_ms: 75, memory: 0, queue_depth: 0 },
      },
    ]);
    expect(result.report.metrics).toMatchObject({ peak_tasks: 10, wall_ms: 200 });
  });

  it('is not chosen where the document says a number', async () => {
    const { records, report } = await carryOut({
      document: { agents, tasks: many(8, 100), resources: { concurrency: 4 } },
    });
    expect(adaptations(records)).toEqual([]);
    expect(report.metrics.peak_tasks).toBe(4);
  });

  it('is kept by a resumed run, whatever the process is like by then', async () => {
    const document = { agents, tasks: many(20, 100), resources: { concurrency: 'auto' } };
    const whole = await carryOut({
      document,
      load: () => under({ cores: 1, eventLoopDelayMs: 75 }),
    });
    const cut = whole.records.findIndex(({ type }) => type === 'task.succeeded');
    const again = await carryOut({ document, records: whole.records.slice(0, cut + 1) });
    expect(adaptations(again.records)).toHaveLength(1);
    expect(again.report.metrics.peak_tasks).toBe(10);
  });
});

describe('a run that adapts', () => {
  const monitoring = { interval: '1s' };
  const concurrency = { concurrency: { min: 1, max: 16 } };

  it('raises its concurrency while tasks wait, up to its bound', async () => {
    const result = await carryOut({
      document: {
        agents,
        tasks: many(400, 500),
        resources: { concurrency: 4 },
        adaptation: concurrency,
        monitoring,
      },
    });
    const changes = adaptations(result.records);
    expect(changes.map(({ to }) => to)).toEqual([5, 6, 7, 8, 10, 12, 15, 16]);
    expect(changes[0]).toMatchObject({ from: 4, measured: { running: 4, queue_depth: 384 } });
    expect(peakWithin(result, 0, 1000)).toBe(4);
    expect(result.report.metrics.peak_tasks).toBe(16);
    expect(refolded(result.records).adaptation.concurrency).toBe(16);
  });

  it('lowers it when the event loop is late, and what runs ends undisturbed', async () => {
    const result = await carryOut({
      document: {
        agents,
        tasks: many(60, 500),
        resources: { concurrency: 10 },
        adaptation: true,
        monitoring,
      },
      load: (now) => under({ eventLoopDelayMs: now > 900 && now < 2100 ? 300 : 90 }),
    });
    expect(adaptations(result.records)).toMatchObject([
      { policy: 'concurrency', from: 10, to: 7, reason: 'the event loop is 300 ms late' },
    ]);
    expect(peakWithin(result, 0, 2000)).toBe(10);
    expect(peakWithin(result, 2500, 10_000)).toBe(7);
    expect(result.report.census.succeeded).toBe(60);
  });

  it('narrows a group whose attempts take too long, and lets others have the places', async () => {
    const result = await carryOut({
      document: {
        agents,
        tasks: { ...many(24, 1500), solo: task(200, { needs: ['first'] }), first: task(4000) },
        groups: { g: { tasks: Object.keys(many(24, 0)) } },
        resources: { concurrency: 7 },
        adaptation: { actions: ['group_sizes'] },
        monitoring: { interval: '600ms', thresholds: { response_time: '1s' } },
      },
    });
    const [first] = adaptations(result.records);
    expect(first).toMatchObject({ policy: 'group_size', of: 'g', from: null, to: 4 });
    expect(result.report.census.succeeded).toBe(26);
    const members = result.report.tasks.filter(({ id }) => id.startsWith('t'));
    const late = members.filter(({ started_ms: at }) => (at ?? 0) >= 1900);
    const atOnce = Math.max(
      ...late.map(({ started_ms: at }) => late.filter((m) => m.started_ms === at).length),
    );
    expect(atOnce).toBeLessThanOrEqual(4);
  });

  it('stretches the timeout of an attempt that makes progress, never beyond the deadline', async () => {
    const slow = async (rest: object): Promise<HarnessResult> =>
      carryOut({
        document: {
          agents,
          tasks: {
            a: {
              ...task(7000, { estimate: '1s', timeout: '4s', retry: { max_attempts: 1 }, ...rest }),
              with: { duration: 7000, progress: 10 },
            },
          },
          adaptation: { actions: ['timeouts'], max_timeout_factor: 2 },
          monitoring: { interval: '1s', thresholds: { response_time: '1500ms' } },
        },
      });
    const stretched = await slow({});
    expect(adaptations(stretched.records).map(({ to }) => to)).toEqual([1.5, 2]);
    expect(stretched.report.tasks[0]).toMatchObject({ outcome: 'succeeded', finished_ms: 7000 });
    const cut = await slow({ deadline: '5s' });
    expect(cut.report.tasks[0]).toMatchObject({
      outcome: 'timed_out',
      reason: 'deadline_exceeded',
    });
  });

  it('orders what waits by how long agents really take', async () => {
    const document = (adaptation: object | boolean): object => ({
      agents,
      tasks: {
        // Both kinds are thought to take 1 s; those of the other agent take 5 s, and another 1 s follows each.
        ...Object.fromEntries(
          Array.from({ length: 12 }, (_, i) => [
            `w${i}`,
            task(1000, { estimate: '1s', priority: 5 }),
          ]),
        ),
        ...Object.fromEntries(
          Array.from({ length: 12 }, (_, i) => [
            `o${i}`,
            { ...task(5000, { estimate: '900ms', priority: 5 }), agent: 'other' },
          ]),
        ),
        s0: { ...task(5000, { estimate: '900ms', priority: 9 }), agent: 'other' },
        s1: { ...task(5000, { estimate: '900ms', priority: 9 }), agent: 'other' },
        s2: { ...task(5000, { estimate: '900ms', priority: 9 }), agent: 'other' },
      },
      resources: { concurrency: 3 },
      adaptation,
      monitoring: { interval: '1s', thresholds: { response_time: '1h' } },
    });
    const result = await carryOut({ document: document({ actions: ['order'] }) });
    const [change] = adaptations(result.records);
    expect(change).toMatchObject({ policy: 'order', of: 'other', from: 1 });
    expect(change?.to).toBeCloseTo(5.556, 2);
    expect(change?.reason).toMatch(
      /^other takes 5\.6 times as long as planned; \w+ bounds the run now$/,
    );
    const starts = (result.report.tasks as readonly { id: string; started_ms: number | null }[])
      .filter(({ id }) => /^[wo]/.test(id))
      .toSorted((a, b) => (a.started_ms ?? 0) - (b.started_ms ?? 0));
    // The first three were admitted by the plan; then the long ones go first.
    expect(starts.slice(3, 12).every(({ id }) => id.startsWith('o'))).toBe(true);
  });

  it('keeps what it has adapted when it is resumed, and refolds to the same', async () => {
    const document = {
      agents,
      tasks: many(60, 500),
      resources: { concurrency: 10 },
      adaptation: true,
      monitoring,
    };
    const whole = await carryOut({
      document,
      load: (now) => under({ eventLoopDelayMs: now < 2100 ? 300 : 90 }),
    });
    const cut = whole.records.findIndex(({ type }) => type === 'policy.adapted');
    const again = await carryOut({
      document,
      records: whole.records.slice(0, cut + 1),
      load: () => under({ eventLoopDelayMs: 90 }),
    });
    expect(adaptations(again.records)).toHaveLength(1);
    expect(peakWithin(again, 2500, 10_000)).toBe(7);
    expect(refolded(again.records).adaptation).toEqual(again.state.adaptation);
  });

  it('changes nothing where the document does not ask for it', async () => {
    const { records } = await carryOut({
      document: { agents, tasks: many(30, 500), resources: { concurrency: 4 } },
      load: () => under({ eventLoopDelayMs: 500, memory: 0.99 }),
    });
    expect(adaptations(records)).toEqual([]);
  });
});
