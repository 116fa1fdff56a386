import type { ErrorClass, ErrorInfo } from '../core/errors.ts';
import type { Reason } from '../core/outcome.ts';
import type { Random } from '../core/random.ts';
import type { RetrySpec } from '../workflow/model.ts';
import { backoffDelayMs } from './backoff.ts';

/** What a retry decision depends on. Times are wall milliseconds. */
export interface RetryQuestion {
  readonly spec: RetrySpec;
  /** Number of the attempt that has just failed, from 1. */
  readonly attempt: number;
  readonly error: ErrorInfo;
  /** When the first attempt was dispatched. */
  readonly firstStartedAt: number;
  readonly now: number;
  readonly random: Random;
}

/** Another attempt after a delay, or the end of the task and its reason. */
export type RetryDecision =
  | { readonly retry: true; readonly delayMs: number }
  | { readonly retry: false; readonly reason: Reason };

const retryable: Readonly<Record<ErrorClass, boolean>> = {
  transient: true,
  timeout: true,
  lost: true,
  permanent: false,
  cancelled: false,
};

/**
 * Decides what follows a failed attempt. Permanent errors and cancellations end the task
 * (`not_retryable`). Transient errors, timeouts and lost attempts are tried again while attempts are left
 * and the next one would begin within `budgetMs` of the first. What the error says about waiting is honoured.
 */
export function decideRetry(question: RetryQuestion): RetryDecision {
  const { spec, attempt, error, random } = question;
  if (!retryable[error.errorClass]) return { retry: false, reason: 'not_retryable' };
  if (attempt >= spec.maxAttempts) return exhausted(error);
  const delayMs = Math.max(backoffDelayMs(spec, attempt, random), error.retryAfterMs ?? 0);
  return withinBudget(question, delayMs) ? { retry: true, delayMs } : exhausted(error);
}

function withinBudget({ spec, now, firstStartedAt }: RetryQuestion, delayMs: number): boolean {
  if (spec.budgetMs === undefined) return true;
  return now + delayMs - firstStartedAt < spec.budgetMs;
}

function exhausted(error: ErrorInfo): RetryDecision {
  const reason = error.errorClass === 'timeout' ? 'attempt_timeout' : 'attempts_exhausted';
  return { retry: false, reason };
}
