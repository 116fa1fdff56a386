import { describe, expect, it } from 'vitest';

import { carryOut, sim } from '../support/run-harness.ts';
import type { JournalRecord } from '../../src/journal/record.ts';
import { fold } from '../../src/journal/fold.ts';
import { emptyRunState } from '../../src/journal/run-state.ts';
import type { Workflow } from '../../src/workflow/model.ts';
import { buildGraph } from '../../src/planning/graph.ts';
import { metricsOf } from '../../src/runtime/metrics/metrics.ts';
import type { RunMetrics } from '../../src/runtime/metrics/run-metrics.ts';
import { RunTime } from '../../src/runtime/metrics/run-time.ts';

const agents = { worker: { uses: 'simulate' }, other: { uses: 'simulate' } };
const task = (ms: number, rest: object = {}): object => {
  const { uses: _uses, ...body } = sim(ms, rest) as { uses: string };
  return { agent: 'worker', ...body };
};

/** The metrics of a run whose records came so many milliseconds later, as start-up makes them. */
function metricsLater(records: readonly JournalRecord[], ms: number): RunMetrics {
  const [start, ...rest] = records;
  if (start?.type !== 'run.started') throw new Error('the first record is not the start');
  const later = rest.map((record) => {
    return record.type === 'lease.taken' ? record : { ...record, at: record.at + ms };
  });
  return metricsOf(fold([start, ...later]), buildGraph(start.workflow as Workflow));
}

