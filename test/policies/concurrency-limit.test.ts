import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConcurrencyLimit } from '../../src/policies/concurrency-limit.ts';

describe('an adaptive limit of concurrency', () => {
  it('stays within its bounds and counts what is under way, whatever happens', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 0, max: 20 }),
        fc.array(fc.constantFrom('begin', 'ok', 'overloaded', 'other', 'slow'), { maxLength: 300 }),
        (min, more, steps) => {
          const limit = new ConcurrencyLimit({ min, max: min + more, slowAfterMs: 50 });
          const begun: number[] = [];
          for (const [index, step] of steps.entries()) {
            const now = index * 10;
            const startedAt = step === 'begin' ? undefined : begun.shift();
            if (step === 'begin') {
              limit.begin();
              begun.push(now);
            } else if (startedAt !== undefined) {
              const verdict = step === 'slow' ? 'ok' : step;
              limit.end(verdict, step === 'slow' ? now - 1_000 : startedAt, now);
            }
            expect(limit.inFlight).toBe(begun.length);
            expect(limit.limit).toBeGreaterThanOrEqual(min);
            expect(limit.limit).toBeLessThanOrEqual(min + more);
          }
        },
      ),
    );
  });

  it('is halved once for one overload, however many calls tell of it', () => {
    const limit = new ConcurrencyLimit({ initial: 16 });
    for (let call = 0; call < 16; call++) limit.begin();
    for (let call = 0; call < 16; call++) limit.end('overloaded', 0, 100);
    expect(limit.limit).toBe(8);
    limit.begin();
    limit.end('overloaded', 200, 300);
    expect(limit.limit).toBeLessThan(8);
  });

  it('grows by one for as many successes as it has places, and only while they are used', () => {
    const limit = new ConcurrencyLimit({ initial: 10 });
    for (let call = 0; call < 30; call++) {
      limit.begin();
      limit.end('ok', 0, 1);
    }
    expect(limit.limit).toBe(10);
    for (let call = 0; call < 10; call++) limit.begin();
    for (let call = 0; call < 11; call++) {
      limit.end('ok', 0, 1);
      limit.begin();
    }
    expect(limit.limit).toBe(11);
  });

  it('gives way to slowness where it is told what is slow', () => {
    const limit = new ConcurrencyLimit({ initial: 10, slowAfterMs: 100 });
    for (let call = 0; call < 10; call++) limit.begin();
    limit.end('ok', 0, 101);
    expect(limit.limit).toBe(9);
  });
});
