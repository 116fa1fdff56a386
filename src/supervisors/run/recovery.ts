import type { AbortReason } from '../../actors/worker.ts';
import type { ErrorInfo } from '../../core/errors.ts';
import type { Reason } from '../../core/outcome.ts';
import { seededRandom, seedOf } from '../../core/random.ts';
import type { RecordBody } from '../../journal/record.ts';
import type { TaskRow } from '../../journal/run-state.ts';
import { backoffDelayMs } from '../../policies/backoff.ts';
import { decideRetry, retryClassOf } from '../../policies/retry.ts';
import type { FailureCounts } from '../../policies/retry.ts';
import type { TaskSpec } from '../../workflow/model.ts';
import { agentOf } from './assignment.ts';
import { budgetError } from './budget.ts';
import type { RunCore } from './core.ts';
import { showRung } from './escalations.ts';
import { isNonCritical, tripBreakers } from './group-standing.ts';
import { abortBeside, beginAgain, restartGroup } from './group-restarts.ts';
import { isQuarantined } from './quarantine.ts';
import { climbed, isSameAgain } from './ladder.ts';
import type { Climbed, Climber } from './ladder.ts';
import { park, retryAt } from './second-try.ts';
import type { SecondTry, Tried } from './second-try.ts';
import { stopAttempt } from './stop-attempt.ts';
import { endTask, hasEnded, succeedTask } from './task-end.ts';
import { leave } from './verdict.ts';

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

/** An attempt is over without success: another one follows, somebody is asked, or the task ends. */
export function attemptFailed(core: RunCore, row: Tried, failure: Failure): void {
  if (endsByAbort(core, row, failure)) return;
  const { error } = failure;
  const final = failure.reason ?? finalReason(core, row.id, error);
  if (final !== undefined) return giveUp(core, row, { ...failure, lastReason: final });
  if (core.book.task(row.id).escalation && retryClassOf(error)) return escalate(core, row, failure);
  const decision = retryDecision(core, row, { error });
  if (!decision.retry) return exhausted(core, row, { ...failure, reason: decision.reason });
  if (core.halted) return giveUp(core, row, { ...failure, lastReason: 'run_ending' });
  tryWithGroup(core, row, { error, at: core.services.clock.now() + decision.delayMs });
}

/** The task is tried again, with those of its group that begin again with it, unless the group has had enough. */
function tryWithGroup(core: RunCore, row: Tried, next: SecondTry): void {
  const { error, at, records = [] } = next;
  const group = restartGroup(core, row, at);
  if (!group)
    return exhausted(core, row, { error, aborted: undefined, reason: 'restarts_exhausted' });
  retryAt(core, row, { ...next, records: [...records, ...group.records] });
  abortBeside(core, group);
}

/** What an attempt was asked to end for decides alone. */
function endsByAbort(core: RunCore, row: Tried, { error, aborted }: Failure): boolean {
  const { id } = row;
  if (aborted === 'barrier_fallback') retryAt(core, row, { error, at: core.services.clock.now() });
  else if (aborted === 'group_restarted' && !hasEnded(core, id)) beginAgain(core, row);
  else if (aborted === 'cancelled')
    endTask(core, id, { outcome: 'cancelled', reason: 'cancelled_by_user', error });
  else if (aborted === 'deadline')
    endTask(core, id, { outcome: 'timed_out', reason: 'deadline_exceeded', error });
  else return false;
  return true;
}

/** The time of the rung that a task is on is over; what still runs of it is asked to end. */
export function rungExpired(core: RunCore, id: string): void {
  const row = core.ledger.state.tasks.get(id);
  if (!row?.error || !isOverdue(core, row)) return;
  const live = core.live.get(id);
  core.hedges?.end(id, 'timeout');
  if (stopAttempt(core, id, 'timeout')) return;
  // What has been decided, and is not durable yet, comes first.
  if (live?.undecided) {
    live.isRungOver = true;
    return;
  }
  core.services.governor.send({ type: 'permit.withdraw', scope: core.run, id });
  core.plan?.left(id, core.services.clock.now());
  const failure: Failure = { error: row.error, aborted: undefined };
  carryOn(core, row, { failure, hasFailed: false });
}

