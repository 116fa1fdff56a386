import { describe, expect, it } from 'vitest';

import { fold } from '../../src/journal/fold.ts';
import type { JournalRecord } from '../../src/journal/record.ts';
import { carryOut, outcomes, sim } from '../support/run-harness.ts';
import type { HarnessOptions } from '../support/run-harness.ts';

/** One workflow with everything that a crash could tear: groups, barriers, splits, retries, checks, memory, streams. */
const everything = {
  version: 1,
  name: 'everything',
  defaults: { retry: { max_attempts: 3, backoff: 'fixed', initial: 7, jitter: 0 } },
  agents: {
    note: { uses: 'function', module: 'host:note', owns: ['note.*'] },
    stepper: { uses: 'function', module: 'host:steps' },
    judge: { uses: 'function', module: 'host:judge' },
    total: { uses: 'function', module: 'host:total' },
  },
  tasks: {
    list: sim(5, { with: { output: [1, 2, 3, 4, 5] } }),
    each: sim(10, {
      needs: ['list'],
      for_each: '${tasks.list.output}',
      with: { output: '${item}', fail: [1] },
      aggregate: { function: 'host:total' },
    }),
    gone: sim(10, { with: { fail: true }, retry: 1 }),
    slow: sim(400, {}),
    quick: sim(20, { with: { output: 'quick' } }),
    lost: sim(1, { needs: ['gone'] }),
    merge_a: sim(15, { with: { output: 'a' } }),
    merge_b: sim(35, { with: { output: 'b' } }),
    early: sim(3, { needs: [{ group: 'merged', kind: 'stream' }] }),
    draft: { agent: 'note', needs: ['each', { task: 'review', kind: 'validation' }] },
    review: { agent: 'judge', needs: ['draft'] },
    steps: { agent: 'stepper', needs: ['quick'] },
    off: sim(1, { needs: ['list'], when: '${tasks.list.output.length} > 9' }),
    join: sim(2, {
      needs: ['branches', 'merged', 'draft', 'steps'],
      with: { output: '${memory.note.total}' },
    }),
  },
  groups: {
    branches: {
      tasks: ['gone', 'slow', 'quick'],
      barrier: { min_success: 1, timeout: 100, on_timeout: ['extend', 'proceed_with_available'] },
    },
    merged: { tasks: ['merge_a', 'merge_b'], mode: 'async_merge' },
  },
};

/** What functions did to the world outside, by operation: at least once each, and steps at most once per journal. */
function world(): Pick<HarnessOptions, 'functions'> {
  return {
    functions: {
      note: ({ memory, input }) => {
        memory.set('note.total', (input as { each: number }).each);
        return input as never;
      },
      judge: ({ iteration }) => ({ accepted: iteration > 1 }),
      steps: async ({ step, attempt }) => {
        const first = await step('first', () => 'one');
        if (attempt === 1) throw new Error('once');
        return [first, await step('second', () => 'two')];
      },
      total: ({ input }) => (input as { outputs: number[] }).outputs.reduce((sum, n) => sum + n, 0),
    },
  };
}

/** Tasks and iterations that have a result in the journal, as `task#iteration`. */
function succeededIn(records: readonly JournalRecord[]): Set<string> {
  const iteration = new Map<string, number>();
  const done = new Set<string>();
  for (const record of records) {
    if (record.type === 'task.started') iteration.set(record.task, record.iteration);
    if (record.type === 'task.succeeded' || record.type === 'task.completed') {
      done.add(`${record.task}#${iteration.get(record.task) ?? 1}`);
    }
  }
  return done;
}

