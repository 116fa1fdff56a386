import { describe, expect, it } from 'vitest';

import type { TaskFunction } from '../../src/actors/behaviours/behaviour.ts';
import type { Clock } from '../../src/core/clock.ts';
import type { JournalRecord } from '../../src/journal/record.ts';
import type { RunCore } from '../../src/supervisors/run/core.ts';
import { carryOut, outcomes, refolded } from '../support/run-harness.ts';

const exact = { max_attempts: 2, backoff: 'fixed', initial: '100ms', jitter: 0 };

/** Work of so many milliseconds; it throws on the attempts that are listed. */
function steps(calls: string[]) {
  let clock: Clock | undefined;
  const work: TaskFunction = ({ task, attempt, input, signal }) => {
    const { ms = 0, fails = [] } = input as { ms?: number; fails?: number[] };
    calls.push(`${task}#${attempt}`);
    return new Promise((resolve, reject) => {
      const timer = clock?.setTimeout(() => {
        if (fails.includes(attempt)) reject(new Error('no luck'));
        else resolve(task);
      }, ms);
      signal.addEventListener('abort', () => {
        clock?.clearTimeout(timer);
        reject(signal.reason as Error);
      });
    });
  };
  const onRecord = (_record: unknown, core: RunCore): void => {
    clock = core.services.clock;
  };
  return { functions: { work }, onRecord };
}

interface Given {
  readonly group: object;
  readonly tasks: { readonly [id: string]: { ms: number; fails?: number[] } };
}

async function carry({ group, tasks }: Given) {
  const calls: string[] = [];
  const document = {
    version: 1,
    name: 'restarts',
    agents: { w: { uses: 'function', module: 'host:work' } },
    tasks: Object.fromEntries(
      Object.entries(tasks).map(([id, given]) => [id, { agent: 'w', with: given, retry: exact }]),
    ),
    groups: { g: { tasks: Object.keys(tasks), ...group } },
  };
  const result = await carryOut({ document, ...steps(calls) });
  expect(refolded(result.records)).toEqual(result.state);
  return { ...result, calls };
}

const four = {
  done: { ms: 10 },
  early: { ms: 500 },
  bad: { ms: 50, fails: [1] },
  later: { ms: 500 },
};

function restarts(records: readonly JournalRecord[]) {
  return records.filter((record) => record.type === 'group.restarted');
}

describe('a group that is restarted', () => {
  it('one for one begins only the member again that failed', async () => {
    const { calls, records, state } = await carry({
      group: { restart: 'one_for_one' },
      tasks: four,
    });
    expect(calls).toEqual(['done#1', 'early#1', 'bad#1', 'later#1', 'bad#2']);
    expect(restarts(records)).toMatchObject([{ failed: 'bad', members: [], due: 150 }]);
    expect(state.outcome).toBe('succeeded');
  });

  it('one for all begins every running member again, together, and never one that has finished', async () => {
    const { calls, records, state } = await carry({
      group: { restart: 'one_for_all' },
      tasks: four,
    });
    expect(calls.slice(4).toSorted()).toEqual(['bad#2', 'early#2', 'later#2']);
    expect(restarts(records)).toMatchObject([{ members: ['early', 'later'] }]);
    const again = records.filter(
      (record) => record.type === 'task.started' && record.attempt === 2,
    );
    expect(new Set(again.map(({ at }) => at))).toEqual(new Set([150]));
    expect(state.tasks.get('early')).toMatchObject({ outcome: 'succeeded', attemptBase: 1 });
  });

  it('rest for one begins those again that stand later in the document', async () => {
    const { calls } = await carry({ group: { strategy: 'rest_for_one' }, tasks: four });
    expect(calls.slice(4).toSorted()).toEqual(['bad#2', 'later#2']);
  });

  it('counts no restart against the retry policy of those that only go with it', async () => {
    const tasks = { a: { ms: 50, fails: [1] }, b: { ms: 300, fails: [2] } };
    const { report, calls } = await carry({ group: { restart: 'one_for_all' }, tasks });
    expect(outcomes(report)).toEqual({ a: 'succeeded', b: 'succeeded' });
    expect(calls.filter((call) => call.startsWith('b'))).toEqual(['b#1', 'b#2', 'b#3']);
  });

  it('beyond its window ends all that has not ended, once, and keeps what has finished', async () => {
    const group = {
      restart: { strategy: 'one_for_all', max_restarts: 1, within: '10s' },
      barrier: { min_success: 1 },
    };
    const tasks = {
      done: { ms: 10 },
      a: { ms: 50, fails: [1] },
      b: { ms: 120, fails: [2] },
      c: { ms: 5_000 },
    };
    const { records, report, state } = await carry({ group, tasks });
    const escalations = records.filter(({ type }) => type === 'group.escalated');
    expect(escalations).toMatchObject([{ group: 'g', failed: 'b', max_restarts: 1 }]);
    expect(restarts(records)).toHaveLength(1);
    expect(report.tasks.map(({ id, reason }) => [id, reason])).toContainEqual([
      'c',
      'restarts_exhausted',
    ]);
    expect(outcomes(report)).toMatchObject({ done: 'succeeded', b: 'failed', c: 'cancelled' });
    expect(state.outcome).toBe('partial');
  });

  it('of type temporary restarts nobody beside the member itself', async () => {
    const { records } = await carry({
      group: { restart: { strategy: 'one_for_all', type: 'temporary' } },
      tasks: four,
    });
    expect(restarts(records)).toEqual([]);
  });

  it('takes `on_failure: restart` for one for one with the defaults', async () => {
    const { records } = await carry({ group: { on_failure: 'restart' }, tasks: four });
    expect(restarts(records)).toHaveLength(1);
  });
});

describe('a resume in the middle of a restart', () => {
  it('ends as the run would have, from a crash after any record', async () => {
    const { records } = await carry({ group: { restart: 'one_for_all' }, tasks: four });
    const end = records.findIndex(({ type }) => type === 'run.ended');
    for (let count = 1; count < end; count++) {
      const calls: string[] = [];
      const again = await carryOut({
        document: { version: 1, name: 'x', tasks: { t: { uses: 'simulate' } } },
        ...steps(calls),
        records: records.slice(0, count),
      });
      expect(again.state.outcome).toBe('succeeded');
      expect(refolded(again.records)).toEqual(again.state);
    }
  });
});
