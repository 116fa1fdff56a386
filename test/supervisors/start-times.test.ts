import { describe, expect, it } from 'vitest';
import type { JournalRecord } from '../../src/journal/record.ts';
import type { RunReport } from '../../src/runtime/report.ts';
import { runSimulated } from '../../src/testing.ts';
import { carryOut, sim } from '../support/run-harness.ts';
import { documentOf, resourceProjects, taskGraphs } from '../planning/instances.ts';

function startsOf({ tasks }: RunReport): Record<string, number | null> {
  return Object.fromEntries(tasks.map(({ id, started_ms }) => [id, started_ms]));
}

describe('not_before', () => {
  const later = {
    version: 1,
    name: 'later',
    tasks: {
      first: sim(10, {}),
      held: sim(5, { not_before: 100, needs: ['first'] }),
      slow: sim(300, {}),
      after: sim(5, { not_before: 100, needs: ['slow'] }),
    },
  };

  it('holds a task until so long after the start of the run, and no longer than its inputs', async () => {
    const { report, end } = await carryOut({ document: later });
    expect(end).toBe('ended');
    expect(startsOf(report)).toEqual({ first: 0, held: 100, slow: 0, after: 300 });
  });

  it('takes a date by the clock', async () => {
    const at = (ms: number): string => new Date(ms).toISOString();
    const tasks = { a: sim(1, { not_before: at(70) }), b: sim(1, { not_before: at(-70) }) };
    const { report } = await carryOut({ document: { version: 1, name: 'dates', tasks } });
    expect(startsOf(report)).toEqual({ a: 70, b: 0 });
  });

  it('keeps the time of the first start when a run is resumed', async () => {
    const { records } = await carryOut({ document: later });
    const cut = records.findIndex(
      (record) => record.type === 'task.succeeded' && record.task === 'first',
    );
    const resumed = await carryOut({ document: later, records: records.slice(0, cut + 1) });
    const started = (list: readonly JournalRecord[]): number | undefined =>
      list.find((record) => record.type === 'task.started' && record.task === 'held')?.at;
    expect(started(resumed.records)).toBe(started(records));
  });

  it('does not stop the deadline of the task', async () => {
    const tasks = {
      a: sim(10, {}),
      b: sim(1, { needs: ['a'], not_before: 100, deadline: 50, default: null }),
    };
    const { report } = await carryOut({ document: { version: 1, name: 'late', tasks } });
    const [, b] = report.tasks;
    expect([b?.outcome, b?.reason, b?.finished_ms]).toEqual(['timed_out', 'deadline_exceeded', 60]);
  });

  it('lets a run be cancelled that waits for nothing else', async () => {
    const tasks = { a: sim(1, { not_before: 10_000 }) };
    const { report, end } = await carryOut({
      document: { version: 1, name: 'waiting', tasks },
      during: (core, clock) =>
        clock.setTimeout(() => core.self.send({ type: 'run.cancel', by: 'user' }), 20),
    });
    expect([end, report.status, report.metrics.wall_ms]).toEqual(['ended', 'cancelled', 20]);
  });
});

describe('a run with a plan', () => {
  const planned = {
    version: 1,
    name: 'planned',
    agents: { w: { uses: 'simulate' } },
    tasks: {
      first: { agent: 'w', estimate: 10, with: { duration: 10 }, resources: { u: 2 } },
      large: {
        agent: 'w',
        estimate: 50,
        with: { duration: 50 },
        resources: { u: 4 },
        needs: ['first'],
      },
      last: {
        agent: 'w',
        estimate: 40,
        with: { duration: 40 },
        resources: { u: 1 },
        needs: ['large'],
      },
      small: { agent: 'w', estimate: 30, with: { duration: 30 }, resources: { u: 2 } },
    },
    resources: { u: 4 },
  };

  it('keeps units free for what the plan has next', async () => {
    const { report } = await carryOut({ document: planned });
    expect(startsOf(report)).toEqual({ first: 0, large: 10, last: 60, small: 60 });
    expect(report.metrics.wall_ms).toBe(100);
  });

  it('does not wait for ever for what is late', async () => {
    const tasks = {
      ...planned.tasks,
      first: { ...planned.tasks.first, with: { duration: 100_000 } },
    };
    const { report } = await carryOut({ document: { ...planned, tasks } });
    expect(startsOf(report)['small']).toBeLessThan(1000);
  });

  it('goes on when what it kept units for fails', async () => {
    const failing = { duration: 10, fail: true };
    const tasks = { ...planned.tasks, first: { ...planned.tasks.first, with: failing, retry: 1 } };
    const { report, end } = await carryOut({ document: { ...planned, tasks } });
    expect(end).toBe('ended');
    expect(startsOf(report)['small']).toBe(10);
  });

  it('ends as it would have when it is resumed after every record', async () => {
    const { records, report } = await carryOut({ document: planned });
    for (let length = 1; length < records.length; length++) {
      const resumed = await carryOut({ document: planned, records: records.slice(0, length) });
      expect(resumed.end, `after ${length} records`).toBe('ended');
      expect(resumed.report.census).toEqual(report.census);
    }
  });

  it('leaves no timer behind when it is cancelled while tasks are held back', async () => {
    const { end, report } = await carryOut({
      document: planned,
      during: (core, clock) =>
        clock.setTimeout(() => core.self.send({ type: 'run.cancel', by: 'user' }), 5),
    });
    expect([end, report.status]).toEqual(['ended', 'cancelled']);
  });

  it('comes as close to the best known as the plan does: task graphs and resource projects', async () => {
    const instances = [...taskGraphs().slice(0, 12), ...resourceProjects().slice(0, 12)];
    let over = 0;
    for (const instance of instances) {
      const { report } = await runSimulated(documentOf(instance));
      over += report.metrics.wall_ms / instance.best - 1;
    }
    expect((100 * over) / instances.length).toBeLessThan(0.5);
  });
});
