import { describe, expect, it } from 'vitest';

import { carryOut, outcomes, sim } from '../support/run-harness.ts';

function workflow(tasks: object, rest: object = {}): object {
  return { version: 1, name: 'graph', defaults: { retry: { max_attempts: 1 } }, tasks, ...rest };
}

describe('dependency-driven execution', () => {
  it('starts every task when its own inputs are there: the diamond takes exactly 110 ms', async () => {
    const document = workflow({
      a1: sim(10),
      a2: sim(100, { needs: ['a1'] }),
      b1: sim(100),
      b2: sim(10, { needs: ['b1'] }),
      join: sim(0, { needs: ['a2', 'b2'] }),
    });
    const { report } = await carryOut({ document });
    expect(report.metrics).toMatchObject({ wall_ms: 110, critical_path_ms: 110 });
  });

  it('runs what does not depend on a failure to its end, and skips what does', async () => {
    const document = workflow({
      a: sim(10, { with: { fail: true } }),
      b: sim(50),
      c: sim(10, { needs: ['a'] }),
      d: sim(10, { needs: ['c'] }),
      e: sim(10, { needs: ['b'] }),
    });
    const { report } = await carryOut({ document });
    expect(outcomes(report)).toEqual({
      a: 'failed',
      b: 'succeeded',
      c: 'skipped',
      d: 'skipped',
      e: 'succeeded',
    });
    expect(report.tasks.find(({ id }) => id === 'd')?.reason).toBe('upstream_failed');
    expect(report.status).toBe('failed');
  });

  it('gives dependents the declared default of a task that failed', async () => {
    const document = workflow({
      a: sim(10, { with: { fail: true }, default: 'plan B' }),
      b: sim(10, { needs: ['a'], with: { output: '${tasks.a.output}' } }),
    });
    const { report } = await carryOut({ document });
    expect(report).toMatchObject({ status: 'partial', outputs: { b: 'plan B' } });
  });

  it('never waits for a context dependency, and uses it if it is there', async () => {
    const document = workflow({
      slow: sim(100, { with: { output: 'late' } }),
      quick: sim(10, { with: { output: 'early' } }),
      gate: sim(20),
      reader: sim(1, {
        needs: ['gate', { task: 'slow', kind: 'context' }, { task: 'quick', kind: 'context' }],
        with: { output: ['${tasks.quick.outcome}'] },
      }),
    });
    const { report, state } = await carryOut({ document });
    expect(report.tasks.find(({ id }) => id === 'reader')?.started_ms).toBe(20);
    expect(state.tasks.get('reader')?.output).toEqual(['succeeded']);
  });

  it('skips a task whose condition does not hold, and what needs it, without failing the run', async () => {
    const document = workflow({
      a: sim(10, { with: { output: { ok: false } } }),
      b: sim(10, { needs: ['a'], when: '${tasks.a.output.ok}' }),
      c: sim(10, { needs: ['b'] }),
    });
    const { report } = await carryOut({ document });
    expect(report.tasks.map(({ reason }) => reason)).toEqual([
      'completed',
      'condition_false',
      'upstream_skipped',
    ]);
    expect(report.status).toBe('succeeded');
  });

  it('fails a task whose input names what is not there, and says what', async () => {
    const document = workflow({
      a: sim(10, { with: { output: {} } }),
      b: sim(10, { needs: ['a'], with: { output: '${tasks.a.output.missing}' } }),
    });
    const { report } = await carryOut({ document });
    const failed = report.tasks.find(({ id }) => id === 'b');
    expect(failed).toMatchObject({ outcome: 'failed', reason: 'input_unresolvable' });
    expect(failed?.error?.message).toContain('tasks.a.output.missing');
  });

  it('skips a chain of 5,000 tasks behind a failure without using the stack', async () => {
    const tasks: Record<string, object> = { t0: sim(1, { with: { fail: true } }) };
    for (let n = 1; n < 5000; n++) tasks[`t${n}`] = sim(1, { needs: [`t${n - 1}`] });
    const { report, end } = await carryOut({ document: workflow(tasks) });
    expect(end).toBe('ended');
    expect(report.census).toMatchObject({ failed: 1, skipped: 4999 });
  });

  it('holds named resources, locks and concurrency within their limits', async () => {
    const document = workflow(
      {
        a: sim(10, { needs: [{ resource: 'engine' }] }),
        b: sim(10, { needs: [{ resource: 'engine' }] }),
        c: sim(10, { exclusive: ['file'] }),
        d: sim(10, { exclusive: ['file'] }),
        e: sim(10, { resources: { cpu: 60 } }),
        f: sim(10, { resources: { cpu: 60 } }),
      },
      { resources: { cpu: 100 } },
    );
    const { report } = await carryOut({ document });
    expect(report.metrics.wall_ms).toBe(20);
    for (const [one, other] of [
      ['a', 'b'],
      ['c', 'd'],
      ['e', 'f'],
    ]) {
      const starts = report.tasks
        .filter(({ id }) => id === one || id === other)
        .map((task) => task.started_ms);
      expect(new Set(starts)).toEqual(new Set([0, 10]));
    }
  });

  it('gives the run its outputs map, with null for what is missing', async () => {
    const document = workflow(
      { a: sim(10, { with: { output: { n: 3 } } }), b: sim(10, { with: { fail: true } }) },
      {
        outputs: {
          n: '${tasks.a.output.n}',
          text: 'n is ${tasks.a.output.n}',
          b: '${tasks.b.output}',
        },
      },
    );
    const { report } = await carryOut({ document });
    expect(report.outputs).toEqual({ n: 3, text: 'n is 3', b: null });
  });
});

