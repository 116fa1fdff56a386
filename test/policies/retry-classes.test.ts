import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/core/random.ts';
import type { ErrorInfo } from '../../src/core/errors.ts';
import { backoffDelayMs } from '../../src/policies/backoff.ts';
import { decideRetry, retryClassOf } from '../../src/policies/retry.ts';
import type { RetrySpec } from '../../src/workflow/model.ts';

const spec: RetrySpec = {
  maxAttempts: 3,
  backoff: 'decorrelated',
  initialMs: 100,
  maxMs: 2_000,
  jitter: 0.5,
  budgetMs: undefined,
};

function error(parts: Partial<ErrorInfo>): ErrorInfo {
  return { code: 'TRP_ATTEMPT_FAILED', message: 'no', errorClass: 'transient', ...parts };
}

function decide(failed: ErrorInfo, failures: object, on: RetrySpec['on']): boolean {
  return decideRetry({
    spec: { ...spec, on },
    attempt: 9,
    error: failed,
    failures,
    firstStartedAt: 0,
    now: 0,
    random: seededRandom(1),
  }).retry;
}

describe('attempts by class', () => {
  it('counts a class that has a limit of its own apart from all others', () => {
    const on = { timeout: 1, rate_limited: 5 };
    expect(decide(error({ errorClass: 'timeout' }), { timeout: 1 }, on)).toBe(false);
    expect(decide(error({ retryAfterMs: 10 }), { rate_limited: 4, transient: 2 }, on)).toBe(true);
    expect(decide(error({ retryAfterMs: 10 }), { rate_limited: 5 }, on)).toBe(false);
    expect(decide(error({}), { transient: 1, lost: 1, rate_limited: 4, timeout: 0 }, on)).toBe(
      true,
    );
    expect(decide(error({ errorClass: 'lost' }), { transient: 2, lost: 1 }, on)).toBe(false);
  });

  it('tries a permanent failure again only where the policy names it', () => {
    const permanent = error({ errorClass: 'permanent' });
    expect(decide(permanent, { permanent: 1 }, undefined)).toBe(false);
    expect(decide(permanent, { permanent: 1 }, { permanent: 2 })).toBe(true);
    expect(decide(permanent, { permanent: 2 }, { permanent: 2 })).toBe(false);
  });

  it('knows a refusal by the time that it asks for, and never tries again what was cancelled', () => {
    expect(retryClassOf(error({ retryAfterMs: 0 }))).toBe('rate_limited');
    expect(retryClassOf(error({ errorClass: 'cancelled' }))).toBeUndefined();
    expect(decide(error({ errorClass: 'cancelled' }), {}, { transient: 5 })).toBe(false);
  });
});

describe('decorrelated waits', () => {
  it('lie between the first wait and three times the last one, and never above the longest', () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 5_000 }), (seed, previousDelayMs) => {
        const state = { failedAttempts: 2, previousDelayMs };
        const delayMs = backoffDelayMs(spec, state, seededRandom(seed));
        expect(delayMs).toBeGreaterThanOrEqual(Math.min(spec.initialMs, spec.maxMs));
        expect(delayMs).toBeLessThanOrEqual(
          Math.min(spec.maxMs, Math.max(spec.initialMs, 3 * previousDelayMs)),
        );
      }),
    );
  });
});
