import { describe, expect, it } from 'vitest';

import type { TaskContext } from '../../src/actors/behaviours/behaviour.ts';
import type { SimulatedClock } from '../../src/core/simulated-clock.ts';
import type { RunServices } from '../../src/supervisors/run/core.ts';
import { outcomes, sim } from '../support/run-harness.ts';
import type { Functions } from './bodies.ts';
import { carryOut, lines, slow } from './carry-out.ts';
import type { CarriedOut } from './carry-out.ts';
import { ignoreLateAcknowledgements } from './quiet.ts';

ignoreLateAcknowledgements();

/** What random runs have found, each as small as it could be made. */

const retry = { max_attempts: 3, initial: 10, backoff: 'fixed', jitter: 0 };
const fallback = { timeout: 100, on_timeout: 'abort_and_fallback' };

/** A document whose agents are functions of the host of the same name. */
function documentOf(agents: readonly string[], rest: object): object {
  const functions = agents.map((id) => [id, { uses: 'function', module: `host:${id}` }]);
  return { version: 1, name: 'regression', agents: Object.fromEntries(functions), ...rest };
}

function checkedBy(...checkers: readonly string[]): object {
  return { needs: checkers.map((task) => ({ task, kind: 'validation' })) };
}

/** A function that never ends by itself and lingers for 50 ms after an abort. */
function stubborn(clock: SimulatedClock): Functions {
  return { f: slow(clock, { ms: 10_000, lingerMs: 50 }) };
}

/** Accepts from the second round on. */
function strict({ iteration }: TaskContext): object {
  return { accepted: iteration > 1 };
}

function beginning(of: CarriedOut, type: string, task?: string) {
  const { records } = of;
  const last = records.findIndex(
    (record) =>
      record.type === type && (task === undefined || ('task' in record && record.task === task)),
  );
  return records.slice(0, last + 1);
}

describe('a barrier that falls back', () => {
  it('dispatches a member whose failure is on its way to the disk', async () => {
    const tasks = { a: sim(95, { with: { fail: [1] }, retry }), b: sim(500) };
    const groups = { g: { tasks: ['a', 'b'], barrier: fallback } };
    const { end, report } = await carryOut({
      document: documentOf([], { tasks, groups }),
      syncMs: 20,
    });
    expect(end).toBe('ended');
    expect(outcomes(report)).toEqual({ a: 'succeeded', b: 'succeeded' });
  });

  it('lets a cancel overtake the abort of a member', async () => {
    const tasks = { a: { agent: 'f' }, b: sim(500) };
    const groups = { g: { tasks: ['a', 'b'], barrier: fallback } };
    const { end, records } = await carryOut({
      document: documentOf(['f'], { tasks, groups }),
      functions: stubborn,
      blows: [{ atMs: 120, what: 'cancel' }],
    });
    expect(end).toBe('ended');
    expect(lines(records, 'task.ended', 'run.ended')).toEqual([
      '120 task.ended b cancelled cancelled_by_user',
      '150 task.ended a cancelled cancelled_by_user',
      '150 run.ended cancelled cancelled_by_user',
    ]);
  });

  it('does not start members whose needs are missing', async () => {
    const tasks = { before: sim(1000), a: sim(300), b: sim(10, { needs: ['before'] }) };
    const groups = { g: { tasks: ['a', 'b'], barrier: fallback } };
    const { records } = await carryOut({ document: documentOf([], { tasks, groups }) });
    expect(lines(records, 'task.started')).toEqual([
      '0 task.started before 1',
      '0 task.started a 1',
      '100 task.started a 2',
      '1000 task.started b 1',
    ]);
  });

  it('is not armed again by a resume', async () => {
    const groups = { g: { tasks: ['a', 'b'], barrier: fallback } };
    const document = documentOf([], { tasks: { a: sim(300), b: sim(300) }, groups });
    const dead = await carryOut({ document, blows: [{ atMs: 150, what: 'crash' }] });
    const { records } = await carryOut({ document, before: dead.records });
    expect(lines(records, 'barrier.armed', 'barrier.fell_back')).toHaveLength(2);
    expect(records.at(-1)).toMatchObject({ type: 'run.ended', outcome: 'succeeded' });
  });
});

