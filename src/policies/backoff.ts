import type { Random } from '../core/random.ts';
import type { RetrySpec } from '../workflow/model.ts';

/** Doublings after which every delay is at its cap anyway; keeps the power finite. */
const maxDoublings = 60;

/** What the next wait depends on. */
export interface BackoffState {
  /** Attempts that have failed so far, 1 or more. */
  readonly failedAttempts: number;
  /** The last wait in milliseconds; undefined: there was none. For `decorrelated`. */
  readonly previousDelayMs?: number | undefined;
}

/**
 * Whole milliseconds to wait before the next attempt.
 * The delay is constant, grows by `initialMs` or doubles with every failure, and is capped at `maxMs`.
 * Of the capped delay the share `spec.jitter` is random, so that failures that came together do not
 * come back together; the delay is never above the cap and never below its fixed share.
 * `decorrelated` draws between `initialMs` and three times the last wait instead ("Exponential Backoff And Jitter",
 * AWS Architecture Blog, 2015), and takes no further jitter.
 * @param state a number is `failedAttempts`
 */
export function backoffDelayMs(
  spec: RetrySpec,
  state: BackoffState | number,
  random: Random,
): number {
  const { failedAttempts, previousDelayMs }: BackoffState =
    typeof state === 'number' ? { failedAttempts: state } : state;
  if (spec.backoff === 'decorrelated') return decorrelatedDelayMs(spec, previousDelayMs, random);
  const cappedMs = Math.max(0, Math.min(spec.maxMs, plainDelayMs(spec, failedAttempts)));
  const jitter = Math.min(1, Math.max(0, spec.jitter));
  return Math.round(cappedMs * (1 - jitter) + cappedMs * jitter * random());
}

function decorrelatedDelayMs(
  { initialMs, maxMs }: RetrySpec,
  previousDelayMs: number | undefined,
  random: Random,
): number {
  const highestMs = Math.max(initialMs, 3 * (previousDelayMs ?? initialMs));
  const drawnMs = initialMs + (highestMs - initialMs) * random();
  return Math.round(Math.max(0, Math.min(maxMs, drawnMs)));
}

function plainDelayMs(spec: RetrySpec, failedAttempts: number): number {
  const failures = Math.max(1, failedAttempts);
  switch (spec.backoff) {
    case 'none':
    case 'decorrelated':
      return 0;
    case 'fixed':
      return spec.initialMs;
    case 'linear':
      return spec.initialMs * failures;
    case 'exponential':
      return spec.initialMs * 2 ** Math.min(failures - 1, maxDoublings);
  }
}
