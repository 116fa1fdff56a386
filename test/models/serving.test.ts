import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { patrolMachine } from '../../src/actors/patrol.ts';
import { runTakerMachine } from '../../src/actors/run-taker.ts';
import { createActor } from '../../src/actors/xstate.ts';
import { Deadlines } from '../../src/core/deadlines.ts';
import { SimulatedClock } from '../../src/core/simulated-clock.ts';

/** A call to the outside that has not been answered yet. */
interface Call {
  readonly what: string;
  readonly settle: (answer: unknown) => void;
  readonly fail: () => void;
}

/** A port whose calls wait until the test answers them. */
class Bench {
  readonly clock = new SimulatedClock();
  readonly deadlines = new Deadlines(this.clock);
  readonly calls: Call[] = [];
  readonly told: string[] = [];
  room = true;
  stops = 0;

  call(what: string): Promise<never> {
    this.told.push(what);
    return new Promise((settle, fail) => {
      this.calls.push({ what, settle: settle as Call['settle'], fail: () => fail(new Error('x')) });
    });
  }

  readonly time = {
    clock: this.clock,
    deadlines: this.deadlines,
    onStopped: () => {
      this.stops++;
      // Whoever is told may close everything: nothing may be under way.
      expect(this.calls).toEqual([]);
    },
  };

  /** Answers the call that is under way; without one, lets time pass to the next look. */
  async answer(answer: unknown, hasFailed: boolean): Promise<void> {
    const call = this.calls.shift();
    if (!call) this.clock.step();
    else if (hasFailed) call.fail();
    else call.settle(answer);
    for (let turn = 0; turn < 6; turn++) await Promise.resolve();
  }
}

/** One answer of the outside world. */
const step = fc.record({
  found: fc.nat({ max: 3 }),
  hasFailed: fc.boolean(),
  room: fc.boolean(),
});

const story = fc.record({
  steps: fc.array(step, { maxLength: 30 }),
  stopAt: fc.nat({ max: 30 }),
});

/** What a patrol calls after the answer of what was under way; takes it from the queue. */
function nextOf(underWay: string | undefined, queue: string[]): readonly string[] {
  return underWay === undefined ? ['find'] : queue.splice(0, 1);
}

/** What a taker must begin when a pull is answered. */
function begunOf(underWay: string | undefined, item: string | undefined): readonly string[] {
  return underWay === 'pull' && item !== undefined ? [`begin ${item}`] : [];
}

describe('what a process does for runs of others', () => {
  it('handles what a patrol found one by one, in order, while there is room, and nothing after its stop', async () => {
    const walk = async ({ steps, stopAt }: StoryOf<typeof story>): Promise<void> => {
      const bench = new Bench();
      const expected: string[] = ['find'];
      let queue: string[] = [];
      const actor = createActor(patrolMachine, {
        input: {
          ...bench.time,
          port: {
            find: () => bench.call('find'),
            handle: (run) => bench.call(run),
            hasRoom: () => bench.room,
            restMs: () => 10,
          },
        },
      }).start();
      let isStopped = false;
      for (const [index, { found, hasFailed, room }] of steps.entries()) {
        if (index === stopAt) {
          isStopped = true;
          actor.send({ type: 'service.stop' });
        }
        bench.room = room;
        const underWay = bench.calls[0]?.what;
        const runs = Array.from({ length: found }, (_, n) => `run ${index}.${n}`);
        if (underWay === 'find') queue = hasFailed ? [] : [...runs];
        if (!isStopped) expected.push(...nextOf(underWay, room ? queue : []));
        await bench.answer(runs, hasFailed);
        expect(bench.told).toEqual(expected);
        expect(bench.calls.length).toBeLessThanOrEqual(1);
      }
      if (!isStopped) actor.send({ type: 'service.stop' });
      while (bench.calls.length > 0) await bench.answer(['late'], false);
      expect([bench.stops, bench.deadlines.pending, bench.told]).toEqual([1, 0, expected]);
    };
    await fc.assert(fc.asyncProperty(story, walk), { numRuns: 300 });
  });

  it('takes submitted runs one by one while there is room, and begins what is in hand before it stops', async () => {
    const walk = async ({ steps, stopAt }: StoryOf<typeof story>): Promise<void> => {
      const bench = new Bench();
      const signals: AbortSignal[] = [];
      const pulled: string[] = [];
      const actor = createActor(runTakerMachine, {
        input: {
          ...bench.time,
          port: {
            pull: (signal) => (signals.push(signal), bench.call('pull')),
            settle: (item) => bench.call(`begin ${String(item)}`),
            hasRoom: () => bench.room,
          },
        },
      }).start();
      for (const [index, { found, hasFailed, room }] of steps.entries()) {
        if (index === stopAt) actor.send({ type: 'service.stop' });
        bench.room = room;
        const item = found === 0 ? undefined : `run ${index}`;
        pulled.push(...begunOf(bench.calls[0]?.what, hasFailed ? undefined : item));
        const pulls = signals.length;
        await bench.answer(item, hasFailed);
        if (signals.length > pulls) expect([room, index < stopAt]).toEqual([true, true]);
        expect(bench.calls.length).toBeLessThanOrEqual(1);
      }
      if (stopAt >= steps.length) actor.send({ type: 'service.stop' });
      if (bench.calls[0]?.what === 'pull') expect(signals.at(-1)?.aborted).toBe(true);
      while (bench.calls.length > 0) await bench.answer(undefined, false);
      expect([bench.stops, bench.deadlines.pending]).toEqual([1, 0]);
      expect(bench.told.filter((what) => what !== 'pull')).toEqual(pulled);
    };
    await fc.assert(fc.asyncProperty(story, walk), { numRuns: 300 });
  });
});

type StoryOf<Arbitrary> = Arbitrary extends fc.Arbitrary<infer Story> ? Story : never;
