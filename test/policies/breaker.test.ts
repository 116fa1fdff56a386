import { describe, expect, it } from 'vitest';

import { Breaker } from '../../src/policies/breaker.ts';
import { callWindow } from '../../src/policies/call-window.ts';
import { defaultBreaker } from '../../src/workflow/breaker.ts';
import type { BreakerRule } from '../../src/workflow/breaker.ts';

const fail = { end: 'failed' } as const;
const succeed = { end: 'succeeded' } as const;
const withdraw = { end: 'withdrawn' } as const;

/** Makes calls one after another, all at one time. */
function call(breaker: Breaker, ends: readonly { end: 'failed' | 'succeeded' }[], now = 0): void {
  for (const end of ends) {
    const permit = breaker.ask(now);
    if (permit) breaker.report(permit, end, now);
  }
}

function opened(rule: Partial<BreakerRule> = {}): Breaker {
  const breaker = new Breaker({ ...defaultBreaker, ...rule });
  breaker.trip(0);
  return breaker;
}

describe('a closed breaker', () => {
  it('opens at half of at least five calls', () => {
    const breaker = new Breaker(defaultBreaker);
    call(breaker, [fail, fail, fail, fail]);
    expect(breaker.stateAt(0)).toBe('closed');
    call(breaker, [succeed]);
    expect(breaker.stateAt(0)).toBe('open');
    expect(breaker.reopensAt).toBe(30_000);
  });

  it('forgets calls that have left a window of twenty', () => {
    const breaker = new Breaker(defaultBreaker);
    call(breaker, [fail, fail, ...Array.from({ length: 30 }, () => succeed)]);
    call(
      breaker,
      Array.from({ length: 9 }, () => fail),
    );
    expect(breaker.stateAt(0)).toBe('closed');
    call(breaker, [fail]);
    expect(breaker.stateAt(0)).toBe('open');
  });

  it('opens when all calls are slow, although all succeed', () => {
    const breaker = new Breaker({ ...defaultBreaker, slowCallMs: 100 });
    for (let index = 0; index < 5; index++) {
      const permit = breaker.ask(index);
      if (permit) breaker.report(permit, succeed, index + 100);
    }
    expect(breaker.stateAt(104)).toBe('open');
  });

  it('counts nothing for calls that were withdrawn', () => {
    const breaker = new Breaker(defaultBreaker);
    for (let index = 0; index < 20; index++) {
      const permit = breaker.ask(0);
      if (permit) breaker.report(permit, withdraw, 0);
    }
    call(breaker, [fail, fail, fail, fail]);
    expect(breaker.stateAt(0)).toBe('closed');
  });

  it('keeps its counts when its rule changes and its window does not', () => {
    const breaker = new Breaker(defaultBreaker);
    call(breaker, [fail, fail]);
    breaker.setRule({ ...defaultBreaker, minimumCalls: 3 });
    call(breaker, [fail]);
    expect(breaker.stateAt(0)).toBe('open');
  });
});

describe('an open breaker', () => {
  it('lets nothing through before its wait is over, and two calls then', () => {
    const breaker = opened();
    expect(breaker.ask(29_999)).toBeUndefined();
    expect(breaker.ask(30_000)).toBeDefined();
    expect(breaker.ask(30_000)).toBeDefined();
    expect(breaker.ask(30_000)).toBeUndefined();
  });

  it('stays open as long as a call that was let through before is told to wait', () => {
    const breaker = new Breaker(defaultBreaker);
    const early = breaker.ask(0);
    breaker.trip(0);
    if (early) breaker.report(early, { end: 'failed', retryAfterMs: 60_000 }, 1000);
    expect(breaker.reopensAt).toBe(61_000);
  });

  it('is not held open for more than an hour by what a provider asks for', () => {
    const breaker = new Breaker({ ...defaultBreaker, minimumCalls: 1 });
    const permit = breaker.ask(0);
    if (permit) breaker.report(permit, { end: 'failed', retryAfterMs: 1e12 }, 0);
    expect(breaker.reopensAt).toBe(3_600_000);
  });
});

describe('a half-open breaker', () => {
  it('opens again at the first failure that cannot be made good', () => {
    const breaker = opened();
    call(breaker, [fail], 30_000);
    expect(breaker.stateAt(30_000)).toBe('open');
    expect(breaker.reopensAt).toBe(60_000);
  });

  it('closes when all that may try have succeeded', () => {
    const breaker = opened();
    call(breaker, [succeed], 30_000);
    expect(breaker.stateAt(30_000)).toBe('half_open');
    call(breaker, [succeed], 30_000);
    expect(breaker.stateAt(30_000)).toBe('closed');
  });

  it('lets another call try in the place of one that was withdrawn', () => {
    const breaker = opened({ halfOpenCalls: 1 });
    const permit = breaker.ask(30_000);
    expect(breaker.ask(30_000)).toBeUndefined();
    if (permit) breaker.report(permit, withdraw, 30_000);
    expect(breaker.ask(30_000)).toBeDefined();
  });

  it('does not take results for its own that belong to an earlier state', () => {
    const breaker = new Breaker({ ...defaultBreaker, halfOpenCalls: 1 });
    const early = breaker.ask(0);
    breaker.trip(0);
    breaker.allows(30_000);
    if (early) breaker.report(early, succeed, 30_000);
    expect(breaker.stateAt(30_000)).toBe('half_open');
    if (early) breaker.report(early, withdraw, 30_000);
    breaker.ask(30_000);
    expect(breaker.ask(30_000)).toBeUndefined();
  });
});

describe('a window by time', () => {
  it('forgets what is older than it, and nothing that is younger than nine tenths of it', () => {
    const window = callWindow({ ms: 1000 });
    window.note({ failed: true, slow: false, durationMs: 7 }, 50);
    expect(window.sums(999).calls).toBe(1);
    expect(window.sums(1000)).toMatchObject({ calls: 0, failed: 0, durationMs: 0 });
  });

  it('is empty after a pause of any length', () => {
    const window = callWindow({ ms: 1000 });
    window.note({ failed: true, slow: true, durationMs: 7 }, 50);
    expect(window.sums(1e12)).toMatchObject({ calls: 0, slow: 0 });
  });

  it('counts on when the clock goes back', () => {
    const window = callWindow({ ms: 1000 });
    window.note({ failed: true, slow: false, durationMs: 1 }, 5000);
    window.note({ failed: false, slow: false, durationMs: 1 }, 3000);
    expect(window.sums(5000)).toMatchObject({ calls: 2, failed: 1 });
  });
});