describe('time limits', () => {
  it('ends an attempt at its timeout and tries again', async () => {
    const document = workflow({
      a: sim(100, { timeout: 30, retry: { max_attempts: 2, backoff: 'none' } }),
    });
    const { report } = await carryOut({ document });
    expect(report.tasks[0]).toMatchObject({
      outcome: 'timed_out',
      reason: 'attempt_timeout',
      attempts: 2,
    });
    expect(report.metrics.wall_ms).toBe(60);
  });

  it('ends a task at its deadline, retries and queueing included', async () => {
    const document = workflow({
      a: sim(20, {
        with: { fail: true },
        deadline: 50,
        retry: { max_attempts: 9, backoff: 'fixed', initial: 10, jitter: 0 },
      }),
    });
    const { report } = await carryOut({ document });
    expect(report.tasks[0]).toMatchObject({
      outcome: 'timed_out',
      reason: 'deadline_exceeded',
      finished_ms: 50,
    });
  });

  it('ends the run at its deadline with everything told', async () => {
    const document = workflow(
      { a: sim(10), b: sim(500), c: sim(10, { needs: ['b'] }) },
      { deadline: 100 },
    );
    const { report, end } = await carryOut({ document });
    expect(end).toBe('ended');
    expect(report).toMatchObject({
      status: 'timed_out',
      reason: 'deadline_exceeded',
      metrics: { wall_ms: 100 },
    });
    expect(outcomes(report)).toEqual({ a: 'succeeded', b: 'timed_out', c: 'timed_out' });
  });

  it('holds no permit while it backs off', async () => {
    const document = workflow(
      {
        a: sim(10, {
          with: { fail: [1] },
          retry: { max_attempts: 2, backoff: 'fixed', initial: 100, jitter: 0 },
          priority: 9,
        }),
        b: sim(50, { priority: 1 }),
      },
      { resources: { concurrency: 1 } },
    );
    const { report } = await carryOut({ document });
    expect(report.tasks.find(({ id }) => id === 'b')).toMatchObject({
      started_ms: 10,
      finished_ms: 60,
    });
    expect(report.tasks.find(({ id }) => id === 'a')).toMatchObject({
      attempts: 2,
      finished_ms: 120,
    });
  });
});

