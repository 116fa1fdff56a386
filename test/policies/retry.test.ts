import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ErrorClass, ErrorInfo } from '../../src/core/errors.ts';
import { seededRandom } from '../../src/core/random.ts';
import { decideRetry, type RetryQuestion } from '../../src/policies/retry.ts';
import type { RetrySpec } from '../../src/workflow/model.ts';

const spec: RetrySpec = {
  maxAttempts: 3,
  backoff: 'fixed',
  initialMs: 100,
  maxMs: 1000,
  jitter: 0,
  budgetMs: undefined,
};

function failed(errorClass: ErrorClass): ErrorInfo {
  return { code: 'TRP_ATTEMPT_FAILED', message: 'it broke', errorClass };
}

function question(more: Partial<RetryQuestion>): RetryQuestion {
  return {
    spec,
    attempt: 1,
    error: failed('transient'),
    firstStartedAt: 0,
    now: 0,
    random: () => 0,
    ...more,
  };
}

test.each<[ErrorClass, ReturnType<typeof decideRetry>]>([
  ['transient', { retry: true, delayMs: 100 }],
  ['timeout', { retry: true, delayMs: 100 }],
  ['lost', { retry: true, delayMs: 100 }],
  ['permanent', { retry: false, reason: 'not_retryable' }],
  ['cancelled', { retry: false, reason: 'not_retryable' }],
])('after a first %s error', (errorClass, decision) => {
  expect(decideRetry(question({ error: failed(errorClass) }))).toEqual(decision);
});

test.each<[ErrorClass, string]>([
  ['transient', 'attempts_exhausted'],
  ['lost', 'attempts_exhausted'],
  ['timeout', 'attempt_timeout'],
  ['permanent', 'not_retryable'],
])('after the last attempt, a %s error ends the task as %s', (errorClass, reason) => {
  expect(decideRetry(question({ attempt: 3, error: failed(errorClass) }))).toEqual({
    retry: false,
    reason,
  });
});

test('an attempt that would begin when the budget is spent is not made', () => {
  const budgeted = { ...spec, budgetMs: 1000 };
  expect(decideRetry(question({ spec: budgeted, firstStartedAt: 5000, now: 5899 }))).toEqual({
    retry: true,
    delayMs: 100,
  });
  expect(decideRetry(question({ spec: budgeted, firstStartedAt: 5000, now: 5900 }))).toEqual({
    retry: false,
    reason: 'attempts_exhausted',
  });
  const timedOut = question({
    spec: budgeted,
    firstStartedAt: 5000,
    now: 5900,
    error: failed('timeout'),
  });
  expect(decideRetry(timedOut)).toEqual({ retry: false, reason: 'attempt_timeout' });
});

test('the delay grows with the attempts that have failed', () => {
  const growing = { ...spec, backoff: 'exponential' as const };
  expect(decideRetry(question({ spec: growing, attempt: 2 }))).toEqual({
    retry: true,
    delayMs: 200,
  });
});

test('however it fails, a task makes at most its attempts and begins none after its budget', () => {
  const limits = fc.record({
    maxAttempts: fc.integer({ min: 1, max: 8 }),
    budgetMs: fc.option(fc.nat(5000), { nil: undefined }),
    jitter: fc.double({ min: 0, max: 1, noNaN: true }),
  });
  const attempts = fc.array(
    fc.record({
      tookMs: fc.nat(900),
      errorClass: fc.constantFrom<ErrorClass>('transient', 'timeout', 'lost'),
    }),
    { minLength: 10, maxLength: 10 },
  );
  fc.assert(
    fc.property(limits, attempts, fc.nat(), (limit, failures, seed) => {
      const random = seededRandom(seed);
      const bounded: RetrySpec = { ...spec, ...limit, backoff: 'exponential' };
      const firstStartedAt = 1_000_000;
      let now = firstStartedAt;
      for (const [index, { tookMs, errorClass }] of failures.entries()) {
        expect(index).toBeLessThan(bounded.maxAttempts);
        now += tookMs;
        const decision = decideRetry({
          spec: bounded,
          attempt: index + 1,
          error: failed(errorClass),
          firstStartedAt,
          now,
          random,
        });
        if (!decision.retry) return;
        now += decision.delayMs;
        expect(now - firstStartedAt).toBeLessThan(bounded.budgetMs ?? Infinity);
      }
    }),
  );
});
