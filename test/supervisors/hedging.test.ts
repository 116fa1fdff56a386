import { describe, expect, it } from 'vitest';

import type { TaskContext } from '../../src/actors/behaviours/behaviour.ts';
import { carryOut, outcomes, refolded } from '../support/run-harness.ts';
import type { HarnessOptions, HarnessResult } from '../support/run-harness.ts';

/** How one attempt goes: how long it takes, whether it fails, and how long it lives on after an abort. */
interface Part {
  readonly ms: number;
  readonly fail?: boolean;
  readonly permanent?: boolean;
  readonly linger?: number;
  readonly write?: string;
}

/** Attempts by number; the last one stands for all after it. */
function script(clockOf: () => HarnessClock, parts: readonly Part[]) {
  return ({ attempt, signal, memory }: TaskContext): Promise<string> => {
    const part = parts[Math.min(attempt, parts.length) - 1] ?? { ms: 0 };
    const clock = clockOf();
    return new Promise((resolve, reject) => {
      if (part.write !== undefined) memory.set('a.key', part.write);
      const done = clock.setTimeout(() => {
        if (!part.fail) return resolve(`attempt ${attempt}`);
        const errorClass = part.permanent ? 'permanent' : 'transient';
        reject(Object.assign(new Error(`attempt ${attempt}`), { errorClass }));
      }, part.ms);
      signal.addEventListener('abort', () => {
        if (part.linger === undefined) {
          clock.clearTimeout(done);
          reject(signal.reason as Error);
        }
      });
    });
  };
}

type HarnessClock = Parameters<NonNullable<HarnessOptions['during']>>[1];

interface Scene {
  readonly parts: readonly Part[];
  readonly task?: object;
  readonly agent?: object;
  readonly document?: object;
  readonly records?: HarnessOptions['records'];
  readonly during?: HarnessOptions['during'];
}

async function play({
  parts,
  task,
  agent,
  document,
  records,
  during,
}: Scene): Promise<HarnessResult> {
  let clock: HarnessClock | undefined;
  const work = (context: TaskContext): Promise<string> =>
    Promise.resolve().then(() => script(() => clock as HarnessClock, parts)(context));
  return carryOut({
    document: {
      agents: {
        a: { uses: 'function', module: 'host:work', limits: { kill_after: '5s' }, ...agent },
      },
      tasks: { t: { agent: 'a', idempotent: true, hedge: { after: '10s' }, retry: 1, ...task } },
      ...document,
    },
    functions: { work },
    ...(records && { records }),
    during: (core, given) => {
      clock = given;
      during?.(core, given);
    },
  });
}

function story({ records }: HarnessResult): readonly string[] {
  return records
    .filter(({ type }) => /^(task|attempt|hedge|result|memory)/.test(type))
    .map((record) => {
      const attempt =
        'attempt' in record && record.attempt !== undefined ? ` ${record.attempt}` : '';
      const result = record.type === 'hedge.ended' ? ` ${record.result}` : '';
      return `${record.at} ${record.type}${attempt}${result}`;
    });
}

