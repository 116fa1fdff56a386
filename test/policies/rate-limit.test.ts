import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RateMeter, rateWindowMs } from '../../src/policies/rate-limit.ts';

interface Out {
  readonly at: number;
  readonly amount: number;
}

/** The most that any window of a minute holds: one that begins with an entry holds as much as any. */
function mostInAnyWindow(entries: readonly Out[]): number {
  let most = 0;
  let sum = 0;
  let end = 0;
  for (const [index, { at }] of entries.entries()) {
    while (end < entries.length && (entries[end] as Out).at < at + rateWindowMs)
      sum += (entries[end++] as Out).amount;
    most = Math.max(most, sum);
    sum -= (entries[index] as Out).amount;
  }
  return most;
}

describe('a rate meter', () => {
  it('lets no minute whatever hold more than the limit, and wastes little of it', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 50 }),
        fc.array(fc.record({ gapMs: fc.nat(40_000), amount: fc.integer({ min: 1, max: 10 }) }), {
          minLength: 1,
          maxLength: 200,
        }),
        (room, calls) => {
          const limit = room + 10;
          const meter = new RateMeter();
          const out: Out[] = [];
          let now = 0;
          for (const { gapMs, amount } of calls) {
            now += gapMs % 7 === 0 ? gapMs : gapMs / 97;
            const at = meter.admissibleAt(amount, limit, now);
            const free = limit - sumSince(out, now - rateWindowMs);
            // Coarse entries may hold a call back, but never by more than a six-hundredth of the window.
            if (free >= amount) expect(at).toBeLessThanOrEqual(now + rateWindowMs / 600);
            now = Math.max(now, at);
            meter.take(amount, now);
            out.push({ at: now, amount });
          }
          expect(mostInAnyWindow(out)).toBeLessThanOrEqual(limit);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('gives the room of a burst back at once, a minute after it', () => {
    const meter = new RateMeter();
    for (let call = 0; call < 20; call++) meter.take(1, 5);
    expect(meter.admissibleAt(1, 20, 6)).toBe(5 + rateWindowMs);
    expect(meter.usedAt(5 + rateWindowMs)).toBe(0);
    expect(meter.admissibleAt(20, 20, 5 + rateWindowMs)).toBe(5 + rateWindowMs);
  });

  it('never has room for more than the limit', () => {
    expect(new RateMeter().admissibleAt(11, 10, 0)).toBe(Infinity);
    expect(new RateMeter().admissibleAt(1, Infinity, 3)).toBe(3);
  });

  it('counts what a call really used, in either direction, as long as it counts at all', () => {
    const meter = new RateMeter();
    const taken = meter.take(100, 0);
    meter.correct(taken, -60, 1_000);
    expect(meter.usedAt(1_000)).toBe(40);
    meter.correct(taken, 20, 2_000);
    expect(meter.usedAt(2_000)).toBe(60);
    meter.correct(taken, 500, rateWindowMs);
    expect(meter.usedAt(rateWindowMs)).toBe(0);
    meter.take(3, rateWindowMs + 1);
    expect(meter.usedAt(rateWindowMs + 1)).toBe(3);
  });

  it('keeps its memory bounded over a hundred thousand calls', () => {
    const meter = new RateMeter();
    for (let call = 0; call < 100_000; call++) meter.take(1, call * 10);
    const { entries } = meter as unknown as { entries: unknown[] };
    expect(entries.length).toBeLessThan(2_500);
    expect(meter.usedAt(1_000_000)).toBeGreaterThanOrEqual(5_900);
  });
});

function sumSince(entries: readonly Out[], since: number): number {
  let sum = 0;
  for (let index = entries.length - 1; index >= 0; index--) {
    const { at, amount } = entries[index] as Out;
    if (at <= since) break;
    sum += amount;
  }
  return sum;
}
