import fc from 'fast-check';
import { expect, test } from 'vitest';
import { seededRandom } from '../../src/core/random.ts';
import { backoffDelayMs } from '../../src/policies/backoff.ts';
import type { RetrySpec } from '../../src/workflow/model.ts';

const plain: RetrySpec = {
  maxAttempts: 9,
  backoff: 'exponential',
  initialMs: 500,
  maxMs: 60_000,
  jitter: 0,
  budgetMs: undefined,
};
const half = (): number => 0.5;

test.each([
  ['none', [0, 0, 0, 0]],
  ['fixed', [500, 500, 500, 500]],
  ['linear', [500, 1000, 1500, 2000]],
  ['exponential', [500, 1000, 2000, 4000]],
] as const)('%s backoff', (backoff, delays) => {
  expect(
    [1, 2, 3, 4].map((failures) => backoffDelayMs({ ...plain, backoff }, failures, half)),
  ).toEqual(delays);
});

test('the delay is capped, however many attempts have failed', () => {
  for (const failures of [8, 60, 5000]) expect(backoffDelayMs(plain, failures, half)).toBe(60_000);
});

test('no first delay means no delay, also after thousands of failures', () => {
  expect(backoffDelayMs({ ...plain, initialMs: 0 }, 5000, half)).toBe(0);
});

test('jitter makes its share of the delay random', () => {
  const spec = { ...plain, jitter: 0.5 };
  expect(backoffDelayMs(spec, 2, () => 0)).toBe(500);
  expect(backoffDelayMs(spec, 2, half)).toBe(750);
  expect(backoffDelayMs(spec, 2, () => 0.999_999)).toBe(1000);
});

const specs = fc.record({
  maxAttempts: fc.constant(3),
  backoff: fc.constantFrom(
    'none' as const,
    'fixed' as const,
    'linear' as const,
    'exponential' as const,
  ),
  initialMs: fc.nat(100_000),
  maxMs: fc.nat(100_000),
  jitter: fc.double({ min: 0, max: 1, noNaN: true }),
  budgetMs: fc.constant(undefined),
});

test('a delay is a whole number between its fixed share and the cap, and follows from its seed', () => {
  fc.assert(
    fc.property(specs, fc.integer({ min: 1, max: 100 }), fc.nat(), (spec, failures, seed) => {
      const delayMs = backoffDelayMs(spec, failures, seededRandom(seed));
      const fullMs = backoffDelayMs({ ...spec, jitter: 0 }, failures, half);
      expect(Number.isInteger(delayMs)).toBe(true);
      expect(delayMs).toBeLessThanOrEqual(Math.min(fullMs, spec.maxMs));
      expect(delayMs).toBeGreaterThanOrEqual(Math.floor(fullMs * (1 - spec.jitter)));
      expect(backoffDelayMs(spec, failures, seededRandom(seed))).toBe(delayMs);
    }),
  );
});

test('without jitter, delays never fall from one failure to the next', () => {
  fc.assert(
    fc.property(specs, fc.integer({ min: 1, max: 100 }), (spec, failures) => {
      const steady = { ...spec, jitter: 0 };
      expect(backoffDelayMs(steady, failures + 1, half)).toBeGreaterThanOrEqual(
        backoffDelayMs(steady, failures, half),
      );
    }),
  );
});
