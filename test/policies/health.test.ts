import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { AlertThresholds } from '../../src/policies/alert-thresholds.ts';
import { Health, nextHealth } from '../../src/policies/health.ts';
import type { HealthState } from '../../src/policies/health.ts';
import { Hedging } from '../../src/policies/hedging.ts';
import { defaultHealth } from '../../src/workflow/health.ts';
import type { HealthSpec } from '../../src/workflow/health.ts';

/** Every attempt that was ever told, counted anew at each question. */
class NaiveHealth {
  private readonly spec: HealthSpec;
  private readonly ends: { readonly failed: boolean; readonly ms: number; readonly at: number }[] =
    [];
  private state: HealthState = 'healthy';

  constructor(spec: HealthSpec) {
    this.spec = spec;
  }

  note(failed: boolean, ms: number, at: number): void {
    this.ends.push({ failed, ms, at });
  }

  look(now: number, depth: number): HealthState {
    const { windowMs, minCalls, maxErrorRate, maxResponseMs, maxQueueDepth } = this.spec;
    const tenth = windowMs / 10;
    const newest = Math.floor(now / tenth);
    const recent = this.ends.filter(({ at }) => newest - Math.floor(at / tenth) < 10);
    const isKnown = recent.length >= minCalls;
    const failed = recent.filter((end) => end.failed).length;
    const sum = recent.reduce((total, { ms }) => total + ms, 0);
    const levels = [
      isKnown && maxErrorRate !== undefined ? failed / recent.length / maxErrorRate : 0,
      isKnown && maxResponseMs !== undefined ? sum / recent.length / maxResponseMs : 0,
      maxQueueDepth === undefined ? 0 : depth / maxQueueDepth,
    ];
    const level = Math.max(...levels);
    if (level >= 1) this.state = 'unhealthy';
    else if (level < 0.6) this.state = 'healthy';
    else if (level >= 0.8 && this.state === 'healthy') this.state = 'degraded';
    else if (level < 0.8 && this.state === 'unhealthy') this.state = 'degraded';
    return this.state;
  }
}

const spec: fc.Arbitrary<HealthSpec> = fc.record(
  {
    maxErrorRate: fc.constantFrom(0.25, 0.5, 1),
    maxResponseMs: fc.constantFrom(50, 200),
    maxQueueDepth: fc.constantFrom(3, 10),
    minCalls: fc.integer({ min: 1, max: 4 }),
    windowMs: fc.constantFrom(100, 1000),
  },
  { requiredKeys: ['minCalls', 'windowMs'] },
);

const step = fc.record({
  waitMs: fc.constantFrom(0, 3, 40, 300),
  failed: fc.boolean(),
  ms: fc.constantFrom(10, 100, 400),
  depth: fc.integer({ min: 0, max: 12 }),
  isAttempt: fc.boolean(),
});

describe('health beside a monitor that counts everything anew', () => {
  it('is in the same state after every attempt and every look', () => {
    fc.assert(
      fc.property(spec, fc.array(step, { maxLength: 60 }), (rules, steps) => {
        const [real, naive] = [new Health(rules), new NaiveHealth(rules)];
        let now = 10_000;
        for (const { waitMs, failed, ms, depth, isAttempt } of steps) {
          now += waitMs;
          if (isAttempt) {
            real.note(failed, ms, now);
            naive.note(failed, ms, now);
          }
          expect(real.look(now, depth)).toBe(naive.look(now, depth));
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('health', () => {
  it('says nothing before there are enough attempts', () => {
    const health = new Health(defaultHealth);
    for (let index = 0; index < 4; index++) health.note(true, 1, 0);
    expect(health.look(0, 0)).toBe('healthy');
    health.note(true, 1, 0);
    expect(health.look(0, 0)).toBe('unhealthy');
  });

  it('comes back once the failures have left the window', () => {
    const health = new Health(defaultHealth);
    for (let index = 0; index < 5; index++) health.note(true, 1, 0);
    expect(health.look(0, 0)).toBe('unhealthy');
    expect(health.look(60_000, 0)).toBe('healthy');
  });

  it('is not left at the level at which it was entered', () => {
    expect(nextHealth('healthy', 0.79)).toBe('healthy');
    expect(nextHealth('healthy', 0.8)).toBe('degraded');
    expect(nextHealth('degraded', 0.6)).toBe('degraded');
    expect(nextHealth('unhealthy', 0.8)).toBe('unhealthy');
    expect(nextHealth('unhealthy', 0.79)).toBe('degraded');
  });
});

describe('thresholds that raise alerts', () => {
  const thresholds = {
    eventLoopDelayMs: 100,
    memory: 0.85,
    queueDepth: 3,
    responseMs: 1000,
    efficiency: undefined,
  };
  const readings = (depth: number) => ({
    event_loop_delay: 0,
    memory: 0.1,
    queue_depth: depth,
    response_time: undefined,
  });

  it('are passed after two samples in a row, and told once', () => {
    const alerts = new AlertThresholds(thresholds);
    expect(alerts.sample(readings(4))).toEqual([]);
    expect(alerts.sample(readings(4))).toEqual([
      { threshold: 'queue_depth', state: 'passed', value: 4, limit: 3 },
    ]);
    expect(alerts.sample(readings(9))).toEqual([]);
  });

  it('are kept again only after two samples well below', () => {
    const alerts = new AlertThresholds(thresholds);
    for (const depth of [4, 4, 3, 3, 2]) alerts.sample(readings(depth));
    expect(alerts.sample(readings(2))).toMatchObject([{ threshold: 'queue_depth', state: 'back' }]);
  });
});

describe('when to hedge', () => {
  const p95 = { afterMs: undefined, max: 1, maxShare: 0.1 };

  it('is not known before ten attempts have succeeded, and then what 95 of 100 take', () => {
    const hedging = new Hedging({ begun: 0, hedged: 0 });
    for (let index = 1; index <= 9; index++) {
      expect(hedging.succeeded('a', index)).toBe(false);
      expect(hedging.afterMs('a', p95)).toBeUndefined();
    }
    expect(hedging.succeeded('a', 10)).toBe(true);
    expect(hedging.afterMs('a', p95)).toBe(10);
    for (let index = 11; index <= 200; index++) hedging.succeeded('a', index);
    expect(hedging.afterMs('a', p95)).toBe(195);
  });

  it('is limited to a share of the attempts, but for the first', () => {
    const hedging = new Hedging({ begun: 0, hedged: 0 });
    expect(hedging.isWithinShare(p95)).toBe(true);
    hedging.hedgeBegun();
    for (let index = 0; index < 19; index++) hedging.attemptBegun();
    expect(hedging.isWithinShare(p95)).toBe(false);
    hedging.attemptBegun();
    expect(hedging.isWithinShare(p95)).toBe(true);
    expect(hedging.isWithinShare({ ...p95, maxShare: undefined })).toBe(true);
  });
});
