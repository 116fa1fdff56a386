import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { TaskOutcome } from '../../src/core/outcome.ts';
import {
  barrierArrived,
  barrierAtStart,
  barrierHardDeadline,
  barrierSoftDeadline,
  barrierTimedOut,
  initialBarrier,
  type BarrierDecision,
  type BarrierState,
} from '../../src/policies/barrier.ts';
import type { BarrierSpec, MinSuccess, OnTimeout } from '../../src/workflow/model.ts';

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
interface TimePassed {
  readonly progressed: readonly string[];
  readonly bound?: 'soft' | 'hard' | undefined;
}
type Event = Arrival | TimePassed;

/** What is enough, without rounding errors: shares and weights are tenths here. */
type Enough = (succeeded: ReadonlySet<string>) => boolean;

interface Scene {
  readonly spec: BarrierSpec;
  readonly members: readonly string[];
  readonly enough: Enough;
  readonly quorum: Enough;
  readonly tenthsOf: (member: string) => number;
}

/** The barrier's rules over the plain list of arrivals, recomputed from the beginning at every event. */
class PlainBarrier {
  private readonly arrivals: Arrival[] = [];
  private readonly scene: Scene;
  private extensions = 0;
  private fellBack = false;
  private softened = false;
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

  timeOut({ progressed, bound }: TimePassed): string {
    if (this.released !== undefined) return 'wait';
    if (bound === 'soft') return this.soften(progressed);
    if (bound === 'hard') return this.endWaiting();
    return this.tryStrategies(progressed);
  }

  private soften(progressed: readonly string[]): string {
    if (this.softened) return 'wait';
    const [first] = this.scene.spec.onTimeout;
    if (!this.fellBack && first === 'extend' && this.mayExtend(progressed)) {
      this.extensions++;
      return 'extend';
    }
    if (this.verdict(this.arrivals) !== 'failed') return this.release('partial');
    this.softened = true;
    return 'suffice';
  }

  private endWaiting(): string {
    const last = this.scene.spec.onTimeout.filter(
      (name) => name === 'fail' || name === 'proceed_with_available',
    );
    const enough = this.verdict(this.arrivals) !== 'failed';
    return this.release(enough && last[0] !== 'fail' ? 'partial' : 'failed');
  }

  private mayExtend(progressed: readonly string[]): boolean {
    return (
      this.extensions < this.scene.spec.extension.max &&
      progressed.some((id) => this.running().includes(id))
    );
  }

  private tryStrategies(progressed: readonly string[]): string {
    if (this.fellBack) return 'wait';
    const enough = this.verdict(this.arrivals) !== 'failed';
    const applies: Record<OnTimeout, boolean> = {
      extend: this.mayExtend(progressed),
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
    const verdict = this.verdict(this.arrivals);
    if (this.isComplete(this.arrivals)) return this.release(verdict);
    if (verdict !== 'failed' && this.scene.quorum(this.succeeded())) return this.release(verdict);
    if (verdict !== 'failed' && this.softened) return this.release('partial');
    const hopeless =
      this.scene.spec.type === 'smart' && this.verdict(this.bestCourse()) === 'failed';
    return hopeless ? this.release('failed') : 'wait';
  }

  private succeeded(): ReadonlySet<string> {
    return succeededOf(this.arrivals);
  }

  /** Everybody still running succeeds, the heaviest first and required members last, until the wait is over. */
  private bestCourse(): Arrival[] {
    const { spec, tenthsOf } = this.scene;
    const rank = (id: string): number => (spec.required.includes(id) ? 1000 : 0) - tenthsOf(id);
    const course = [...this.arrivals];
    for (const member of this.running().toSorted((a, b) => rank(a) - rank(b))) {
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
    const { spec, members, enough } = this.scene;
    const succeeded = succeededOf(arrivals);
    if (!enough(succeeded) || !spec.required.every((id) => succeeded.has(id))) return 'failed';
    return succeeded.size === members.length ? 'succeeded' : 'partial';
  }

  private release(outcome: string): string {
    this.released = outcome;
    return `release ${outcome}`;
  }
}

function succeededOf(arrivals: readonly Arrival[]): ReadonlySet<string> {
  return new Set(
    arrivals.filter(({ outcome }) => outcome === 'succeeded').map(({ member }) => member),
  );
}

interface Target {
  readonly spec: MinSuccess;
  readonly enough: Enough;
}

type Tenths = ReadonlyMap<string, number>;

function targets(total: number, tenths: Tenths): fc.Arbitrary<Target> {
  const shares = fc.integer({ min: 0, max: 10 }).map((n): Target => ({
    spec: { share: n / 10 },
    enough: ({ size }) => size >= Math.ceil((n * total) / 10),
  }));
  const counts = fc.integer({ min: 0, max: total + 1 }).map((count): Target => ({
    spec: { count },
    enough: ({ size }) => size >= count,
  }));
  const all = [...tenths.values()].reduce((sum, one) => sum + one, 0);
  const weights = fc.integer({ min: 0, max: all + 1 }).map((least): Target => ({
    spec: { weight: least / 10 },
    enough: (ids) => [...ids].reduce((sum, id) => sum + (tenths.get(id) ?? 0), 0) >= least,
  }));
  return fc.oneof(shares, counts, weights);
}

const scenes: fc.Arbitrary<Scene> = fc.integer({ min: 0, max: 7 }).chain((total) => {
  const members = Array.from({ length: total }, (_, index) => `m${index}`);
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
  const weighed = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: total, maxLength: total });
  return weighed.chain((list) => {
    const tenths: Tenths = new Map(members.map((id, index) => [id, list[index] ?? 10]));
    const weights = Object.fromEntries([...tenths].map(([id, tenth]) => [id, tenth / 10]));
    const target = targets(total, tenths);
    return fc
      .tuple(rest, target, fc.option(target, { nil: undefined, freq: 2 }))
      .map(([spec, least, quorum]) => ({
        spec: { ...spec, weights, minSuccess: least.spec, ...(quorum && { quorum: quorum.spec }) },
        members,
        enough: least.enough,
        quorum: quorum?.enough ?? (() => false),
        tenthsOf: (id: string) => tenths.get(id) ?? 0,
      }));
  });
});