describe('a group that is released', () => {
  it('ends as it was decided, from a crash while its outputs are aggregated', async () => {
    const tasks = { m1: sim(500), m2: sim(10), use: sim(1, { needs: ['g'] }) };
    const barrier = { expected: 1, min_success: 1 };
    const groups = {
      g: { tasks: ['m1', 'm2'], barrier, aggregate: { function: 'host:aggregate' } },
    };
    const document = documentOf([], { tasks, groups });
    const functions = (clock: SimulatedClock) => ({
      aggregate: slow(clock, { ms: 100, lingerMs: 0 }),
    });
    const whole = await carryOut({ document, functions });
    const before = beginning(whole, 'task.started', 'g@aggregate');
    const { records } = await carryOut({ document, functions, before });
    const ends = ['10 barrier.released g partial quorum_reached'];
    expect(lines(whole.records, 'barrier.released')).toEqual(ends);
    expect(lines(records, 'barrier.released', 'group.ended')).toEqual([
      ...ends,
      '110 group.ended g partial quorum_reached',
    ]);
  });

  it('tells the rest the same after a crash right behind its release', async () => {
    const groups = { g: { tasks: ['m1', 'm2'], barrier: { expected: 1, min_success: 1 } } };
    const document = documentOf([], { tasks: { m1: sim(500), m2: sim(10) }, groups });
    const whole = await carryOut({ document });
    const before = beginning(whole, 'barrier.released');
    const { records } = await carryOut({ document, before });
    const ends = ['10 task.ended m1 cancelled barrier_released'];
    expect(lines(whole.records, 'task.ended')).toEqual(ends);
    expect(lines(records, 'task.ended')).toEqual(ends);
  });

  it('ends a member that was split, its members and their group with it', async () => {
    const tasks = { q: sim(10), each: sim(300, { aspects: ['x', 'y', 'z', 'w'] }) };
    const groups = { g: { tasks: ['q', 'each'], barrier: { timeout: 100, min_success: 1 } } };
    const document = documentOf([], { tasks, groups, resources: { concurrency: 2 } });
    const { end, report } = await carryOut({ document });
    expect(end).toBe('ended');
    expect(report.metrics.wall_ms).toBe(100);
    expect(report.groups[0]).toMatchObject({ outcome: 'partial' });
  });

  it('goes on when an attempt of a member cannot even be made', async () => {
    const tasks = { a: sim(10, { retry: 1 }), b: sim(20), after: sim(1, { needs: ['g'] }) };
    const groups = { g: { tasks: ['a', 'b'], barrier: { min_success: 1 } } };
    const { end, report } = await carryOut({
      document: documentOf([], { tasks, groups }),
      onRecord: ({ type }, { services }) => {
        if (type === 'run.started') breakAgent(services, 'a');
      },
    });
    expect(end).toBe('ended');
    expect(outcomes(report)).toEqual({ a: 'failed', b: 'succeeded', after: 'succeeded' });
  });
});

type Behaviours = Pick<RunServices, 'behaviour'>;

function breakAgent(services: Behaviours, broken: string): void {
  const { behaviour } = services;
  services.behaviour = (agent) => {
    if (agent.id === broken) throw new Error('no such behaviour');
    return behaviour(agent);
  };
}

describe('a group on resume', () => {
  it('shows its members the view that they had', async () => {
    const agents = {
      w: { uses: 'function', module: 'host:w', owns: ['w.*'] },
      r: { uses: 'function', module: 'host:r' },
    };
    const tasks = { a: { agent: 'w' }, b: { agent: 'r' } };
    const document = { ...documentOf([], { tasks, groups: { g: { tasks: ['a', 'b'] } } }), agents };
    const functions = (clock: SimulatedClock): Functions => ({
      w: ({ memory }) => memory.set('w.key', 1),
      r: ({ memory }) =>
        new Promise((resolve) => {
          clock.setTimeout(() => resolve(memory.get('w.key') ?? 'nothing'), 100);
        }),
    });
    const whole = await carryOut({ document, functions });
    const before = beginning(whole, 'task.succeeded', 'a');
    const resumed = await carryOut({ document, functions, before });
    expect(whole.state.tasks.get('b')?.output).toBe('nothing');
    expect(resumed.state.tasks.get('b')?.output).toBe('nothing');
  });

  it('merges a contribution once, and one that a crash had left unmerged', async () => {
    const early = sim(1, { needs: [{ group: 'g', kind: 'stream' }] });
    const groups = { g: { tasks: ['a', 'b'], mode: 'async_merge' } };
    const document = documentOf([], { tasks: { a: sim(10), b: sim(1000), early }, groups });
    const whole = await carryOut({ document });
    for (const type of ['task.succeeded', 'contribution.merged']) {
      const { records, state } = await carryOut({ document, before: beginning(whole, type) });
      expect(lines(records, 'contribution.merged')).toHaveLength(2);
      expect([...(state.groups.get('g')?.contributions ?? [])]).toEqual(['a', 'b']);
      expect(lines(records, 'task.started')).toContain('10 task.started early 1');
    }
  });
});

