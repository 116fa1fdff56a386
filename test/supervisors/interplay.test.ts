import { describe, expect, it } from 'vitest';

import type { TaskContext, TaskFunction } from '../../src/actors/behaviours/behaviour.ts';
import type { SimulatedClock } from '../../src/core/simulated-clock.ts';
import type { JournalRecord } from '../../src/journal/record.ts';
import type { RunCore } from '../../src/supervisors/run/core.ts';
import type { RunVerb } from '../../src/supervisors/run/run-verb.ts';
import { carryOut, refolded, sim } from '../support/run-harness.ts';
import type { HarnessOptions, HarnessResult } from '../support/run-harness.ts';

/** What supervision does when several of its means meet at one task. */

/** One attempt: it takes so long, or for ever, and fails at its end or not. */
interface Part {
  readonly ms?: number;
  readonly fail?: true;
}

/** By task: its attempts by number; the last one stands for all after it. */
interface Script {
  readonly [task: string]: readonly Part[];
}

interface Scene extends Pick<HarnessOptions, 'records'> {
  readonly script: Script;
  readonly tasks: object;
  readonly rest?: object;
  readonly agent?: object;
  /** What happens at which time. */
  readonly events?: readonly (readonly [atMs: number, act: (core: RunCore) => void])[];
}

function scripted(script: Script, clockOf: () => SimulatedClock): TaskFunction {
  // The clock is known only once the run has begun.
  return (context) => Promise.resolve().then(() => attempt(script, clockOf(), context));
}

function attempt(script: Script, clock: SimulatedClock, context: TaskContext): Promise<number> {
  const { task, attempt: number, signal } = context;
  return new Promise((resolve, reject) => {
    const parts = script[task] ?? [{ ms: 10 }];
    const { ms, fail } = parts[Math.min(number, parts.length) - 1] ?? {};
    const done = (): void => (fail ? reject(new Error('no luck')) : resolve(number));
    const timer = ms === undefined ? undefined : clock.setTimeout(done, ms);
    signal.addEventListener('abort', () => {
      clock.clearTimeout(timer);
      reject(signal.reason as Error);
    });
  });
}

/** Nobody looks after a run that waits: it is interrupted after a while. */
const longMs = 1_000_000;

async function play(scene: Scene): Promise<HarnessResult> {
  const { script, tasks, rest, agent, events = [], records } = scene;
  const a = { uses: 'function', module: 'host:work', ...agent };
  let clock: SimulatedClock | undefined;
  const result = await carryOut({
    document: { version: 1, agents: { a, b: { ...a, peers: undefined } }, tasks, ...rest },
    functions: { work: scripted(script, () => clock as SimulatedClock) },
    ...(records && { records }),
    during: (core, given) => {
      clock = given;
      for (const [atMs, act] of events) given.setTimeout(() => act(core), atMs);
      given.setTimeout(() => core.self.send({ type: 'run.interrupt' }), longMs);
    },
  });
  expect(refolded(result.records)).toEqual(result.state);
  return result;
}

function ask(verb: RunVerb): (core: RunCore) => void {
  return (core) => core.self.send({ type: 'verb.asked', verb, answer: () => undefined });
}

function found<Type extends JournalRecord['type']>({ records }: HarnessResult, type: Type) {
  return records.filter(
    (record): record is Extract<JournalRecord, { type: Type }> => record.type === type,
  );
}

const quick = { max_attempts: 3, backoff: 'fixed', initial: '100ms', jitter: 0 };
const hedged = { agent: 'a', idempotent: true, hedge: { after: '1s' }, retry: quick };

