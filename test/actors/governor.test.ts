import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { governorLogic, type GovernorEvent, type PermitHolder } from '../../src/actors/governor.ts';
import { createActor } from '../../src/actors/xstate.ts';
import { SimulatedClock } from '../../src/core/simulated-clock.ts';

const capacity: Record<string, number> = { cpu: 5, gpu: 2 };

function startGovernor(concurrency: number) {
  const clock = new SimulatedClock();
  const input = { clock, concurrency, resources: capacity, agePeriodMs: 1000 };
  const governor = createActor(governorLogic, { input });
  governor.start();
  const send = (event: GovernorEvent): void => governor.send(event);
  return { clock, send, queue: governor.getSnapshot().queue };
}

/** A task: what it needs, how long it takes, and the tasks of the run that it starts and waits for in the middle. */
interface Work {
  readonly demand: Record<string, number>;
  readonly ms: number;
  readonly ends: 'well' | 'cancelled' | 'twice';
  readonly children: readonly Work[];
}

const demand = fc.record(
  {
    cpu: fc.integer({ min: 1, max: 5 }),
    gpu: fc.integer({ min: 1, max: 2 }),
    a: fc.integer({ min: 1, max: 2 }),
    b: fc.integer({ min: 1, max: 2 }),
  },
  { requiredKeys: [] },
);
const ends = fc.constantFrom<Work['ends']>('well', 'well', 'cancelled', 'twice');
const ms = fc.integer({ min: 0, max: 20 });

function works(depth: number): fc.Arbitrary<Work[]> {
  const children = depth === 0 ? fc.constant([]) : works(depth - 1);
  return fc.array(fc.record({ demand, ms, ends, children }), { minLength: 1, maxLength: 4 });
}

/**
 * A crowd of runs over one governor. A task that starts a run gives its permits back while it waits for that
 * run, and asks for them again afterwards; one that is cancelled is withdrawn or released, whatever it is at.
 */
class Crowd {
  readonly clock: SimulatedClock;
  readonly queue: ReturnType<typeof startGovernor>['queue'];
  /** Tasks that have not ended. */
  open = 0;
  refused = 0;
  private readonly send: (event: GovernorEvent) => void;
  private runs = 0;

  constructor(concurrency: number) {
    const { clock, send, queue } = startGovernor(concurrency);
    this.clock = clock;
    this.send = send;
    this.queue = queue;
  }

  start(tasks: readonly Work[], whenOver: () => void): void {
    const scope = `run-${this.runs++}`;
    const waiting = new Map<string, () => void>();
    let left = tasks.length;
    const over = (): void => {
      this.open--;
      if (--left > 0) return;
      this.send({ type: 'scope.close', scope });
      whenOver();
    };
    const holder: PermitHolder = {
      granted: (ids) => {
        for (const id of ids) waiting.get(id)?.();
      },
      refused: () => {
        this.refused++;
        over();
      },
    };
    this.send({ type: 'scope.open', scope, capacity: { a: 2, b: 2 }, holder });
    this.open += tasks.length;
    for (const [index, work] of tasks.entries()) {
      this.carryOut(work, { scope, id: `t${index}`, waiting, over });
    }
  }

  private carryOut(
    work: Work,
    at: { scope: string; id: string; waiting: Map<string, () => void>; over: () => void },
  ): void {
    const { scope, id, waiting, over } = at;
    const give = (): void => this.send({ type: 'permit.release', scope, id });
    const ask = (then: () => void): void => {
      waiting.set(id, then);
      const wishes = [{ id, demand: work.demand, priority: 5, rank: work.ms }];
      this.send({ type: 'permits.request', scope, wishes });
    };
    const finish = (): void => {
      give();
      if (work.ends === 'twice') give();
      over();
    };
    if (work.ends === 'cancelled') {
      let isOver = false;
      ask(() => undefined);
      this.clock.setTimeout(() => {
        if (isOver) return;
        isOver = true;
        this.send({ type: 'permit.withdraw', scope, id });
        finish();
      }, work.ms);
      return;
    }
    ask(() =>
      this.clock.setTimeout(() => {
        if (work.children.length === 0) return finish();
        give();
        this.start(work.children, () => ask(finish));
      }, work.ms),
    );
  }
}

describe('the governor', () => {
  it('never lets anybody wait for ever: every task of every run ends, nested runs included', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(works(2), { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 1, max: 3 }),
        async (runs, concurrency) => {
          const crowd = new Crowd(concurrency);
          for (const tasks of runs) crowd.start(tasks, () => undefined);
          await crowd.clock.runUntil(() => crowd.open === 0);
          expect(crowd.open).toBe(0);
          expect(crowd.refused).toBe(0);
          expect(crowd.queue.inUse()).toEqual({});
          expect(crowd.queue.waiting()).toBe(0);
        },
      ),
      { numRuns: 150 },
    );
  });

  it('lets a run that is drained ask for nothing more, and keep what it holds until it gives it back', () => {
    const { send, queue } = startGovernor(1);
    const granted: string[] = [];
    const holder = (name: string): PermitHolder => ({
      granted: (ids) => granted.push(...ids.map((id) => `${name} ${id}`)),
      refused: () => undefined,
    });
    for (const scope of ['ending', 'other'])
      send({ type: 'scope.open', scope, capacity: {}, holder: holder(scope) });
    const wish = (id: string) => ({ id, demand: {}, priority: 5, rank: 0 });
    send({ type: 'permits.request', scope: 'ending', wishes: [wish('a'), wish('b')] });
    send({ type: 'permits.request', scope: 'other', wishes: [wish('c')] });
    send({ type: 'scope.drain', scope: 'ending' });
    expect(queue.inUse()).toEqual({ concurrency: 1 });
    expect(granted).toEqual(['ending a']);
    send({ type: 'permit.release', scope: 'ending', id: 'a' });
    send({ type: 'scope.close', scope: 'ending' });
    expect(granted).toEqual(['ending a', 'other c']);
  });

  it('refuses what is more than the process shares, and goes on', () => {
    const { send, queue } = startGovernor(2);
    const refused: string[] = [];
    const holder: PermitHolder = {
      granted: () => undefined,
      refused: (id, { code }) => refused.push(`${id}: ${code}`),
    };
    send({ type: 'scope.open', scope: 'run', capacity: {}, holder });
    const wishes = [
      { id: 'greedy', demand: { gpu: 3 }, priority: 5, rank: 0 },
      { id: 'modest', demand: { gpu: 2 }, priority: 5, rank: 0 },
    ];
    send({ type: 'permits.request', scope: 'run', wishes });
    expect(refused).toEqual(['greedy: TRP_WORKFLOW_UNSATISFIABLE']);
    expect(queue.inUse()).toEqual({ concurrency: 1, gpu: 2 });
  });
});