describe('cancelling a run', () => {
  it('stops what runs, withdraws what waits, keeps what is done', async () => {
    const document = workflow({ a: sim(10), b: sim(500), c: sim(10, { needs: ['b'] }) });
    const { report, end } = await carryOut({
      document,
      during: (core, clock) =>
        clock.setTimeout(() => core.self.send({ type: 'run.cancel', by: 'test' }), 50),
    });
    expect(end).toBe('ended');
    expect(outcomes(report)).toEqual({ a: 'succeeded', b: 'cancelled', c: 'cancelled' });
    expect(report).toMatchObject({ status: 'cancelled', metrics: { wall_ms: 50 } });
  });

  it('ends groups and expansions with it', async () => {
    const document = workflow(
      {
        split: sim(100, { for_each: [1, 2, 3], aggregate: 'list' }),
        x: sim(100),
        join: sim(1, { needs: ['g'] }),
      },
      { groups: { g: { tasks: ['split', 'x'] } } },
    );
    const { report, end, core } = await carryOut({
      document,
      during: (core, clock) =>
        clock.setTimeout(() => core.self.send({ type: 'run.cancel', by: 'test' }), 50),
    });
    expect(end).toBe('ended');
    expect(report.status).toBe('cancelled');
    expect(core.live.size).toBe(0);
    expect(core.groups.size).toBe(0);
  });

  it('leaves an interrupted run unfinished: nothing is decided, everything can go on', async () => {
    const document = workflow({ a: sim(10), b: sim(500) });
    const { end, state } = await carryOut({
      document,
      during: (core, clock) =>
        clock.setTimeout(() => core.self.send({ type: 'run.interrupt' }), 50),
    });
    expect(end).toBe('interrupted');
    expect(state.status).toBe('running');
    expect(state.tasks.get('b')?.outcome).toBeUndefined();
  });
});

describe('what a person would expect', () => {
  it('gives a dependent without `with` the declared default of what it needs', async () => {
    const document = workflow(
      {
        a: sim(1, { with: { fail: true }, default: { x: 1 } }),
        j: { agent: 'echo', needs: ['a'] },
      },
      { agents: { echo: { uses: 'function', module: 'host:echo' } } },
    );
    const { state } = await carryOut({
      document,
      functions: { echo: ({ input }) => input as never },
    });
    expect(state.tasks.get('j')?.output).toEqual({ a: { x: 1 } });
  });

  it('gives null for a context need that has not begun, instead of failing', async () => {
    const document = workflow({
      gate: sim(50),
      late: sim(1, { needs: ['gate'], with: { output: 'late' } }),
      early: sim(1, {
        needs: [{ task: 'late', kind: 'context' }],
        with: { output: ['${tasks.late.output}'] },
      }),
    });
    const { state } = await carryOut({ document });
    expect(state.tasks.get('early')).toMatchObject({ outcome: 'succeeded', output: [null] });
  });

  it('counts a deadline from the end of a group that the task needs', async () => {
    const document = workflow(
      { a: sim(300), j: sim(50, { needs: ['g'], deadline: 200 }) },
      { groups: { g: { tasks: ['a'] } } },
    );
    const { report } = await carryOut({ document });
    expect(outcomes(report)).toEqual({ a: 'succeeded', j: 'succeeded' });
  });

  it('stops the members of an expanded task whose deadline has passed', async () => {
    const document = workflow({ each: sim(1500, { for_each: [1, 2], deadline: 100 }) });
    const { report, end } = await carryOut({ document });
    expect(end).toBe('ended');
    expect(outcomes(report)).toEqual({
      each: 'timed_out',
      'each[0]': 'timed_out',
      'each[1]': 'timed_out',
    });
    expect(report.metrics.wall_ms).toBe(100);
  });

  it('takes members that only a stream reader needs by way of their group for used', async () => {
    const document = workflow(
      {
        a: sim(10),
        b: sim(20),
        r: sim(1, { needs: [{ group: 'g', kind: 'stream' }], with: { output: 'read' } }),
      },
      { groups: { g: { tasks: ['a', 'b'], mode: 'async_merge' } } },
    );
    const { report } = await carryOut({ document });
    expect(report.outputs).toEqual({ r: 'read' });
  });

  it('lets members go on after an early failure of their group when on_failure says continue', async () => {
    const document = workflow(
      { a: sim(10, { with: { fail: true } }), b: sim(100) },
      { groups: { g: { tasks: ['a', 'b'], barrier: { type: 'smart', on_failure: 'continue' } } } },
    );
    const { report } = await carryOut({ document });
    expect(report.groups[0]).toMatchObject({ outcome: 'failed' });
    expect(outcomes(report)).toEqual({ a: 'failed', b: 'succeeded' });
  });

  it('asks for as many successes as it waits for', async () => {
    const document = workflow(
      { a: sim(10), b: sim(100), j: sim(1, { needs: ['g'] }) },
      { groups: { g: { tasks: ['a', 'b'], barrier: { expected: 1 } } } },
    );
    const { report } = await carryOut({ document });
    expect(report.groups[0]).toMatchObject({ outcome: 'partial', reason: 'quorum_reached' });
    expect(outcomes(report)).toMatchObject({ a: 'succeeded', b: 'cancelled', j: 'succeeded' });
  });
});