describe('a deadline', () => {
  it('overtakes the abort of an attempt by its timeout', async () => {
    const tasks = { a: { agent: 'f', timeout: 100, deadline: 120, retry } };
    const { records } = await carryOut({
      document: documentOf(['f'], { tasks }),
      functions: stubborn,
    });
    expect(lines(records, 'task.started', 'task.ended')).toEqual([
      '0 task.started a 1',
      '150 task.ended a timed_out deadline_exceeded',
    ]);
  });

  it('refuses the result of an attempt that has passed it, also when a cancel comes before the result', async () => {
    const f = (clock: SimulatedClock): Functions => ({
      f: ({ signal }) =>
        new Promise((resolve) => {
          signal.addEventListener('abort', () => clock.setTimeout(() => resolve('late'), 50));
        }),
    });
    const tasks = { a: { agent: 'f', deadline: 100, retry } };
    const { records } = await carryOut({
      document: documentOf(['f'], { tasks }),
      functions: f,
      blows: [{ atMs: 120, what: 'cancel' }],
    });
    expect(lines(records, 'task.succeeded', 'task.ended', 'result.late')).toEqual([
      '150 result.late a 1',
      '150 task.ended a timed_out deadline_exceeded',
    ]);
  });

  it('of the run ends a split that is open when the run is resumed after it', async () => {
    const each = sim(300, { aspects: ['x', 'y', 'z'], barrier: { timeout: 5000 } });
    const resources = { concurrency: 1 };
    const document = documentOf([], { deadline: 500, tasks: { each }, resources });
    const dead = await carryOut({ document, blows: [{ atMs: 400, what: 'crash' }] });
    const { end, report } = await carryOut({ document, before: dead.records, startMs: 10_000 });
    expect(end).toBe('ended');
    expect(report).toMatchObject({ status: 'timed_out', reason: 'deadline_exceeded' });
    expect(outcomes(report)).toMatchObject({ each: 'timed_out', 'each[0]': 'succeeded' });
  });

  it('of a run starts anew when the run is resumed because of it', async () => {
    const document = documentOf([], { deadline: 1000, tasks: { a: sim(10), b: sim(2000) } });
    const late = await carryOut({ document });
    const { records } = await carryOut({ document, before: late.records, startMs: 1e8 });
    expect(lines(records, 'task.started', 'run.ended').slice(-2)).toEqual([
      '100000000 task.started b 2',
      '100001000 run.ended timed_out deadline_exceeded',
    ]);
  });

  it('of a task survives a crash during its backoff', async () => {
    const a = sim(10, { with: { fail: true }, deadline: 100, retry: { ...retry, initial: 60 } });
    const document = documentOf([], { tasks: { a } });
    const dead = await carryOut({ document, blows: [{ atMs: 30, what: 'crash' }] });
    const { records } = await carryOut({ document, before: dead.records });
    const end = '100 task.ended a timed_out deadline_exceeded';
    expect(lines(records, 'task.ended')).toEqual([end]);
  });
});

describe('a run that has ended and is opened again', () => {
  it('splits a task anew whose members had failed, and keeps what had succeeded', async () => {
    let isBroken = true;
    const tasks = { each: { agent: 'f', aspects: ['x', 'y'], retry: 1 } };
    const document = documentOf(['f'], { tasks });
    const functions = () => ({
      f: ({ input }: TaskContext) => {
        if (isBroken && input === 'y') throw new Error('broken');
        return 1;
      },
    });
    const failed = await carryOut({ document, functions });
    isBroken = false;
    const { records, report } = await carryOut({ document, functions, before: failed.records });
    expect([failed.report.status, report.status]).toEqual(['failed', 'succeeded']);
    expect(lines(records, 'task.started').filter((line) => line.includes('each[0]'))).toHaveLength(
      1,
    );
  });

  it('does a refused task anew, in a new round', async () => {
    let accepted = false;
    const draft = sim(10, { ...checkedBy('c'), max_rounds: 0 });
    const document = documentOf(['j'], { tasks: { draft, c: { agent: 'j', needs: ['draft'] } } });
    const functions = () => ({ j: () => ({ accepted }) });
    const failed = await carryOut({ document, functions });
    accepted = true;
    const { report, state } = await carryOut({ document, functions, before: failed.records });
    expect([failed.report.status, report.status]).toEqual(['failed', 'succeeded']);
    expect(state.tasks.get('draft')?.iteration).toBe(2);
  });

  it('leaves the gaps that a join has tolerated', async () => {
    const each = { agent: 'f', aspects: ['x', 'y'], retry: 1, barrier: { min_success: 1 } };
    const bad = sim(1, { with: { fail: true }, retry: 1 });
    const document = documentOf(['f'], { tasks: { each, bad } });
    const functions = () => ({
      f: ({ input }: TaskContext) => {
        if (input === 'y') throw new Error('broken');
        return 1;
      },
    });
    const failed = await carryOut({ document, functions });
    const { report } = await carryOut({ document, functions, before: failed.records });
    expect(report.census).toEqual(failed.report.census);
  });
});

