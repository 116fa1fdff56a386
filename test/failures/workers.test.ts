import { describe, expect, it } from 'vitest';
import { carryOut, outcomes, sim } from '../support/run-harness.ts';
import { endsOf, typesOf } from './records.ts';

/** Rows of docs/failures.md about single workers; each title is the row's name there. */
describe('a failure of a worker', () => {
  it('worker timeout: the group goes on with what is there, and marks the member incomplete', async () => {
    const { report, state } = await carryOut({
      document: {
        version: 1,
        name: 'timeout',
        tasks: {
          quick: sim(10, { with: { output: 'here' } }),
          stuck: sim(3_600_000, { timeout: 50, retry: 1 }),
          reader: sim(1, { needs: ['tier'] }),
        },
        groups: { tier: { tasks: ['quick', 'stuck'], barrier: { min_success: 1 } } },
      },
    });
    expect(endsOf(state, 'stuck')).toEqual(['timed_out', 'attempt_timeout', 1]);
    expect(state.groups.get('tier')).toMatchObject({ outcome: 'partial', output: ['here', null] });
    expect(outcomes(report)['reader']).toBe('succeeded');
    expect(report.status).toBe('partial');
  });

  it('worker failure: it is tried twice more, then its peer has what it left', async () => {
    const left: unknown[] = [];
    const { state } = await carryOut({
      document: {
        version: 1,
        name: 'peers',
        defaults: { retry: { max_attempts: 3, backoff: 'fixed', initial: 10, jitter: 0 } },
        agents: {
          first: { uses: 'function', module: 'host:fails', peers: ['second'] },
          second: { uses: 'function', module: 'host:takesOver' },
        },
        tasks: { work: { agent: 'first' } },
      },
      functions: {
        fails: ({ progress }) => {
          progress({ fraction: 0.5, partial: 'half' });
          throw new Error('broken');
        },
        takesOver: ({ previous }) => {
          left.push(previous?.partial);
          return 'done';
        },
      },
    });
    expect(endsOf(state, 'work')).toEqual(['succeeded', 'completed', 4]);
    expect(left).toEqual(['half']);
  });

  it('all workers fail: the breaker opens, and the group asks who is above it', async () => {
    let isOpen = false;
    const { records, state } = await carryOut({
      document: {
        version: 1,
        name: 'all-fail',
        agents: { broken: { uses: 'simulate', breaker: { minimum_calls: 20, wait: '10h' } } },
        tasks: {
          a: { agent: 'broken', with: { duration: 5, fail: true }, retry: 1 },
          b: { agent: 'broken', with: { duration: 5, fail: true }, retry: 1 },
        },
        groups: {
          pair: {
            tasks: ['a', 'b'],
            escalation: [{ rung: 'person', deadline: '1h', default: 'fail' }],
          },
        },
      },
      onRecord: ({ type }, { services, run }) => {
        if (type === 'group.ended')
          isOpen = services.breakers?.find(run, 'agent:broken')?.breaker.state !== 'closed';
      },
    });
    const opened = records.filter((record) => record.type === 'escalation.opened');
    expect(opened.map(({ rung }) => rung)).toContain('person');
    expect(isOpen).toBe(true);
    expect(state.groups.get('pair')?.outcome).toBe('failed');
  });

  it('transient failure: it is tried again after a wait that grows', async () => {
    const { records } = await carryOut({
      document: {
        version: 1,
        name: 'backoff',
        defaults: { retry: { max_attempts: 4, backoff: 'exponential', initial: 100, jitter: 0 } },
        tasks: { flaky: sim(1, { with: { fail: [1, 2, 3] } }) },
      },
    });
    const waits = records.flatMap((record) =>
      record.type === 'attempt.failed' ? [record.retryAt - record.at] : [],
    );
    expect(waits).toEqual([100, 200, 400]);
  });

  it('permanent failure: it is not tried again', async () => {
    const { state } = await carryOut({
      document: {
        version: 1,
        name: 'permanent',
        agents: {
          owner: { uses: 'function', module: 'host:writes' },
          other: { uses: 'simulate', owns: ['hers.*'] },
        },
        tasks: { rude: { agent: 'owner' }, hers: { agent: 'other' } },
      },
      functions: { writes: ({ memory }) => memory.set('hers.key', 1) },
    });
    expect(endsOf(state, 'rude')).toEqual(['failed', 'write_refused', 1]);
  });

  it('hung worker: its attempt is abandoned at its timeout, and its late result is refused', async () => {
    let finish = (_value: string): void => undefined;
    const { state, records } = await carryOut({
      document: {
        version: 1,
        name: 'hung',
        agents: { deaf: { uses: 'function', module: 'host:hangs', limits: { kill_after: 10 } } },
        tasks: { hung: { agent: 'deaf', timeout: 100, retry: 1 }, next: sim(500) },
      },
      functions: {
        hangs: () => new Promise<string>((resolve) => (finish = resolve)),
      },
      onRecord: ({ type }) => {
        if (type === 'task.ended') finish('too late');
      },
    });
    expect(endsOf(state, 'hung')).toEqual(['timed_out', 'attempt_timeout', 1]);
    expect(typesOf(records)).not.toContain('memory.committed');
    expect(state.tasks.get('hung')?.output).toBeNull();
  });

  it('slow worker: a second attempt runs beside it, and the first good result counts at once', async () => {
    const { state, records } = await carryOut({
      document: {
        version: 1,
        name: 'straggler',
        agents: { moody: { uses: 'function', module: 'host:slowFirst', idempotent: true } },
        tasks: { work: { agent: 'moody', hedge: { after: 50 } } },
      },
      functions: { slowFirst: firstIsSlow() },
    });
    const began = records.find(({ type }) => type === 'task.started')?.at ?? 0;
    expect(state.tasks.get('work')).toMatchObject({ outcome: 'succeeded', output: 'second' });
    expect((state.tasks.get('work')?.finishedAt ?? 0) - began).toBe(50);
  });
});

/** The first call never ends by itself; the second one does at once. */
function firstIsSlow(): (context: { readonly signal: AbortSignal }) => unknown {
  let calls = 0;
  return ({ signal }) => {
    if (++calls > 1) return 'second';
    return new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(new Error('stopped')));
    });
  };
}