function isOverdue(core: RunCore, { phase, recovery }: TaskRow): boolean {
  if (core.halted || phase === 'ended' || phase === 'completed' || !recovery?.escalation)
    return false;
  // The run is paused for it: its ladder is behind it.
  if (recovery.parked === 'exhausted') return false;
  const { deadline = Infinity } = recovery.escalation.opened;
  return deadline <= core.services.clock.now();
}

function escalate(core: RunCore, row: Tried, failure: Failure): void {
  if (core.halted) return giveUp(core, row, { ...failure, lastReason: 'run_ending' });
  carryOn(core, row, { failure, hasFailed: true });
}

interface Fall {
  readonly failure: Failure;
  /** False: no attempt has failed now. */
  readonly hasFailed: boolean;
}

function carryOn(core: RunCore, row: Tried, fall: Fall): void {
  const task = core.book.task(row.id);
  const climber = climberOf(core, row, { ...fall, task });
  const result = climbed(core, climber);
  if (!result.rung) return conclude(core, row, { ...fall, result });
  if (result.rung.kind === 'person') {
    const { records } = result;
    const { error } = climber;
    return park(core, row, {
      records,
      error,
      reason: 'question',
      onDurable: () => showRung(core, row.id),
    });
  }
  const output = result.rung.degrade?.default;
  if (output !== undefined) {
    return succeedTask(core, row.id, {
      output,
      records: result.records,
      onDurable: () => leave(core, row.id, 'succeeded'),
    });
  }
  tryAgain(core, row, { ...fall, result });
}

function climberOf(
  core: RunCore,
  row: Tried,
  { failure, hasFailed, task }: Fall & { readonly task: TaskSpec },
): Climber {
  const { error } = failure;
  const ladder = task.escalation ?? [];
  const attempts = ladder[0]?.kind === 'retry' ? ladder[0].attempts : undefined;
  const decision = retryDecision(core, row, { error, attempts, hasFailed });
  const failed = decision.retry || decision.reason !== 'not_retryable';
  const retryEnd = failed ? 'attempts' : 'not_retryable';
  return {
    task,
    ladder,
    attempt: row.attempt,
    hasFailed,
    error,
    retryEnd: decision.retry ? undefined : retryEnd,
  };
}

function tryAgain(
  core: RunCore,
  row: Tried,
  { failure, hasFailed, result }: Fall & { readonly result: Climbed },
): void {
  const { records, next } = result;
  const { error } = failure;
  const now = core.services.clock.now();
  if (hasFailed) {
    const at = now + delayMs(core, row, { error, result });
    const onDurable = (): void => showRung(core, row.id);
    return tryWithGroup(core, row, { error, at, records, next, onDurable });
  }
  core.ledger.commit(records, () => {
    const live = core.live.get(row.id);
    live?.retryTimer?.cancel();
    if (live) live.retryTimer = undefined;
    showRung(core, row.id);
    core.agenda.ready.push(row.id);
  });
}

/** The same agent is given time; another one, or one with another model, begins at once. */
function delayMs(
  core: RunCore,
  row: Tried,
  { error, result }: { readonly error: ErrorInfo; readonly result: Climbed },
): number {
  const task = core.book.task(row.id);
  const { rung, step, next } = result;
  if (rung?.kind === 'retry' && step.kind !== 'end' && step.index === 0) {
    const decision = retryDecision(core, row, { error, attempts: rung.attempts });
    if (decision.retry) return decision.delayMs;
  }
  if (!isSameAgain(core, task, next)) return 0;
  const random = backoffRandom(core, row);
  const backoffMs = backoffDelayMs(task.retry, row.attempt - row.attemptBase, random);
  return Math.max(backoffMs, error.retryAfterMs ?? 0);
}

function conclude(
  core: RunCore,
  row: Tried,
  { failure, result }: Fall & { readonly result: Climbed },
): void {
  const { records, step } = result;
  const { error } = failure;
  const how = step.kind === 'end' ? step.how : 'exhausted';
  const task = core.book.task(row.id);
  const reason = lastReason(core, row, { error, isFirst: result.isFirst });
  if (how === 'exhausted') return exhausted(core, row, { ...failure, reason, records });
  if (how === 'skip') {
    const end = { outcome: 'skipped', reason: 'skipped_after_failure', error } as const;
    return endTask(core, row.id, { ...end, records });
  }
  const isDefault = how === 'use_default' && task.default !== undefined;
  const last = isDefault ? 'default_used' : 'escalation_expired';
  giveUp(core, row, { ...failure, lastReason: last, records });
}

