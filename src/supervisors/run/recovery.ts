import type { AbortReason } from '../../actors/worker.ts';
import type { ErrorInfo } from '../../core/errors.ts';
import type { Reason } from '../../core/outcome.ts';
import { seededRandom, seedOf } from '../../core/random.ts';
import type { TaskRow } from '../../journal/run-state.ts';
import { decideRetry } from '../../policies/retry.ts';
import { budgetError } from './budget.ts';
import type { RunCore } from './core.ts';
import { endTask, hasEnded } from './task-end.ts';

/** What follows from an attempt that did not succeed: the one place where that is decided. */

/** How an attempt failed. */
export interface Failure {
  readonly error: ErrorInfo;
  readonly aborted: AbortReason | undefined;
  /** The task ends with it; no further attempt. */
  readonly reason?: Reason;
  /** The task ends with it when no attempt is left. */
  readonly lastReason?: Reason;
}

/** An attempt, dispatched or not. */
type Tried = Pick<TaskRow, 'id' | 'attempt' | 'attemptBase' | 'roundStartedAt'>;

/** An attempt is over that was never dispatched; it counts like any other. */
export function attemptNotBegun(
  core: RunCore,
  id: string,
  failure: Pick<Failure, 'error' | 'lastReason'>,
): void {
  const { attempt = 0, attemptBase = 0, roundStartedAt } = core.ledger.state.tasks.get(id) ?? {};
  const tried = { id, attempt: attempt + 1, attemptBase, roundStartedAt };
  attemptFailed(core, tried, { ...failure, aborted: undefined });
}

/** An attempt is over without success: another one follows, or the task ends. */
export function attemptFailed(core: RunCore, row: Tried, failure: Failure): void {
  const { id } = row;
  const { error, aborted } = failure;
  if (aborted === 'barrier_fallback')
    return retryAt(core, row, { error, at: core.services.clock.now() });
  if (aborted === 'cancelled') {
    return endTask(core, id, { outcome: 'cancelled', reason: 'cancelled_by_user', error });
  }
  if (aborted === 'deadline')
    return endTask(core, id, { outcome: 'timed_out', reason: 'deadline_exceeded', error });
  const decision = failureDecision(core, row, failure);
  if (decision.retry && !core.halted) {
    return retryAt(core, row, { error, at: core.services.clock.now() + decision.delayMs });
  }
  const outcome = error.errorClass === 'timeout' ? 'timed_out' : 'failed';
  const last = decision.retry ? 'run_ending' : (failure.lastReason ?? decision.reason);
  const attempt = failure.lastReason ? row.attempt : undefined;
  endTask(core, id, { outcome, reason: last, error, attempt });
}

function failureDecision(
  core: RunCore,
  row: Tried,
  { error, reason }: Failure,
): ReturnType<typeof decideRetry> {
  if (reason) return { retry: false, reason };
  if (isUnpaid(core, row.id, error)) return { retry: false, reason: 'budget_exhausted' };
  return retryDecision(core, row, error);
}

/** Whether nothing is left to try it again with, or it has failed for that. */
function isUnpaid(core: RunCore, id: string, { code }: ErrorInfo): boolean {
  return (
    code === 'TRP_BUDGET_EXHAUSTED' || budgetError(core, core.book.task(id).agent) !== undefined
  );
}

function retryDecision(
  core: RunCore,
  row: Tried,
  error: ErrorInfo,
): ReturnType<typeof decideRetry> {
  const { state } = core.ledger;
  const attempt = row.attempt - row.attemptBase;
  return decideRetry({
    spec: core.book.task(row.id).retry,
    attempt,
    error,
    firstStartedAt: row.roundStartedAt ?? core.services.clock.now(),
    now: core.services.clock.now(),
    random: seededRandom(seedOf(state.seed, row.id, row.attempt, 'backoff')),
  });
}

function retryAt(
  core: RunCore,
  { id, attempt }: Tried,
  retry: { error: ErrorInfo; at: number },
): void {
  const { error, at } = retry;
  const own = core.live.get(id);
  if (own) own.undecided = true;
  core.ledger.commit([{ type: 'attempt.failed', task: id, attempt, error, retryAt: at }], () => {
    const live = core.live.get(id);
    if (!live || hasEnded(core, id)) return;
    live.undecided = false;
    live.worker?.send({ type: 'verdict.retry' });
    const due = live.hurry ? core.services.clock.now() : at;
    live.hurry = false;
    live.retryTimer = core.services.deadlines.at(due, () =>
      core.self.send({ type: 'retry.due', task: id }),
    );
  });
}