describe('a pause', () => {
  const tasks = { x: { agent: 'a' }, y: { agent: 'a' } };
  const rest = {
    groups: {
      g: { tasks: ['x', 'y'], barrier: { type: 'smart', timeout: '10s', min_success: 1 } },
    },
    resources: { concurrency: 1 },
  };
  const script = { x: [{ ms: 1000 }], y: [{ ms: 2000 }] };

  it('puts off the time of barriers also when it is lifted while nobody carries the run', async () => {
    const paused = await play({
      tasks,
      rest,
      script,
      events: [
        [500, ask({ verb: 'pause', by: 'me' })],
        [2000, (core) => core.self.send({ type: 'run.interrupt' })],
      ],
    });
    const { state } = paused;
    const lifted: JournalRecord[] = [
      { type: 'lease.taken', epoch: 2, node: 'other', seq: state.seq + 1, at: 100_000 },
      { type: 'run.resumed', by: 'me', seq: state.seq + 2, at: 100_000 },
    ];
    const result = await play({
      tasks,
      rest,
      script,
      records: [...paused.records, ...lifted],
    });
    expect(result.report.groups).toMatchObject([{ outcome: 'succeeded' }]);
  });

  it('ends with the last task that it was for, whatever that ends by', async () => {
    const result = await play({
      tasks: {
        x: { agent: 'a', retry: 1, on_exhausted: 'pause' },
        y: { agent: 'a' },
        z: { agent: 'a', needs: ['g'] },
      },
      rest: {
        groups: { g: { tasks: ['x', 'y'], barrier: { type: 'smart', quorum: 1, min_success: 1 } } },
      },
      script: { x: [{ ms: 10, fail: true }], y: [{ ms: 500 }] },
    });
    expect(found(result, 'run.resumed')).toMatchObject([{ by: 'policy', at: 500 }]);
    expect(result.state.tasks.get('z')?.outcome).toBe('succeeded');
  });

  it('is over with the run, also with one that is cancelled', async () => {
    const result = await play({
      tasks: { x: { agent: 'a', retry: 1, on_exhausted: 'pause' } },
      script: { x: [{ ms: 10, fail: true }] },
      events: [[500, (core) => core.self.send({ type: 'run.cancel', by: 'me' })]],
    });
    expect(result.report).toMatchObject({ status: 'cancelled', recovery: { paused: null } });
  });

  it('leaves the question behind that nobody has answered in time', async () => {
    const refused: unknown[] = [];
    const answer: RunVerb = { verb: 'answer', question: 4, choice: 'retry', by: 'me' };
    const scene: Scene = {
      tasks: {
        x: {
          agent: 'a',
          retry: 1,
          on_exhausted: 'pause',
          escalation: [{ rung: 'person', deadline: '1m' }],
        },
      },
      script: { x: [{ ms: 10, fail: true }] },
      events: [
        [
          100_000,
          (core) =>
            core.self.send({
              type: 'verb.asked',
              verb: answer,
              answer: (error) => refused.push(error?.code),
            }),
        ],
      ],
    };
    const first = await play(scene);
    expect(found(first, 'escalation.opened')).toMatchObject([{ seq: 4 }]);
    expect(refused).toEqual(['TRP_QUESTION_UNKNOWN']);
    const again = await play({ ...scene, records: first.records });
    expect(found(again, 'run.paused')).toHaveLength(1);
    expect(found(again, 'escalation.expired')).toHaveLength(1);
  });
});

describe('a hedge', () => {
  it('is not begun while the run is paused, but afterwards', async () => {
    const result = await play({
      tasks: { t: hedged },
      script: { t: [{ ms: 50_000 }, { ms: 100 }] },
      events: [
        [500, ask({ verb: 'pause', by: 'me' })],
        [1500, ask({ verb: 'resume', by: 'me' })],
      ],
    });
    expect(found(result, 'hedge.started')).toMatchObject([{ at: 2000 }]);
    expect(found(result, 'task.succeeded')).toMatchObject([{ at: 2100, attempt: 2 }]);
  });

  it('ends with the time of the rung that its task is on, although it hangs', async () => {
    const result = await play({
      tasks: {
        t: {
          ...hedged,
          escalation: [
            { rung: 'retry', deadline: '10s' },
            { rung: 'person', deadline: '1m', default: 'skip' },
          ],
        },
      },
      script: { t: [{ ms: 10, fail: true }, {}] },
    });
    expect(found(result, 'hedge.ended')).toMatchObject([{ result: 'failed', at: 10_010 }]);
    expect(found(result, 'task.parked')).toMatchObject([{ reason: 'question', at: 10_010 }]);
    expect(result.state.tasks.get('t')?.reason).toBe('skipped_after_failure');
  });

  it('that its task goes on with alone takes its turn when the group falls back', async () => {
    const result = await play({
      tasks: { x: hedged, y: { agent: 'a' } },
      rest: {
        groups: {
          g: {
            tasks: ['x', 'y'],
            barrier: { type: 'smart', timeout: '4s', on_timeout: ['abort_and_fallback'] },
          },
        },
      },
      script: {
        x: [{ ms: 2000, fail: true }, { ms: 50_000 }, { ms: 100 }],
        y: [{ ms: 10_000 }, { ms: 100 }],
      },
    });
    const starts = found(result, 'task.started').filter(({ at }) => at > 0);
    expect(starts.map(({ task, at }) => [task, at])).toEqual([
      ['x', 4000],
      ['y', 4100],
    ]);
  });

  it('that its task goes on with alone begins again with the group', async () => {
    const result = await play({
      tasks: { x: hedged, y: { agent: 'a', retry: quick } },
      rest: { groups: { g: { tasks: ['x', 'y'], restart: 'one_for_all' } } },
      script: {
        x: [{ ms: 2000, fail: true }, { ms: 50_000 }, { ms: 100 }],
        y: [{ ms: 2950, fail: true }, { ms: 100 }],
      },
    });
    expect(found(result, 'group.restarted')).toMatchObject([{ failed: 'y', members: ['x'] }]);
    expect(result.state.tasks.get('x')?.finishedAt).toBe(3150);
  });
});