/** A failure that nothing is left against. */
interface Ending extends Failure {
  /** What goes before the end. */
  readonly records?: readonly RecordBody[];
}

/** Nothing is left to try: the run is paused where the document says so, else the task fails. */
function exhausted(core: RunCore, row: Tried, ending: Ending): void {
  const { error, reason, lastReason: last = reason, records } = ending;
  const task = core.book.task(row.id);
  // Nobody waits for a part of a task that has ended.
  const whole = core.book.member(row.id)?.parent;
  const isLeft = whole !== undefined && hasEnded(core, whole.id);
  if (task.onExhausted !== 'pause' || core.halted || isLeft || isNonCritical(core, task))
    return giveUp(core, row, { ...ending, ...(last && { lastReason: last }) });
  const pause: RecordBody = { type: 'run.paused', by: 'policy', task: row.id };
  park(core, row, { ...(records && { records }), after: [pause], error, reason: 'exhausted' });
}

function giveUp(core: RunCore, row: Tried, ending: Ending): void {
  const { error, lastReason: reason = 'attempts_exhausted', records = [] } = ending;
  const outcome = error.errorClass === 'timeout' ? 'timed_out' : 'failed';
  // An attempt that waited for a lock in vain was never dispatched.
  const known = core.ledger.state.tasks.get(row.id)?.attempt ?? 0;
  const attempt = row.attempt > known ? row.attempt : undefined;
  endTask(core, row.id, { outcome, reason, error, attempt, records });
  tripBreakers(core, core.book.task(row.id));
}

/** Why it is not tried again, whatever its policy says. */
function finalReason(core: RunCore, id: string, error: ErrorInfo): Reason | undefined {
  if (isQuarantined(core, id, error)) return 'quarantined';
  return isUnpaid(core, id, error) ? 'budget_exhausted' : undefined;
}

/** Whether nothing is left to try it again with, or it has failed for that. */
function isUnpaid(core: RunCore, id: string, { code }: ErrorInfo): boolean {
  if (code === 'TRP_BUDGET_EXHAUSTED') return true;
  return budgetError(core, agentOf(core, core.book.task(id)).id) !== undefined;
}

/** Where nobody but its own agent could have been tried, the reason is that of the retries. */
function lastReason(
  core: RunCore,
  row: Tried,
  { error, isFirst }: { readonly error: ErrorInfo; readonly isFirst: boolean },
): Reason {
  const decision = isFirst ? retryDecision(core, row, { error }) : undefined;
  if (decision && !decision.retry) return decision.reason;
  return error.errorClass === 'timeout' ? 'attempt_timeout' : 'attempts_exhausted';
}

function retryDecision(
  core: RunCore,
  row: Tried,
  {
    error,
    attempts,
    hasFailed = true,
  }: {
    readonly error: ErrorInfo;
    readonly attempts?: number | undefined;
    readonly hasFailed?: boolean;
  },
): ReturnType<typeof decideRetry> {
  const { retry } = core.book.task(row.id);
  const { recovery } = core.ledger.state.tasks.get(row.id) ?? {};
  const now = core.services.clock.now();
  return decideRetry({
    spec: attempts === undefined ? retry : { ...retry, maxAttempts: attempts },
    attempt: row.attempt - row.attemptBase,
    error,
    failures: retry.on && counted(recovery?.failures, hasFailed ? error : undefined),
    previousDelayMs: recovery?.delayMs || undefined,
    firstStartedAt: row.roundStartedAt ?? now,
    now,
    random: backoffRandom(core, row),
  });
}

function backoffRandom({ ledger }: RunCore, { id, attempt }: Tried) {
  return seededRandom(seedOf(ledger.state.seed, id, attempt, 'backoff'));
}

/** The failure that is being decided on is not in the journal yet. */
function counted(failures: FailureCounts = {}, error: ErrorInfo | undefined): FailureCounts {
  const failed = error && retryClassOf(error);
  return failed ? { ...failures, [failed]: (failures[failed] ?? 0) + 1 } : failures;
}
