import type { Random } from '../core/random.ts';
import { backoffDelayMs } from './backoff.ts';
import type { RestartStrategy, RestartType, RestartSpec } from './restart-spec.ts';

/** What a supervisor remembers of its restarts. */
export interface RestartHistory {
  /** Times at which restarts fell due, ascending; older ones than a window are forgotten. */
  readonly times: readonly number[];
  /** Restarts since the last quiet time. */
  readonly streak: number;
  /** Restarts are over for good: the supervisor has escalated. */
  readonly escalated: boolean;
}

/** How a child ended. */
export type ChildEnd = 'done' | 'failed';

/** What a supervisor does about a child that has ended. */
export type RestartDecision =
  /** It is not started again. */
  | { readonly kind: 'leave' }
  /** It is, with all that the strategy names, at `at`. */
  | { readonly kind: 'restart'; readonly at: number; readonly history: RestartHistory }
  /** Too many restarts: the supervisor stops its children and tells its own, once. */
  | { readonly kind: 'escalate'; readonly history: RestartHistory }
  /** It has escalated before: nothing more is told or restarted. */
  | { readonly kind: 'ignore' };

/** The history of a supervisor that has restarted nothing. */
export const noRestarts: RestartHistory = { times: [], streak: 0, escalated: false };

/** What a restart decision depends on. Times are wall milliseconds. */
export interface RestartQuestion {
  readonly spec: RestartSpec;
  readonly type: RestartType;
  readonly end: ChildEnd;
  readonly history: RestartHistory;
  readonly now: number;
  readonly random: Random;
}

/**
 * Decides what follows the end of a child. No window of `withinMs`, wherever it begins, ever holds more than
 * `maxRestarts` restarts, those that wait for their backoff included; what would be one more is the
 * escalation, of which there is one in the life of a supervisor.
 */
export function decideRestart(question: RestartQuestion): RestartDecision {
  const { spec, type, end, history, now, random } = question;
  if (history.escalated) return { kind: 'ignore' };
  if (!isRestarted(type, end)) return { kind: 'leave' };
  const last = history.times.at(-1) ?? -Infinity;
  const streak = now - last >= spec.quietMs ? 1 : history.streak + 1;
  const at = now + waitMs(spec, streak, random);
  // A window may reach back from this restart as well as forward to those that already wait.
  const times = history.times.filter((time) => time > Math.min(now, at) - spec.withinMs);
  const next = [...times, at].toSorted((a, b) => a - b);
  if (mostWithin(next, spec.withinMs) > spec.maxRestarts)
    return { kind: 'escalate', history: { ...history, escalated: true } };
  return { kind: 'restart', at, history: { times: next, streak, escalated: false } };
}

/** Whether a child of this type is started again after such an end. */
export function isRestarted(type: RestartType, end: ChildEnd): boolean {
  return type === 'permanent' || (type === 'transient' && end === 'failed');
}

/**
 * Who is stopped, and started again, with the child that has died: a part of `order`, in that order. The
 * dead one is always in it.
 * @param order the children in the order of their start.
 */
export function restartSet(
  strategy: RestartStrategy,
  order: readonly string[],
  died: string,
): readonly string[] {
  const place = order.indexOf(died);
  switch (strategy) {
    case 'one_for_one':
      return [died];
    case 'one_for_all':
      return order;
    case 'rest_for_one':
      return place < 0 ? [died] : order.slice(place);
  }
}

function waitMs(spec: RestartSpec, streak: number, random: Random): number {
  const { initialMs: first, maxMs: most, jitter } = spec;
  const backoff = { backoff: 'exponential', initialMs: first, maxMs: most, jitter } as const;
  return backoffDelayMs({ ...backoff, maxAttempts: Infinity, budgetMs: undefined }, streak, random);
}

/** The most of ascending times that lie in one half-open window of that length. */
function mostWithin(times: readonly number[], windowMs: number): number {
  let first = 0;
  return times.reduce((most, time, index) => {
    while ((times[first] ?? time) <= time - windowMs) first++;
    return Math.max(most, index - first + 1);
  }, 0);
}