function eventsOf({ members }: Scene): fc.Arbitrary<Event[]> {
  const timeout = fc.record({
    progressed: fc.subarray([...members]),
    bound: fc.constantFrom(undefined, undefined, 'soft' as const, 'hard' as const),
  });
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
  if ('member' in event) return barrierArrived(state, event);
  if (event.bound === 'soft') return barrierSoftDeadline(state, event.progressed);
  return event.bound === 'hard'
    ? barrierHardDeadline(state)
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
          'member' in event ? plain.arrive(event) : plain.timeOut(event),
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
        quorum: undefined,
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

test('every member counts once, and its weight with it', () => {
  fc.assert(
    fc.property(histories, ([scene, events]) => {
      let { state } = barrierAtStart(initialBarrier(scene.spec, scene.members));
      const arrived = new Map<string, TaskOutcome>();
      for (const event of events) {
        if (state.tag !== 'released' && 'member' in event && !arrived.has(event.member))
          arrived.set(event.member, event.outcome);
        ({ state } = stepped(state, event));
        const done = [...arrived].filter(([, outcome]) => outcome === 'succeeded');
        expect(state.tally.arrived).toBe(arrived.size);
        expect(state.tally.succeeded).toBe(done.length);
        if (!state.rule.weights) continue;
        const tenths = done.reduce((sum, [id]) => sum + scene.tenthsOf(id), 0);
        expect(state.tally.succeededWeight).toBe(tenths * 100_000);
      }
    }),
    { numRuns: 500 },
  );
});

test('a barrier whose soft deadline has passed never waits once there is enough', () => {
  fc.assert(
    fc.property(histories, ([scene, events]) => {
      const start = barrierAtStart(initialBarrier(scene.spec, scene.members)).state;
      let { state } = barrierSoftDeadline(start, []);
      for (const event of events) {
        ({ state } = stepped(state, event));
        if (state.tag !== 'sufficing') continue;
        const { succeeded, requiredPending, requiredFailed } = state.tally;
        const ids = new Set(
          events
            .filter((one): one is Arrival => 'member' in one && one.outcome === 'succeeded')
            .map(({ member }) => member),
        );
        if (ids.size !== succeeded || requiredPending + requiredFailed > 0) continue;
        expect(scene.enough(ids)).toBe(false);
      }
    }),
    { numRuns: 500 },
  );
});

test('after the hard deadline nobody waits, whatever has happened before', () => {
  fc.assert(
    fc.property(histories, ([scene, events]) => {
      let { state } = barrierAtStart(initialBarrier(scene.spec, scene.members));
      for (const event of events) ({ state } = stepped(state, event));
      expect(barrierHardDeadline(state).state.tag).toBe('released');
    }),
    { numRuns: 500 },
  );
});

test('an extension after the soft deadline does not make the barrier forget it', () => {
  const spec: BarrierSpec = {
    type: 'count_down',
    expected: undefined,
    minSuccess: { count: 1 },
    required: [],
    timeoutMs: 1000,
    onTimeout: ['extend'],
    extension: { byMs: 5, max: 1 },
    onFailure: 'retry_failed_worker',
  };
  const softened = barrierSoftDeadline(initialBarrier(spec, ['a', 'b']), []);
  const extended = barrierTimedOut(softened.state, ['a']);
  const arrived = barrierArrived(extended.state, { member: 'a', outcome: 'succeeded' });
  expect([softened, extended, arrived].map(({ decision }) => nameOf(decision))).toEqual([
    'suffice',
    'extend',
    'release partial',
  ]);
});
