import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { seededRandom } from '../../src/core/random.ts';
import { decideRestart, isRestarted, noRestarts, restartSet } from '../../src/policies/restart.ts';
import { defaultRestart } from '../../src/policies/restart-spec.ts';
import type { ChildEnd, RestartHistory } from '../../src/policies/restart.ts';
import type { RestartSpec, RestartType } from '../../src/policies/restart-spec.ts';

interface Model {
  now: number;
  restarts: number[];
  escalations: number;
}

class Real {
  history: RestartHistory = noRestarts;
  readonly spec: RestartSpec;
  readonly random = seededRandom(7);

  constructor(spec: RestartSpec) {
    this.spec = spec;
  }
}

const types: RestartType[] = ['permanent', 'transient', 'temporary'];
const ends: ChildEnd[] = ['done', 'failed'];

/** Naive: every window that begins at a restart is counted by itself. */
function worst(times: readonly number[], windowMs: number): number {
  const counts = times.map(
    (from) => times.filter((at) => at >= from && at < from + windowMs).length,
  );
  return Math.max(0, ...counts);
}

class Die implements fc.Command<Model, Real> {
  readonly afterMs: number;
  readonly type: RestartType;
  readonly end: ChildEnd;

  constructor(afterMs: number, type: RestartType, end: ChildEnd) {
    this.afterMs = afterMs;
    this.type = type;
    this.end = end;
  }

  check(): boolean {
    return true;
  }

  run(model: Model, real: Real): void {
    model.now += this.afterMs;
    const { spec, random, history } = real;
    const { type, end } = this;
    const decision = decideRestart({ spec, type, end, history, now: model.now, random });
    if (model.escalations > 0) expect(decision.kind).toBe('ignore');
    else expect(decision.kind === 'leave').toBe(!isRestarted(type, end));
    if ('history' in decision) real.history = decision.history;
    if (decision.kind === 'escalate') this.escalated(model, spec);
    if (decision.kind === 'restart') this.restarted(model, spec, decision.at);
  }

  toString(): string {
    return `die(${this.afterMs}, ${this.type}, ${this.end})`;
  }

  private restarted(model: Model, spec: RestartSpec, at: number): void {
    expect(at).toBeGreaterThanOrEqual(model.now);
    expect(at).toBeLessThanOrEqual(model.now + spec.maxMs);
    model.restarts.push(at);
    expect(worst(model.restarts, spec.withinMs)).toBeLessThanOrEqual(spec.maxRestarts);
  }

  /** One more restart, at the soonest or the latest that it could have come, would have been too many. */
  private escalated(model: Model, spec: RestartSpec): void {
    model.escalations++;
    expect(model.escalations).toBe(1);
    const near = model.restarts.filter((at) => at > model.now - spec.withinMs);
    expect(near.length).toBeGreaterThanOrEqual(spec.maxRestarts);
  }
}

const specs = fc
  .record({
    maxRestarts: fc.integer({ min: 0, max: 4 }),
    withinMs: fc.constantFrom(1, 1_000, 30_000),
    initialMs: fc.constantFrom(0, 500),
    jitter: fc.constantFrom(0, 0.5, 1),
  })
  .map((some): RestartSpec => ({ ...defaultRestart, ...some }));

const deaths = fc
  .tuple(fc.nat({ max: 40_000 }), fc.constantFrom(...types), fc.constantFrom(...ends))
  .map(([afterMs, type, end]) => new Die(afterMs, type, end));

describe('the restart counter', () => {
  it('never restarts more often than allowed in any window, and then escalates exactly once', () => {
    fc.assert(
      fc.property(specs, fc.commands([deaths], { maxCommands: 40 }), (spec, commands) => {
        const model: Model = { now: 0, restarts: [], escalations: 0 };
        fc.modelRun(() => ({ model, real: new Real(spec) }), commands);
      }),
    );
  });

  it('waits twice as long each time, and begins anew after a quiet time', () => {
    const spec = { ...defaultRestart, jitter: 0, maxRestarts: 100 };
    let history = noRestarts;
    const waits = [0, 0, 0, 100_000].map((now) => {
      const decision = decideRestart({
        spec,
        type: 'permanent',
        end: 'failed',
        history,
        now,
        random: () => 0,
      });
      if (decision.kind !== 'restart') throw new Error(decision.kind);
      ({ history } = decision);
      return decision.at - now;
    });
    expect(waits).toEqual([500, 1_000, 2_000, 500]);
  });
});

describe('the restart set', () => {
  const order = ['a', 'b', 'c'];

  it('is the one that died, all, or it and those started after it', () => {
    expect(restartSet('one_for_one', order, 'b')).toEqual(['b']);
    expect(restartSet('one_for_all', order, 'b')).toEqual(order);
    expect(restartSet('rest_for_one', order, 'b')).toEqual(['b', 'c']);
  });
});
