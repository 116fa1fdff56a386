import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LearntPace } from '../../src/policies/learnt-pace.ts';

/** One call that goes out, and is refused at once. */
function refuse(pace: LearntPace, now: number, waitMs: number): void {
  pace.went(now);
  pace.refused({ startedAt: now, waitMs, now });
}

describe('the pace of calls to a provider of which no rate is known', () => {
  it('is not slowed by refusals of calls that were under way together', () => {
    const pace = new LearntPace();
    for (const at of [0, 1, 2]) pace.went(at);
    for (const startedAt of [0, 1, 2]) pace.refused({ startedAt, waitMs: 1_000, now: 50 });
    expect(pace.nextAt(1_050)).toBe(1_050);
  });

  it('is not slowed by refusals that lie far apart', () => {
    const pace = new LearntPace();
    for (let at = 0; at < 100_000; at += 10_000) refuse(pace, at, 1_000);
    expect(pace.nextAt(101_000)).toBe(101_000);
  });

  it('is what went through, counting those that were under way, in the time that the provider wants for it', () => {
    const pace = new LearntPace();
    refuse(pace, 0, 1_000);
    for (const at of [1_000, 1_100, 1_200, 1_300, 1_400]) pace.went(at);
    for (const at of [1_000, 1_100, 1_200]) pace.passed(at);
    pace.refused({ startedAt: 1_400, waitMs: 1_500, now: 1_500 });
    expect(pace.nextAt(1_500)).toBeCloseTo(1_400 + 2_000 / 3);
    pace.passed(1_300);
    expect(pace.nextAt(1_500)).toBeCloseTo(1_400 + 2_000 / 4);
  });

  it('never holds a call for more than half a minute, and recovers while calls succeed', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            isRefused: fc.boolean(),
            waitMs: fc.integer({ min: 1, max: 5_000 }),
            idleMs: fc.nat(2_000),
          }),
          { maxLength: 60 },
        ),
        (steps) => {
          const pace = new LearntPace();
          let now = 0;
          const call = (isRefused: boolean, waitMs: number): void => {
            const at = pace.nextAt(now);
            expect(at - now).toBeLessThanOrEqual(30_000);
            now = at;
            pace.went(now);
            if (!isRefused) return pace.passed(now);
            pace.refused({ startedAt: now, waitMs, now });
            now += waitMs;
          };
          for (const { isRefused, waitMs, idleMs } of steps) {
            call(isRefused, waitMs);
            now += idleMs;
          }
          const quietFrom = now;
          while (pace.nextAt(now) > now) {
            call(false, 0);
            expect(now - quietFrom).toBeLessThan(300_000);
          }
        },
      ),
    );
  });
});
