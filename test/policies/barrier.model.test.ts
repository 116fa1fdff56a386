import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { TaskOutcome } from '../../src/core/outcome.ts';
import {
  barrierArrived,
  barrierAtStart,
  barrierTimedOut,
  initialBarrier,
  type BarrierDecision,
  type BarrierState,
} from '../../src/policies/barrier.ts';
import type { BarrierSpec, OnTimeout } from '../../src/workflow/model.ts';

const outcomes = [
  'succeeded',
  'succeeded',
  'succeeded',
  'failed',
  'timed_out',
  'cancelled',
  'skipped',
] as const;

interface Arrival {
  readonly member: string;
  readonly outcome: TaskOutcome;
}
type Event = Arrival | { readonly progressed: readonly string[] };

/** The least that must succeed, without rounding errors: shares are tenths here. */
interface Scene {
  readonly spec: BarrierSpec;
  readonly members: readonly string[];
  readonly needed: number;
}

/** The barrier's rules over the plain list of arrivals, recomputed from the beginning at every event. */
class PlainBarrier {
  private readonly arrivals: Arrival[] = [];
  private readonly scene: Scene;
  private extensions = 0;
  private fellBack = false;
  released: string | undefined;

  constructor(scene: Scene) {
    this.scene = scene;
  }

  start(): string {
    if (this.scene.members.length === 0) return this.release('succeeded');
    return this.settle();
  }

  arrive(arrival: Arrival): string {
    if (
      this.released !== undefined ||
      this.arrivals.some(({ member }) => member === arrival.member)
    )
      return 'wait';
    this.arrivals.push(arrival);
    const isFailure = arrival.outcome !== 'succeeded' && arrival.outcome !== 'skipped';
    if (this.scene.spec.onFailure === 'fail_fast' && isFailure) return this.release('failed');
    return this.settle();
  }

  timeOut(progressed: readonly string[]): string {
    if (this.released !== undefined || this.fellBack) return 'wait';
    const enough = this.verdict(this.arrivals) !== 'failed';
    const applies: Record<OnTimeout, boolean> = {
      extend:
        this.extensions < this.scene.spec.extension.max &&
        progressed.some((id) => this.running().includes(id)),
      proceed_with_available: enough,
      abort_and_fallback: true,
      fail: true,
    };
    const strategy = this.scene.spec.onTimeout.find((name) => applies[name]);
    if (strategy === 'fail') return this.release('failed');
    if (strategy === 'extend') this.extensions++;
    if (strategy === 'abort_and_fallback') this.fellBack = true;
    if (strategy === 'extend') return 'extend';
    return strategy === 'abort_and_fallback'
      ? 'fall_back'
      : this.release(enough ? 'partial' : 'failed');
  }

  running(): string[] {
    return this.scene.members.filter((id) => !this.arrivals.some(({ member }) => member === id));
  }

  private settle(): string {
    if (this.isComplete(this.arrivals)) return this.release(this.verdict(this.arrivals));
    const hopeless =
      this.scene.spec.type === 'smart' && this.verdict(this.bestCourse()) === 'failed';
    return hopeless ? this.release('failed') : 'wait';
  }

  /** Everybody still running succeeds, required members last, until the wait is over. */
  private bestCourse(): Arrival[] {
    const isRequired = (id: string): number => (this.scene.spec.required.includes(id) ? 1 : 0);
    const course = [...this.arrivals];
    for (const member of this.running().toSorted((a, b) => isRequired(a) - isRequired(b))) {
      if (!this.isComplete(course)) course.push({ member, outcome: 'succeeded' });
    }
    return course;
  }

  private isComplete(arrivals: readonly Arrival[]): boolean {
    const { spec, members } = this.scene;
    const arrived = new Set(arrivals.map(({ member }) => member));
    const awaited = spec.required.filter((id) => members.includes(id));
    return (
      arrived.size >= Math.min(spec.expected ?? members.length, members.length) &&
      awaited.every((id) => arrived.has(id))
    );
  }

  private verdict(arrivals: readonly Arrival[]): string {
    const { spec, members, needed } = this.scene;
    const succeeded = new Set(
      arrivals.filter(({ outcome }) => outcome === 'succeeded').map(({ member }) => member),
    );
    if (
      succeeded.size === members.length &&
      spec.required.every((id) => succeeded.has(id)) &&
      succeeded.size >= needed
    )
      return 'succeeded';
    return succeeded.size >= needed && spec.required.every((id) => succeeded.has(id))
      ? 'partial'
      : 'failed';
  }

  private release(outcome: string): string {
    this.released = outcome;
    return `release ${outcome}`;
  }
}