describe('a group that restarts its members', () => {
  const groups = { g: { tasks: ['x', 'y'], restart: 'one_for_all' } };

  it('does so also when the ladder of the one that failed says who tries next', async () => {
    const result = await play({
      agent: { peers: ['b'] },
      tasks: { x: { agent: 'a', retry: 1 }, y: { agent: 'b', retry: quick } },
      rest: { groups },
      script: { x: [{ ms: 50, fail: true }, { ms: 10 }], y: [{ ms: 5000 }, { ms: 20 }] },
    });
    expect(found(result, 'group.restarted')).toMatchObject([{ failed: 'x', members: ['y'] }]);
    expect(result.state.tasks.get('y')?.finishedAt).toBe(70);
  });

  it('pauses the run for no part of a task that has ended with the group', async () => {
    const result = await play({
      tasks: {
        src: sim(1, { with: { output: [1, 2] } }),
        x: {
          agent: 'a',
          retry: quick,
          on_exhausted: 'pause',
          for_each: '${tasks.src.output}',
          needs: ['src'],
        },
        y: { agent: 'a', needs: ['src'] },
      },
      rest: {
        groups: { g: { tasks: ['x', 'y'], restart: { strategy: 'one_for_one', max_restarts: 1 } } },
      },
      script: { 'x[0]': [{ ms: 10, fail: true }], 'x[1]': [{ ms: 900 }], y: [{ ms: 900 }] },
    });
    const reasons = ['x[0]', 'x[1]', 'x', 'y'].map((id) => result.state.tasks.get(id)?.reason);
    expect(new Set(reasons)).toEqual(new Set(['restarts_exhausted']));
    expect(found(result, 'run.paused')).toEqual([]);
    expect(result.end).toBe('ended');
  });

  it('leaves those that begin again where they are on their ladders', async () => {
    const result = await play({
      agent: { peers: ['b'] },
      tasks: { x: { agent: 'a', retry: 1 }, y: { agent: 'b', retry: quick } },
      rest: { groups },
      script: {
        x: [{ ms: 10, fail: true }, { ms: 5000 }, { ms: 30, fail: true }],
        y: [{ ms: 5000 }, { ms: 1000, fail: true }, { ms: 10 }],
      },
    });
    // It was cut off while its one peer was at it: the peer has its attempt still.
    const tries = found(result, 'task.started').filter(({ task }) => task === 'x');
    expect(tries.map(({ by }) => by?.agent)).toEqual([undefined, 'b', 'b']);
    expect(result.state.tasks.get('x')?.outcome).toBe('failed');
  });
});

describe('the ladder of a group', () => {
  const tasks = {
    src: sim(1, { with: { output: [1, 2] } }),
    x: { agent: 'a', retry: 1, for_each: '${tasks.src.output}', needs: ['src'] },
    y: { agent: 'a', retry: 1, needs: ['src'] },
  };
  const rest = {
    groups: {
      g: { tasks: ['x', 'y'], escalation: [{ rung: 'person', deadline: '1m', default: 'skip' }] },
    },
  };
  const failing = { 'x[0]': [{ ms: 100, fail: true }], 'x[1]': [{ ms: 200, fail: true }] } as const;

  it('is not entered by the last part of a split member while another member has succeeded', async () => {
    const result = await play({ tasks, rest, script: failing });
    expect(found(result, 'escalation.opened')).toEqual([]);
  });

  it('is entered by the last part of the last member', async () => {
    const script = { ...failing, y: [{ ms: 10, fail: true }] } as const;
    const result = await play({ tasks, rest, script });
    expect(found(result, 'escalation.opened').at(-1)).toMatchObject({
      task: 'x[1]',
      rung: 'person',
    });
  });
});
