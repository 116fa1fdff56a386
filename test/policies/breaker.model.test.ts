import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { Breaker } from '../../src/policies/breaker.ts';
import type { BreakerPermit, BreakerState } from '../../src/policies/breaker.ts';
import type { BreakerRule } from '../../src/workflow/breaker.ts';

/** One call that was let through, as the reference remembers it. */
interface Call {
  readonly permit: BreakerPermit;
  readonly turn: number;
  readonly at: number;
}

/** A breaker without any cleverness: it keeps every result of its state and counts them anew each time. */
class NaiveBreaker {
  readonly rule: BreakerRule;
  state: BreakerState = 'closed';
  turn = 0;
  until = 0;
  results: { readonly failed: boolean; readonly slow: boolean; readonly at: number }[] = [];
  letThrough = 0;

  constructor(rule: BreakerRule) {
    this.rule = rule;
  }

  look(now: number): void {
    if (this.state === 'open' && now >= this.until) this.enter('half_open');
  }

  allows(now: number): boolean {
    this.look(now);
    if (this.state === 'half_open') return this.letThrough < this.rule.halfOpenCalls;
    return this.state === 'closed';
  }

  ask(now: number): number | undefined {
    if (!this.allows(now)) return undefined;
    this.letThrough++;
    return this.turn;
  }

  report(
    call: Call,
    end: string,
    { now, retryAfterMs }: { now: number; retryAfterMs: number },
  ): void {
    if (call.turn === this.turn && end === 'withdrawn') this.letThrough--;
    if (call.turn === this.turn && end !== 'withdrawn') {
      const slow = now - call.at >= (this.rule.slowCallMs ?? Infinity);
      this.results.push({ failed: end === 'failed', slow, at: now });
      this.judge(now);
    }
    if (end === 'failed' && this.state === 'open')
      this.until = Math.max(this.until, now + retryAfterMs);
  }

  trip(now: number): void {
    this.look(now);
    this.open(now);
  }

  private judge(now: number): void {
    const { window, minimumCalls, halfOpenCalls } = this.rule;
    if (this.state === 'half_open') {
      const left = halfOpenCalls - this.results.length;
      const worst = Array.from({ length: left }, () => ({ failed: true, slow: true, at: now }));
      if (this.isBad(this.results, halfOpenCalls)) this.open(now);
      else if (!this.isBad([...this.results, ...worst], halfOpenCalls)) this.enter('closed');
      return;
    }
    const recent =
      'calls' in window ? this.results.slice(-window.calls) : this.inTime(window.ms, now);
    if (recent.length >= minimumCalls && this.isBad(recent, recent.length)) this.open(now);
  }

  /** Whole tenths of the window, as the policy says of itself. */
  private inTime(ms: number, now: number): NaiveBreaker['results'] {
    const tenth = Math.max(1, ms / 10);
    const newest = Math.floor(now / tenth);
    return this.results.filter(({ at }) => newest - Math.floor(at / tenth) < 10);
  }

  private isBad(results: NaiveBreaker['results'], calls: number): boolean {
    const { failureRate, slowCallRate, slowCallMs } = this.rule;
    const failed = results.filter((result) => result.failed).length;
    const slow = results.filter((result) => result.slow).length;
    return (
      failed >= failureRate * calls || (slowCallMs !== undefined && slow >= slowCallRate * calls)
    );
  }

  private open(now: number): void {
    this.enter('open');
    this.until = now + this.rule.waitMs;
  }

  private enter(state: BreakerState): void {
    this.state = state;
    this.turn++;
    this.results = [];
    this.letThrough = 0;
  }
}

