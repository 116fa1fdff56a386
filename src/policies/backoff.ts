import type { Random } from '../core/random.ts';
import type { RetrySpec } from '../workflow/model.ts';

/** Doublings after which every delay is at its cap anyway; keeps the power finite. */
const maxDoublings = 60;

/**
 * Whole milliseconds to wait before the next attempt.
 * The delay is constant, grows by `initialMs` or doubles with every failure, and is capped at `maxMs`.
 * Of the capped delay the share `spec.jitter` is random, so that failures that came together do not
 * come back together; the delay is never above the cap and never below its fixed share.
 * @param failedAttempts attempts that have failed so far, 1 or more.
 */
export function backoffDelayMs(spec: RetrySpec, failedAttempts: number, random: Random): number {
  const cappedMs = Math.max(0, Math.min(spec.maxMs, plainDelayMs(spec, failedAttempts)));
  const jitter = Math.min(1, Math.max(0, spec.jitter));
  return Math.round(cappedMs * (1 - jitter) + cappedMs * jitter * random());
}

function plainDelayMs(spec: RetrySpec, failedAttempts: number): number {
  const failures = Math.max(1, failedAttempts);
  switch (spec.backoff) {
    case 'none':
      return 0;
    case 'fixed':
      return spec.initialMs;
    case 'linear':
      return spec.initialMs * failures;
    case 'exponential':
      return spec.initialMs * 2 ** Math.min(failures - 1, maxDoublings);
  }
}