describe('a task that is sent back', () => {
  it('goes on with those of its checkers that can still run', async () => {
    const tasks = {
      bad: sim(1, { with: { fail: true }, retry: 1 }),
      draft: sim(10, checkedBy('c1', 'c2')),
      c1: sim(5, { needs: ['draft', 'bad'] }),
      c2: { agent: 'j', needs: ['draft'] },
    };
    const document = documentOf(['j'], { tasks });
    const { end, report } = await carryOut({ document, functions: () => ({ j: strict }) });
    expect(end).toBe('ended');
    expect(outcomes(report)).toMatchObject({ draft: 'succeeded', c1: 'skipped', c2: 'succeeded' });
  });

  it('does not take a late member of one round for one of the next', async () => {
    const barrier = { expected: 1, min_success: 1 };
    const each = { agent: 'f', aspects: ['x', 'y'], ...checkedBy('c'), barrier };
    const document = documentOf(['f', 'j'], {
      tasks: { each, c: { agent: 'j', needs: ['each'] } },
    });
    const functions = (clock: SimulatedClock): Functions => ({
      f: (context) =>
        slow(clock, { ms: context.input === 'x' ? 10 : 300, lingerMs: 100 })(
          context,
          `${String(context.input)}${context.iteration}`,
        ),
      j: strict,
    });
    const { end, records, state } = await carryOut({ document, functions });
    expect(end).toBe('ended');
    expect(state.tasks.get('each')?.output).toEqual(['x2', null]);
    expect(lines(records, 'task.sent_back')).toEqual(['110 task.sent_back each']);
  });

  it('is not checked again by a checker that was released while it ran', async () => {
    const tasks = {
      draft: sim(10, checkedBy('c1', 'c2')),
      c1: { agent: 'f', needs: ['draft'] },
      o: sim(20),
      c2: { agent: 'j', needs: ['draft', 'o'] },
      other: sim(1),
    };
    const groups = { g: { tasks: ['c1', 'other'], barrier: { timeout: 15, min_success: 1 } } };
    const functions = (clock: SimulatedClock): Functions => ({ ...stubborn(clock), j: strict });
    const document = documentOf(['f', 'j'], { tasks, groups });
    const { end, records } = await carryOut({ document, functions });
    expect(end).toBe('ended');
    const starts = lines(records, 'task.started').filter((line) => line.includes(' c1 '));
    expect(starts).toEqual(['10 task.started c1 1']);
  });

  it('gives a checker that had failed none of the steps of its last round', async () => {
    const seen: unknown[] = [];
    const tasks = {
      draft: sim(10, checkedBy('c1', 'c2')),
      c1: { agent: 'f', needs: ['draft'], retry: 1 },
      c2: { agent: 'j', needs: ['draft'] },
    };
    const f = async ({ iteration, step }: TaskContext): Promise<never> => {
      seen.push(await step('look', () => iteration));
      throw new Error('fails afterwards');
    };
    const document = documentOf(['f', 'j'], { tasks });
    await carryOut({ document, functions: () => ({ f, j: strict }) });
    expect(seen).toEqual([1, 2]);
  });

  it('has a fresh retry budget in every round', async () => {
    const budget = { max_attempts: 3, budget: 100, initial: 1, jitter: 0, backoff: 'fixed' };
    const tasks = {
      draft: { agent: 'f', ...checkedBy('c'), retry: budget },
      c: { agent: 'j', needs: ['draft'] },
    };
    const functions = (clock: SimulatedClock): Functions => ({
      f: async (context) => {
        await slow(clock, { ms: 80, lingerMs: 0 })(context);
        if (context.iteration === 2 && context.attempt === 2) throw new Error('once');
      },
      j: strict,
    });
    const { report } = await carryOut({ document: documentOf(['f', 'j'], { tasks }), functions });
    expect(outcomes(report)).toMatchObject({ draft: 'succeeded' });
  });
});