const scenes: fc.Arbitrary<Scene> = fc.integer({ min: 0, max: 7 }).chain((total) => {
  const members = Array.from({ length: total }, (_, index) => `m${index}`);
  const tenths = fc
    .integer({ min: 0, max: 10 })
    .map((n) => ({ minSuccess: { share: n / 10 }, needed: Math.ceil((n * total) / 10) }));
  const counts = fc
    .integer({ min: 0, max: total + 1 })
    .map((count) => ({ minSuccess: { count }, needed: count }));
  const rest = fc.record({
    type: fc.constantFrom('count_down' as const, 'smart' as const),
    expected: fc.option(fc.integer({ min: 1, max: total + 1 }), { nil: undefined, freq: 3 }),
    required: fc.oneof(
      { weight: 9, arbitrary: fc.subarray(members, { maxLength: Math.min(2, total) }) },
      fc.constant(['absent']),
    ),
    timeoutMs: fc.constant(1000),
    onTimeout: fc.shuffledSubarray<OnTimeout>([
      'extend',
      'proceed_with_available',
      'abort_and_fallback',
      'fail',
    ]),
    extension: fc.record({ byMs: fc.constant(5), max: fc.nat(2) }),
    onFailure: fc.constantFrom(
      'retry_failed_worker' as const,
      'continue' as const,
      'fail_fast' as const,
    ),
  });
  return fc
    .tuple(rest, fc.oneof(tenths, counts))
    .map(([spec, { minSuccess, needed }]) => ({ spec: { ...spec, minSuccess }, members, needed }));
});

function eventsOf({ members }: Scene): fc.Arbitrary<Event[]> {
  const timeout = fc.record({ progressed: fc.subarray([...members]) });
  if (members.length === 0) return fc.array(timeout, { maxLength: 3 });
  const arrival = fc.record({
    member: fc.constantFrom(...members),
    outcome: fc.constantFrom(...outcomes),
  });
  return fc.array(fc.oneof({ weight: 6, arbitrary: arrival }, { weight: 1, arbitrary: timeout }), {
    maxLength: 25,
  });
}

const histories = scenes.chain((scene) => fc.tuple(fc.constant(scene), eventsOf(scene)));

function nameOf(decision: BarrierDecision): string {
  return decision.kind === 'release' ? `release ${decision.outcome}` : decision.kind;
}

function stepped(
  state: BarrierState,
  event: Event,
): { state: BarrierState; decision: BarrierDecision } {
  return 'member' in event
    ? barrierArrived(state, event)
    : barrierTimedOut(state, event.progressed);
}

test('every decision equals a plain recomputation over all arrivals', () => {
  fc.assert(
    fc.property(histories, ([scene, events]) => {
      const plain = new PlainBarrier(scene);
      let step = barrierAtStart(initialBarrier(scene.spec, scene.members));
      expect(nameOf(step.decision)).toBe(plain.start());
      for (const event of events) {
        step = stepped(step.state, event);
        expect(nameOf(step.decision)).toBe(
          'member' in event ? plain.arrive(event) : plain.timeOut(event.progressed),
        );
        if (step.decision.kind === 'extend')
          expect(plain.running()).toEqual(expect.arrayContaining([...step.decision.members]));
        if (step.decision.kind === 'release' && step.decision.cancelRest)
          expect(plain.running()).not.toEqual([]);
      }
      if (step.state.tag === 'released') expect(step.state.outcome).toBe(plain.released);
    }),
    { numRuns: 2000 },
  );
});

test('it releases at most once, and by the last arrival at the latest', () => {
  fc.assert(
    fc.property(histories, ([scene, events]) => {
      const everybody = scene.members.map((member): Event => ({ member, outcome: 'succeeded' }));
      let step = barrierAtStart(initialBarrier(scene.spec, scene.members));
      let releases = step.decision.kind === 'release' ? 1 : 0;
      for (const event of [...events, ...everybody]) {
        const before = step.state;
        step = stepped(before, event);
        if (before.tag === 'released') expect(step.state).toBe(before);
        if (step.decision.kind === 'release') releases++;
      }
      expect(releases).toBe(1);
      expect(step.state.tag).toBe('released');
    }),
    { numRuns: 500 },
  );
});

test('repeating every arrival changes no decision and no state', () => {
  fc.assert(
    fc.property(histories, ([scene, events]) => {
      let state = initialBarrier(scene.spec, scene.members);
      for (const event of events) {
        state = stepped(state, event).state;
        if (!('member' in event)) continue;
        const again = barrierArrived(state, { ...event, outcome: 'failed' });
        expect(again).toEqual({ state, decision: { kind: 'wait' } });
        expect(again.state).toBe(state);
      }
    }),
  );
});

test('the order of arrivals does not matter to a count_down over all members', () => {
  const cases = scenes.chain((scene) => {
    const arrivals = fc.tuple(
      ...scene.members.map((member) =>
        fc.constantFrom(...outcomes).map((outcome) => ({ member, outcome })),
      ),
    );
    return arrivals.chain((list) =>
      fc.tuple(
        fc.constant(scene),
        fc.constant(list),
        fc.shuffledSubarray(list, { minLength: list.length }),
      ),
    );
  });
  fc.assert(
    fc.property(cases, ([scene, list, shuffled]) => {
      const spec: BarrierSpec = {
        ...scene.spec,
        type: 'count_down',
        expected: undefined,
        onFailure: 'continue',
      };
      const last = (arrivals: readonly Arrival[]): BarrierState =>
        arrivals.reduce(
          (state, arrival) => barrierArrived(state, arrival).state,
          initialBarrier(spec, scene.members),
        );
      expect(last(shuffled)).toEqual(last(list));
    }),
  );
});
