import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WaitingLine } from '../../../src/bus/nats/waiting-line.ts';
import type { Waiter } from '../../../src/bus/nats/waiting-line.ts';
import { SimulatedClock } from '../../../src/core/simulated-clock.ts';

class Named implements Waiter {
  dueMs = 0;
  before: Waiter | undefined;
  after: Waiter | undefined;
  private readonly name: number;
  private readonly ended: (readonly [name: number, atMs: number])[];
  private readonly clock: SimulatedClock;

  constructor(name: number, { clock, ended }: Pick<Ground, 'clock' | 'ended'>) {
    this.name = name;
    this.clock = clock;
    this.ended = ended;
  }

  expire(): void {
    this.ended.push([this.name, this.clock.monotonic()]);
  }
}

interface Ground {
  readonly clock: SimulatedClock;
  readonly line: WaitingLine;
  /** Whose time was over, and when. */
  readonly ended: (readonly [name: number, atMs: number])[];
  emptied: number;
}

const waitMs = 50;

function ground(): Ground {
  const clock = new SimulatedClock();
  const line = new WaitingLine({ clock, waitMs, onEmpty: () => made.emptied++ });
  const made: Ground = { clock, line, ended: [], emptied: 0 };
  return made;
}

/** Timers of the line and this one are all there are. */
function pass(clock: SimulatedClock, ms: number): void {
  let over = false;
  clock.setTimeout(() => (over = true), ms);
  while (!over) clock.step();
}

const act = fc.oneof(
  fc.record({ kind: fc.constant('join' as const) }),
  fc.record({ kind: fc.constant('leave' as const), which: fc.nat() }),
  fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 60 }) }),
);

describe('a line of those who wait equally long', () => {
  it('ends the waiting of everybody who has not left, in the order of coming, each at his time', () => {
    fc.assert(
      fc.property(fc.array(act, { maxLength: 60 }), (acts) => {
        const { clock, line, ended } = ground();
        /** Everybody who came, by his number; when he left, if he did while he waited. */
        const all: { waiter: Named; dueMs: number; leftMs: number }[] = [];
        for (const one of acts) {
          if (one.kind === 'pass') pass(clock, one.ms);
          if (one.kind === 'join') {
            const waiter = new Named(all.length, { clock, ended });
            all.push({ waiter, dueMs: clock.monotonic() + waitMs, leftMs: Infinity });
            line.join(waiter);
          }
          const gone = new Set(ended.map(([name]) => name));
          const here = all.filter(({ leftMs }, name) => leftMs === Infinity && !gone.has(name));
          const leaver = one.kind === 'leave' ? here[one.which % here.length] : undefined;
          if (!leaver) continue;
          leaver.leftMs = clock.monotonic();
          line.leave(leaver.waiter);
        }
        pass(clock, 2 * waitMs);
        const expected = all.flatMap(({ dueMs, leftMs }, name) =>
          leftMs === Infinity ? [[name, dueMs]] : [],
        );
        expect(ended).toEqual(expected);
      }),
    );
  });

  it('has no timer any more a while after the last has left', () => {
    const made = ground();
    const { clock, line, ended } = made;
    const waiter = new Named(0, { clock, ended });
    line.join(waiter);
    line.leave(waiter);
    expect(clock.step()).toBe(true);
    expect([clock.step(), ended, made.emptied]).toEqual([false, [], 1]);
  });

  it('has no timer once it was stopped', () => {
    const { clock, line, ended } = ground();
    const waiter = new Named(0, { clock, ended });
    line.join(waiter);
    line.leave(waiter);
    line.stop();
    expect(clock.step()).toBe(false);
  });
});