describe('a hedge', () => {
  it('is begun when an attempt has run so long, and wins at the moment of its result', async () => {
    const result = await play({ parts: [{ ms: 60_000 }, { ms: 5000 }] });
    expect(story(result)).toEqual([
      '0 task.started 1',
      '10000 hedge.started 2',
      '15000 hedge.ended 2 won',
      '15000 task.succeeded 2',
    ]);
    expect(result.report.outputs).toEqual({ t: 'attempt 2' });
    expect(result.state.hedges).toMatchObject({ started: 1, won: 1, lost: 0 });
    expect(result.records.at(-1)).toMatchObject({ type: 'run.ended', at: 15_000 });
  });

  it('loses when the first attempt has its result first, and is asked to end', async () => {
    const result = await play({ parts: [{ ms: 12_000 }, { ms: 50_000 }] });
    expect(story(result)).toEqual([
      '0 task.started 1',
      '10000 hedge.started 2',
      '12000 task.succeeded 1',
      '12000 hedge.ended 2 lost',
    ]);
    expect(result.report.outputs).toEqual({ t: 'attempt 1' });
  });

  it('is not begun for attempts that are through before', async () => {
    const result = await play({ parts: [{ ms: 9999 }] });
    expect(story(result)).toEqual(['0 task.started 1', '9999 task.succeeded 1']);
  });

  it('is given the same operation and another attempt number', async () => {
    const seen: string[] = [];
    await carryOut({
      document: {
        agents: { a: { uses: 'function', module: 'host:work' } },
        tasks: { t: { agent: 'a', idempotent: true, hedge: { after: '1s' } } },
      },
      functions: {
        work: ({ operation, attempt, signal }) => {
          seen.push(`${operation} ${attempt}`);
          if (attempt === 2) return 'done';
          return new Promise((_, reject) => {
            signal.addEventListener('abort', () => reject(signal.reason as Error));
          });
        },
      },
    });
    const [first = '', second = ''] = seen;
    expect(second).toBe(first.replace(/1$/, '2'));
    expect(first).toMatch(/ 1$/);
  });

  it('applies the memory changes of the winner alone, even when the loser ends with a result', async () => {
    const result = await play({
      parts: [
        { ms: 16_000, linger: 1, write: 'slow' },
        { ms: 5000, write: 'fast' },
      ],
      task: { writes: ['a.key'] },
    });
    expect(story(result)).toEqual([
      '0 task.started 1',
      '10000 hedge.started 2',
      '15000 hedge.ended 2 won',
      '15000 memory.committed',
      '15000 task.succeeded 2',
      '16000 result.late 1',
    ]);
    expect(result.core.ledger.memory.view().get('a.key')).toBe('fast');
    expect(result.records.at(-1)).toMatchObject({ type: 'run.ended', at: 16_000 });
  });

  it('goes on when the first attempt fails, and its result is the task’s', async () => {
    const result = await play({ parts: [{ ms: 11_000, fail: true }, { ms: 5000 }] });
    expect(story(result)).toEqual([
      '0 task.started 1',
      '10000 hedge.started 2',
      '15000 hedge.ended 2 won',
      '15000 task.succeeded 2',
    ]);
    expect(result.report.tasks[0]).toMatchObject({ outcome: 'succeeded', finished_ms: 15_000 });
  });

  it('fails without consequence while the first attempt runs', async () => {
    const result = await play({ parts: [{ ms: 20_000 }, { ms: 1000, fail: true }] });
    expect(story(result)).toEqual([
      '0 task.started 1',
      '10000 hedge.started 2',
      '11000 hedge.ended 2 failed',
      '20000 task.succeeded 1',
    ]);
  });

  it('counts once together with the first attempt when both fail', async () => {
    const retry = { max_attempts: 2, initial: '1s', backoff: 'fixed', jitter: 0 };
    const result = await play({
      parts: [{ ms: 11_000, fail: true }, { ms: 5000, fail: true }, { ms: 100 }],
      task: { retry },
    });
    expect(story(result)).toEqual([
      '0 task.started 1',
      '10000 hedge.started 2',
      '15000 hedge.ended 2 failed',
      '15000 attempt.failed 2',
      '16000 task.started 3',
      '16100 task.succeeded 3',
    ]);
  });

  it('is begun again after one has failed, as often as the document allows', async () => {
    const result = await play({
      parts: [{ ms: 60_000 }, { ms: 1000, fail: true }, { ms: 1000 }],
      task: { hedge: { after: '10s', max: 2 } },
    });
    expect(story(result)).toEqual([
      '0 task.started 1',
      '10000 hedge.started 2',
      '11000 hedge.ended 2 failed',
      '21000 hedge.started 3',
      '22000 hedge.ended 3 won',
      '22000 task.succeeded 3',
    ]);
  });

  it('ends by its own timeout', async () => {
    const result = await play({
      parts: [{ ms: 14_000 }, { ms: 60_000 }],
      task: { timeout: '15s', hedge: { after: '10s' } },
    });
    expect(result.report.tasks[0]).toMatchObject({ outcome: 'succeeded', finished_ms: 14_000 });
    const slow = await play({ parts: [{ ms: 60_000 }], task: { timeout: '15s' } });
    expect(slow.report.tasks[0]).toMatchObject({
      outcome: 'timed_out',
      reason: 'attempt_timeout',
      finished_ms: 25_000,
    });
  });
});

