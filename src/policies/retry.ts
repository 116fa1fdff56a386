import type { ErrorInfo } from '../core/errors.ts';
import type { Reason } from '../core/outcome.ts';
import type { Random } from '../core/random.ts';
import type { RetrySpec } from '../workflow/model.ts';
import type { RetryClass } from '../workflow/recovery.ts';
import { backoffDelayMs } from './backoff.ts';

/** Failures so far, the newest included, by class. */
export type FailureCounts = { readonly [Class in RetryClass]?: number };

/** What a retry decision depends on. Times are wall milliseconds. */
export interface RetryQuestion {
  readonly spec: RetrySpec;
  /** Number of the attempt that has just failed, from 1. */
  readonly attempt: number;
  readonly error: ErrorInfo;
  /** Default: every attempt so far has failed of this error's class. */
  readonly failures?: FailureCounts | undefined;
  /** The wait before the attempt that has just failed; default: there was none. */
  readonly previousDelayMs?: number | undefined;
  /** When the first attempt was dispatched. */
  readonly firstStartedAt: number;
  readonly now: number;
  readonly random: Random;
}

/** Another attempt after a delay, or the end of the task and its reason. */
export type RetryDecision =
  | { readonly retry: true; readonly delayMs: number }
  | { readonly retry: false; readonly reason: Reason };

const retryable: { readonly [Class in RetryClass]: boolean } = {
  transient: true,
  timeout: true,
  lost: true,
  rate_limited: true,
  permanent: false,
};

/** The class that limits count an error by; undefined: it was cancelled, and is never tried again. */
export function retryClassOf({ errorClass, retryAfterMs }: ErrorInfo): RetryClass | undefined {
  if (errorClass === 'cancelled') return undefined;
  return errorClass === 'transient' && retryAfterMs !== undefined ? 'rate_limited' : errorClass;
}

/**
 * Decides what follows a failed attempt. Permanent errors, unless the policy names them, and cancellations end the
 * task (`not_retryable`). Everything else is tried again while attempts are left and the next one would begin within
 * `budgetMs` of the first. A class with a limit of its own (`spec.on`) is counted apart from all others. What the
 * error says about waiting is honoured.
 */
export function decideRetry(question: RetryQuestion): RetryDecision {
  const { spec, error, random, previousDelayMs } = question;
  const known = retryClassOf(error);
  const own = known === undefined ? undefined : spec.on?.[known];
  if (known === undefined || !(retryable[known] || own !== undefined))
    return { retry: false, reason: 'not_retryable' };
  if (countOf(question, known) >= (own ?? spec.maxAttempts)) return exhausted(error);
  const wait = { failedAttempts: question.attempt, previousDelayMs };
  const delayMs = Math.max(backoffDelayMs(spec, wait, random), error.retryAfterMs ?? 0);
  return withinBudget(question, delayMs) ? { retry: true, delayMs } : exhausted(error);
}

/** Failures that count against the limit of a class. */
function countOf({ spec, attempt, failures }: RetryQuestion, failed: RetryClass): number {
  if (!spec.on || !failures) return attempt;
  if (spec.on[failed] !== undefined) return failures[failed] ?? 0;
  let others = 0;
  for (const [name, count] of Object.entries(failures))
    if (spec.on[name as RetryClass] === undefined) others += count;
  return others;
}

function withinBudget({ spec, now, firstStartedAt }: RetryQuestion, delayMs: number): boolean {
  if (spec.budgetMs === undefined) return true;
  return now + delayMs - firstStartedAt < spec.budgetMs;
}

function exhausted(error: ErrorInfo): RetryDecision {
  const reason = error.errorClass === 'timeout' ? 'attempt_timeout' : 'attempts_exhausted';
  return { retry: false, reason };
}