const rule: fc.Arbitrary<BreakerRule> = fc.record(
  {
    failureRate: fc.constantFrom(0.2, 0.5, 1),
    slowCallRate: fc.constantFrom(0.5, 1),
    slowCallMs: fc.constantFrom(5, 30),
    window: fc.oneof(
      fc.record({ calls: fc.integer({ min: 1, max: 8 }) }),
      fc.record({ ms: fc.constantFrom(20, 100) }),
    ),
    minimumCalls: fc.integer({ min: 1, max: 5 }),
    waitMs: fc.constantFrom(10, 50),
    halfOpenCalls: fc.integer({ min: 1, max: 4 }),
  },
  {
    requiredKeys: [
      'failureRate',
      'slowCallRate',
      'window',
      'minimumCalls',
      'waitMs',
      'halfOpenCalls',
    ],
  },
);

type Step =
  | { readonly do: 'ask' }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'trip' }
  | {
      readonly do: 'report';
      readonly which: number;
      readonly end: 'succeeded' | 'failed' | 'withdrawn';
      readonly retryAfterMs: number;
    };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.constant({ do: 'ask' } as const) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 30 }) }),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'trip' } as const) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('report' as const),
      which: fc.nat(20),
      end: fc.constantFrom('succeeded', 'failed', 'failed', 'withdrawn'),
      retryAfterMs: fc.constantFrom(0, 0, 80),
    }),
  },
);

const legal: Readonly<Record<BreakerState, readonly BreakerState[]>> = {
  closed: ['open'],
  open: ['half_open', 'open'],
  half_open: ['open', 'closed'],
};

/** Both breakers side by side, with what must hold of either. */
class Pair {
  readonly real: Breaker;
  readonly naive: NaiveBreaker;
  private readonly calls: Call[] = [];
  private now = 1000;
  private last: BreakerState = 'closed';
  private tries = 0;

  constructor(spec: BreakerRule) {
    this.real = new Breaker(spec);
    this.naive = new NaiveBreaker(spec);
  }

  take(next: Step): void {
    if (next.do === 'wait') this.now += next.ms;
    else if (next.do === 'trip') {
      this.real.trip(this.now);
      this.naive.trip(this.now);
    } else if (next.do === 'ask') this.ask();
    else this.report(next);
    this.check();
  }

  private ask(): void {
    const before = this.real.stateAt(this.now);
    const permit = this.real.ask(this.now);
    const turn = this.naive.ask(this.now);
    expect(permit !== undefined).toBe(turn !== undefined);
    if (!permit || turn === undefined) return;
    expect(before).not.toBe('open');
    if (before === 'half_open') this.tries++;
    expect(this.tries).toBeLessThanOrEqual(this.naive.rule.halfOpenCalls);
    this.calls.push({ permit, turn, at: this.now });
  }

  private report({ which, end, retryAfterMs }: Extract<Step, { do: 'report' }>): void {
    const [call] = this.calls.splice(which % Math.max(1, this.calls.length), 1);
    if (!call) return;
    if (end === 'withdrawn' && call.turn === this.naive.turn && this.naive.state === 'half_open')
      this.tries--;
    this.real.report(call.permit, { end, retryAfterMs }, this.now);
    this.naive.report(call, end, { now: this.now, retryAfterMs });
  }

  private check(): void {
    this.naive.look(this.now);
    const state = this.real.stateAt(this.now);
    expect(state).toBe(this.naive.state);
    expect(this.real.allows(this.now)).toBe(this.naive.allows(this.now));
    if (state !== this.last) {
      // A trip may come in the very moment in which the wait is over.
      const isLegal = legal[this.last].includes(state);
      expect(isLegal).toBe(true);
      this.tries = 0;
    }
    this.last = state;
    if (state === 'open') expect(this.real.reopensAt).toBe(this.naive.until);
  }
}

describe('a breaker beside one that counts everything anew', () => {
  it('is in the same state after every step, lets the same calls through and takes only legal steps', () => {
    fc.assert(
      fc.property(rule, fc.array(step, { maxLength: 80 }), (spec, steps) => {
        const pair = new Pair(spec);
        for (const next of steps) pair.take(next);
      }),
      { numRuns: 1500 },
    );
  });
});