describe('the permits of a hedge', () => {
  it('are its own: where there are none it waits, and is withdrawn with the first attempt', async () => {
    const result = await play({
      parts: [{ ms: 30_000 }, { ms: 1 }],
      document: { resources: { concurrency: 1 } },
    });
    expect(story(result)).toEqual(['0 task.started 1', '30000 task.succeeded 1']);
  });

  it('come as soon as another task gives some back', async () => {
    const result = await play({
      parts: [{ ms: 60_000 }, { ms: 1000 }],
      document: {
        resources: { concurrency: 2 },
        tasks: {
          t: { agent: 'a', idempotent: true, hedge: { after: '10s' }, retry: 1 },
          other: { uses: 'simulate', with: { duration: 20_000 } },
        },
      },
    });
    expect(story(result)).toContain('20000 hedge.started 2');
    expect(result.report.tasks[0]).toMatchObject({ finished_ms: 21_000 });
  });
});

describe('a task that ends while it is hedged', () => {
  it('takes its hedge with it at its deadline', async () => {
    const result = await play({ parts: [{ ms: 60_000 }], task: { deadline: '15s' } });
    expect(result.end).toBe('ended');
    expect(result.report.tasks[0]).toMatchObject({
      outcome: 'timed_out',
      reason: 'deadline_exceeded',
      finished_ms: 15_000,
    });
    expect(result.state.hedges).toMatchObject({ started: 1, lost: 1 });
  });

  it('takes its hedge with it when the run is cancelled', async () => {
    const result = await play({
      parts: [{ ms: 60_000 }],
      during: (core, clock) => {
        clock.setTimeout(() => core.self.send({ type: 'run.cancel', by: 'test' }), 12_000);
      },
    });
    expect(result.report.status).toBe('cancelled');
    expect(result.records.at(-1)).toMatchObject({ type: 'run.ended', at: 12_000 });
    expect(result.state.hedges.running.size).toBe(0);
  });

  it('leaves nothing behind when the process is shut down', async () => {
    const result = await play({
      parts: [{ ms: 60_000 }],
      during: (core, clock) => {
        clock.setTimeout(() => core.self.send({ type: 'run.interrupt' }), 12_000);
      },
    });
    expect(result.end).toBe('interrupted');
    expect(result.core.holding).toBe(0);
  });
});

describe('hedging by the 95th percentile', () => {
  it('begins once ten attempts have succeeded, for one that has run longer than they did', async () => {
    const durations = [...Array.from({ length: 10 }, () => 1000), 60_000];
    const result = await carryOut({
      document: {
        agents: { a: { uses: 'simulate', idempotent: true, hedge: {} } },
        tasks: Object.fromEntries(
          durations.map((duration, index) => [`t${index}`, { agent: 'a', with: { duration } }]),
        ),
      },
    });
    const hedges = result.records.filter(({ type }) => type === 'hedge.started');
    expect(hedges).toMatchObject([{ task: 't10', at: 1000 }]);
  });

  it('hedges a tenth of the attempts at most, but one in any case', async () => {
    const durations = [...Array.from({ length: 10 }, () => 1000), 9000, 9000, 9000, 9000];
    const result = await carryOut({
      document: {
        agents: { a: { uses: 'simulate', idempotent: true, hedge: {} } },
        tasks: Object.fromEntries(
          durations.map((duration, index) => [`t${index}`, { agent: 'a', with: { duration } }]),
        ),
      },
    });
    expect(result.state.hedges.started).toBe(1);
  });
});

describe('a hedged run that is resumed', () => {
  it('comes to the same outcomes after a crash at any record', async () => {
    const scenes: readonly Scene[] = [
      { parts: [{ ms: 60_000 }, { ms: 5000 }] },
      {
        parts: [{ ms: 11_000, fail: true }, { ms: 5000, fail: true }, { ms: 100 }],
        task: { retry: 5 },
      },
    ];
    for (const scene of scenes) {
      const whole = await play(scene);
      for (let length = 1; length < whole.records.length; length++) {
        const result = await play({ ...scene, records: whole.records.slice(0, length) });
        expect(result.end).toBe('ended');
        expect(outcomes(result.report)).toEqual(outcomes(whole.report));
        expect(refolded(result.records)).toEqual(result.state);
      }
    }
  });
});