describe('a run that died', () => {
  it('has, after every record, the state that its journal folds to', async () => {
    let compared = 0;
    const written: JournalRecord[] = [];
    await carryOut({
      document: everything,
      ...world(),
      onRecord: (record, core) => {
        written.push(structuredClone(record));
        if (record.seq !== core.ledger.state.seq) return;
        compared++;
        expect(core.ledger.state).toEqual(fold(written));
      },
    });
    expect(compared).toBeGreaterThan(40);
  });

  it('ends as it would have, from a crash after any of its records, and runs nothing again that had succeeded', async () => {
    const whole = await carryOut({ document: everything, ...world() });
    expect(whole.end).toBe('ended');
    const expected = outcomes(whole.report);
    for (let cut = 2; cut < whole.records.length; cut++) {
      const before = whole.records.slice(0, cut);
      const resumed = await carryOut({ document: everything, records: before, ...world() });
      const context = `crash after record ${cut}: ${before.at(-1)?.type}`;
      expect(resumed.end, context).toBe('ended');
      expect(
        {
          outcomes: outcomes(resumed.report),
          outputs: resumed.report.outputs,
          status: resumed.report.status,
        },
        context,
      ).toEqual({ outcomes: expected, outputs: whole.report.outputs, status: whole.report.status });
      expect(resumed.core.ledger.memory.hash(), context).toBe(whole.core.ledger.memory.hash());
      const done = succeededIn(before);
      const again = resumed.records
        .slice(cut)
        .filter(
          (record) =>
            record.type === 'task.started' && done.has(`${record.task}#${record.iteration}`),
        );
      expect(again, context).toEqual([]);
      expect(resumed.state, context).toEqual(fold(resumed.records));
    }
  });

  it('survives a second crash after any record of the resumed run', async () => {
    const whole = await carryOut({ document: everything, ...world() });
    const half = whole.records.slice(0, Math.floor(whole.records.length / 2));
    const once = await carryOut({ document: everything, records: half, ...world() });
    for (let cut = half.length + 1; cut < once.records.length; cut += 3) {
      const twice = await carryOut({
        document: everything,
        records: once.records.slice(0, cut),
        ...world(),
      });
      expect(outcomes(twice.report), `second crash after ${cut}`).toEqual(outcomes(whole.report));
    }
  });

  it('gives a resumed attempt the steps that are done instead of doing them again', async () => {
    const done: string[] = [];
    const functions: HarnessOptions['functions'] = {
      work: async ({ step, attempt }) => {
        await step('pay', () => {
          done.push('pay');
          return 1;
        });
        if (attempt === 1) throw new Error('after paying');
        return 'paid';
      },
    };
    const document = {
      version: 1,
      name: 'steps',
      agents: { w: { uses: 'function', module: 'host:work' } },
      tasks: { t: { agent: 'w', retry: { max_attempts: 2, initial: 5 } } },
    };
    const whole = await carryOut({ document, functions });
    const cut = whole.records.findIndex(({ type }) => type === 'step.done') + 1;
    await carryOut({ document, functions, records: whole.records.slice(0, cut) });
    expect(whole.report.status).toBe('succeeded');
    expect(done).toEqual(['pay']);
  });

  it('re-arms a backoff by its absolute time', async () => {
    const document = {
      version: 1,
      name: 'backoff',
      tasks: {
        t: sim(10, {
          with: { fail: [1] },
          retry: { max_attempts: 2, backoff: 'fixed', initial: 1000, jitter: 0 },
        }),
      },
    };
    const whole = await carryOut({ document });
    const cut = whole.records.findIndex(({ type }) => type === 'attempt.failed') + 1;
    const resumed = await carryOut({ document, records: whole.records.slice(0, cut) });
    expect(resumed.report.tasks[0]?.finished_ms).toBe(1020);
  });
});

describe('resuming a run that has ended', () => {
  const document = (broken: boolean): object => ({
    version: 1,
    name: 'again',
    defaults: { retry: 1 },
    tasks: {
      a: sim(10, { with: { output: 'A' } }),
      b: sim(10, { with: { fail: broken ? '${input.broken}' : false, output: 'B' } }),
      c: sim(10),
      join: sim(1, { needs: ['g'] }),
      after: sim(1, { needs: ['b'] }),
    },
    groups: { g: { tasks: ['a', 'b', 'c'], barrier: { min_success: 2 } } },
  });

  it('runs only what had not succeeded', async () => {
    let broken = true;
    const functions = {
      b: () => {
        if (broken) throw new Error('not yet');
        return 'B';
      },
    };
    const withFunction = {
      ...document(false),
      agents: { fixable: { uses: 'function', module: 'host:b' } },
      tasks: { ...(document(false) as { tasks: object }).tasks, b: { agent: 'fixable' } },
    };
    const first = await carryOut({ document: withFunction, functions });
    expect(outcomes(first.report)).toEqual({
      a: 'succeeded',
      b: 'failed',
      c: 'succeeded',
      join: 'succeeded',
      after: 'skipped',
    });
    broken = false;
    const second = await carryOut({ document: withFunction, functions, records: first.records });
    const started = second.records
      .slice(first.records.length)
      .filter(({ type }) => type === 'task.started');
    expect(started).toMatchObject([{ task: 'b' }, { task: 'after' }]);
    expect(outcomes(second.report)).toMatchObject({ b: 'succeeded', after: 'succeeded' });
  });
});