describe('what a run reports about its parallelism', () => {
  it('counts the waits at a barrier: 90 and 60 until the slowest is there', async () => {
    const { report } = await carryOut({
      document: {
        agents,
        tasks: { a: task(10), b: task(40), c: task(100), after: task(5, { needs: ['g'] }) },
        groups: { g: { tasks: ['a', 'b', 'c'] } },
      },
    });
    expect(report.metrics).toMatchObject({
      wall_ms: 105,
      sequential_ms: 155,
      critical_path_ms: 105,
      speedup: 1.476,
      peak_tasks: 3,
      barrier_wait_ms: 150,
      queue_wait_ms: 0,
      lock_wait_ms: 0,
      bottleneck: { kind: 'task', id: 'c', share: 0.952 },
    });
    expect(report.groups).toMatchObject([{ id: 'g', barrier_wait_ms: 150 }]);
  });

  it('counts no wait at a group that merges as results arrive', async () => {
    const { report } = await carryOut({
      document: {
        agents,
        tasks: { a: task(10), b: task(40) },
        groups: { g: { tasks: ['a', 'b'], mode: 'async_merge' } },
      },
    });
    expect(report.metrics.barrier_wait_ms).toBe(0);
  });

  it('weights utilisation by time: two of three places for 10, one for 10', async () => {
    const { report } = await carryOut({
      document: {
        agents,
        tasks: { a: task(10, { resources: { cpu: 50 } }), b: task(20) },
        resources: { concurrency: 3 },
      },
    });
    expect(report.metrics.utilisation).toEqual({ concurrency: 0.5, cpu: 0.25 });
  });

  it('weights the places that a run has chosen by how long there were so many', async () => {
    const { report } = await carryOut({
      document: {
        agents,
        tasks: { a: task(100), b: task(100), c: task(100, { needs: ['a'] }) },
        resources: { concurrency: 'auto' },
      },
    });
    // Two pay: 300 of 2 * 200 are in use.
    expect(report.adaptation).toMatchObject({ changes: 0, concurrency: 2 });
    expect(report.metrics.utilisation).toEqual({ concurrency: 0.75 });
  });

  it('tells the wait for a place from the wait for a lock', async () => {
    const { report } = await carryOut({
      document: {
        agents,
        tasks: {
          a: task(30, { exclusive: ['db'] }),
          b: task(10, { exclusive: ['db'] }),
          c: task(10, { priority: 1 }),
        },
        resources: { concurrency: 2 },
      },
    });
    // a holds the lock from 0 to 30, so b waits 30; c has the second place at once.
    expect(report.metrics).toMatchObject({ wall_ms: 40, queue_wait_ms: 30, lock_wait_ms: 30 });
    const { report: narrow } = await carryOut({
      document: { agents, tasks: { a: task(30), b: task(10) }, resources: { concurrency: 1 } },
    });
    expect(narrow.metrics).toMatchObject({ queue_wait_ms: 30, lock_wait_ms: 0 });
  });

  it('takes start-up for no wait, and for nothing that bounds the run', async () => {
    const { records } = await carryOut({
      document: {
        agents,
        tasks: { a: task(10), b: task(10), c: task(10) },
        resources: { concurrency: 2 },
      },
    });
    // a and b are there from the start, and start after 500; c waits 10 for the place of one of them.
    expect(metricsLater(records, 500)).toMatchObject({
      wall_ms: 520,
      queue_wait_ms: 10,
      bottleneck: { kind: 'agent', id: 'worker', share: 0.019 },
    });
  });

  it('takes nothing for a wait while permits are free: start times', async () => {
    const { report } = await carryOut({
      document: {
        agents,
        tasks: { a: task(10), b: task(10, { not_before: '100ms' }) },
        resources: { concurrency: 1 },
      },
    });
    expect(report.metrics).toMatchObject({ wall_ms: 110, queue_wait_ms: 0 });
  });

  it('counts a wait for units that were not enough, though some were free', async () => {
    const cpu = (units: number): object => ({ resources: { cpu: units } });
    const { report } = await carryOut({
      document: {
        agents,
        tasks: { a: task(30, cpu(2)), b: task(10, cpu(3)) },
        resources: { concurrency: 9, cpu: 4 },
      },
    });
    expect(report.metrics.queue_wait_ms + report.metrics.lock_wait_ms).toBeGreaterThan(0);
    expect(report.metrics).toMatchObject({ lock_wait_ms: 0, wall_ms: 40 });
  });

  it('leaves the pauses before retries out of the time that tasks took', async () => {
    const retry = { max_attempts: 2, initial: '1s', jitter: 0 };
    const { report } = await carryOut({
      document: {
        agents,
        tasks: {
          a: { uses: 'function', module: 'host:flaky', retry },
          b: task(100),
        },
      },
      functions: {
        flaky: ({ attempt }: { attempt: number }) => {
          if (attempt === 1) throw new Error('not yet');
          return null;
        },
      },
    });
    expect(report.tasks[0]?.attempts).toBe(2);
    expect(report.metrics.wall_ms).toBeGreaterThanOrEqual(1000);
    expect(report.metrics).toMatchObject({ sequential_ms: 100 });
  });

  it('counts a lock as in use while anybody holds it, one reader or all', async () => {
    const { report } = await carryOut({
      document: {
        agents,
        tasks: {
          a: task(40, { locks: [{ name: 'db', mode: 'read' }] }),
          b: task(40, { locks: [{ name: 'db', mode: 'read' }] }),
          c: task(40, { needs: ['a', 'b'], locks: [{ name: 'db', mode: 'write' }] }),
          d: task(80, { needs: ['c'] }),
        },
      },
    });
    expect(report.metrics).toMatchObject({ wall_ms: 160, utilisation: { 'lock:db': 0.5 } });
  });

  it('names the resource that a run waits for, and the agent that takes the most of its time', async () => {
    const tasks = Object.fromEntries(Array.from({ length: 8 }, (_, i) => [`t${i}`, task(10)]));
    const { report } = await carryOut({
      document: { agents, tasks, resources: { concurrency: 2 } },
    });
    expect(report.metrics.bottleneck).toEqual({ kind: 'resource', id: 'concurrency', share: 0.75 });
    const chain = await carryOut({
      document: {
        agents,
        tasks: {
          a: task(30),
          b: task(30, { needs: ['a'] }),
          c: { ...task(40, { needs: ['b'] }), agent: 'other' },
        },
      },
    });
    expect(chain.report.metrics.bottleneck).toEqual({ kind: 'agent', id: 'worker', share: 0.6 });
  });

  it('does not count the time in which nobody carried the run', async () => {
    const document = {
      agents,
      tasks: { a: task(50), b: task(100, { needs: ['a'] }) },
    };
    const whole = await carryOut({ document });
    const cut = whole.records.findIndex(({ type, ...rest }) => {
      return type === 'task.started' && (rest as { task?: string }).task === 'b';
    });
    // The owner dies right after b was dispatched at 50; an hour later somebody else goes on.
    const before = whole.records.slice(0, cut + 1);
    const takenOver: JournalRecord = {
      type: 'lease.taken',
      epoch: 2,
      node: 'n',
      seq: before.length + 1,
      at: 3_600_050,
    };
    const { report } = await carryOut({ document, records: [...before, takenOver] });
    expect(report.metrics).toMatchObject({
      wall_ms: 150,
      critical_path_ms: 150,
      speedup: 1,
      queue_wait_ms: 0,
    });
    expect(report.tasks.map(({ finished_ms }) => finished_ms)).toEqual([50, 150]);
  });

  it('stands still in every pause, and never goes back', () => {
    const state = emptyRunState();
    state.startedAt = 100;
    state.pauses.push({ from: 110, to: 200 }, { from: 250, to: 1000 });
    const time = new RunTime(state, 1100);
    expect([100, 110, 150, 200, 250, 600, 1000, 1100].map((at) => time.since(at))).toEqual([
      0, 10, 10, 10, 60, 60, 60, 160,
    ]);
    expect(time.between({ from: 1100, to: 100 })).toBe(0);
  });
});