describe('a run whose end is on its way to the disk', () => {
  const document = documentOf([], { tasks: { a: sim(10) } });

  it.each([
    { what: 'cancel' as const, atMs: 25, status: 'cancelled' },
    { what: 'cancel' as const, atMs: 35, status: 'succeeded' },
    { what: 'interrupt' as const, atMs: 35, status: 'succeeded' },
  ])('ends once when told to $what at $atMs ms', async ({ what, atMs, status }) => {
    const { end, records } = await carryOut({ document, syncMs: 10, blows: [{ atMs, what }] });
    expect(end).toBe('ended');
    expect(records.at(-1)).toMatchObject({ type: 'run.ended', outcome: status });
    expect(lines(records, 'run.ended')).toHaveLength(1);
  });

  it('stays open for another process when it is interrupted before', async () => {
    const blows = [{ atMs: 25, what: 'interrupt' as const }];
    const { end, records } = await carryOut({ document, syncMs: 10, blows });
    expect(end).toBe('interrupted');
    expect(lines(records, 'run.ended')).toEqual([]);
  });
});

describe('an attempt that ends with a result', () => {
  const slowToEnd = (clock: SimulatedClock): Functions => ({
    f: ({ signal }) =>
      new Promise((resolve) => {
        signal.addEventListener('abort', () => clock.setTimeout(() => resolve(1), 50));
      }),
  });
  const blows = [{ atMs: 120, what: 'interrupt' as const }];

  it('counts although it was being aborted, and is kept by an interrupt', async () => {
    const document = documentOf(['f'], { tasks: { a: { agent: 'f' } } });
    const { end, records } = await carryOut({ document, functions: slowToEnd, blows });
    expect(end).toBe('interrupted');
    expect(lines(records, 'task.succeeded')).toEqual(['170 task.succeeded a 1']);
  });

  it('does not count when its time was over before the interrupt', async () => {
    const document = documentOf(['f'], { tasks: { a: { agent: 'f', timeout: 100 } } });
    const { end, records } = await carryOut({ document, functions: slowToEnd, blows });
    expect(end).toBe('interrupted');
    expect(lines(records, 'task.succeeded')).toEqual([]);
  });

  it('is not undone on resume by a condition that has come to be false', async () => {
    const agents = { w: { uses: 'function', module: 'host:w', owns: ['w.*'] } };
    const tasks = { t: sim(100, { when: '!${memory.w.stop}' }), s: { agent: 'w' } };
    const document = { ...documentOf([], { tasks }), agents };
    const functions = () => ({ w: ({ memory }: TaskContext) => memory.set('w.stop', true) });
    const blows = [{ atMs: 50, what: 'crash' as const }];
    const dead = await carryOut({ document, functions, blows });
    const { report } = await carryOut({ document, functions, before: dead.records });
    expect(outcomes(report)).toEqual({ t: 'succeeded', s: 'succeeded' });
  });
});

describe('a fault of ours', () => {
  it('aborts what runs before anybody stops the process', async () => {
    let isAborted = false;
    const document = documentOf(['f'], { tasks: { a: { agent: 'f' }, b: sim(5) } });
    const f = ({ signal }: TaskContext): Promise<never> =>
      new Promise(() => signal.addEventListener('abort', () => (isAborted = true)));
    const { end } = await carryOut({
      document,
      functions: () => ({ f }),
      onRecord: ({ type }, { self }) => {
        if (type !== 'task.succeeded') return;
        const error = { code: 'TRP_JOURNAL_IO', message: 'disk', errorClass: 'permanent' };
        self.send({ type: 'run.faulted', error: error as never });
      },
    });
    expect({ end, isAborted }).toEqual({ end: 'faulted', isAborted: true });
  });
});

describe('a task that is split into more items than a call takes arguments', () => {
  it('waits with all of them, and ends all of them', async () => {
    const items = Array.from({ length: 130_000 }, (_, index) => index);
    const tasks = { each: { agent: 'f', for_each: '${input.items}' } };
    const { end, report } = await carryOut({
      document: documentOf(['f'], { tasks, resources: { concurrency: 1 } }),
      input: { items },
      functions: stubborn,
      blows: [{ atMs: 1, what: 'cancel' }],
    });
    expect(end).toBe('ended');
    expect(report.census.cancelled + report.census.skipped).toBe(items.length + 1);
  });
});
