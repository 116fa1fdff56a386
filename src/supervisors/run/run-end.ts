import type { Reason, RunOutcome } from '../../core/outcome.ts';
import type { Plain } from '../../core/plain.ts';
import type { TaskRow } from '../../journal/run-state.ts';
import type { RunEnded } from '../../journal/record.ts';
import { resolveTemplate } from '../../workflow/template.ts';
import type { TaskSpec, Workflow } from '../../workflow/model.ts';
import { endMonitoring } from './monitoring.ts';
import { endAdaptation } from './adapt.ts';
import { cancelBarrierTimers } from './barrier-deadlines.ts';
import type { LiveTask, RunCore } from './core.ts';
import { endTask, hasEnded } from './task-end.ts';
import { usableOutput } from './output.ts';
import { scopeOf } from './scope.ts';
import { accept } from './validation.ts';

/** How a run comes to its end: by itself, by a cancel, by its deadline, or with its process. */

/** Withdraws everything: what runs is asked to stop, what waits ends here. */
export function cancelRun(core: RunCore, by: string): void {
  if (core.halted) return;
  if (core.ledger.state.status !== 'cancelling')
    core.ledger.commit([{ type: 'run.cancel_requested', by }]);
  halt(core, 'cancelled');
}

/** The run's own deadline has passed. */
export function runDeadline(core: RunCore): void {
  if (core.halted) return;
  halt(core, 'deadline');
}

/** The process ends: attempts are stopped, nothing is decided, the run stays resumable. */
export function interruptRun(core: RunCore): void {
  // The permits stay with the attempts until they have ended: nobody else starts beside them.
  core.halted = 'shutdown';
  noteInterrupt(core);
  abortAttempts(core, 'shutdown');
}

/** What runs now is stopped by us: it has not brought the process down. */
function noteInterrupt(core: RunCore): void {
  if (core.holding > 0) core.ledger.commit([{ type: 'run.interrupted' }]);
}

/** Time beyond an agent's own kill time after which a stopped attempt is no longer waited for. */
const graceMs = 2_000;

/**
 * The run cannot go on in this process: what runs is stopped. The pools are told directly, and their answer
 * is not waited for without end, since the supervisors in between may be what broke.
 */
export function abandonRun(core: RunCore): void {
  const killMs = stopAttempts(core);
  if (core.holding === 0) return core.self.send({ type: 'work.stopped' });
  core.hedges?.abandon();
  const { clock, deadlines } = core.services;
  core.deadline = deadlines.at(clock.now() + killMs, () =>
    core.self.send({ type: 'work.stopped' }),
  );
}

/** Tells every attempt that runs to stop, past its worker. Gives the milliseconds after which none is waited for. */
export function stopAttempts(core: RunCore): number {
  core.halted = 'shutdown';
  noteInterrupt(core);
  cancelTimers(core);
  // What the attempts hold comes back as each of them ends: nobody else starts beside them.
  core.services.governor.send({ type: 'scope.drain', scope: core.run });
  let killMs = 0;
  for (const [id, { holding, request }] of core.live) {
    if (!holding || !request) continue;
    killMs = Math.max(killMs, request.agent.limits.killAfterMs);
    core.port.abort(id, 'shutdown');
  }
  return killMs + graceMs;
}

/** Everything is settled: the outcome and the outputs go into the journal. */
export function closeRun(core: RunCore): void {
  if (core.ledger.state.status === 'ended') return;
  const outputs = outputsOf(core);
  core.ledger.commit([{ type: 'run.ended', ...outcomeOf(core), outputs }], () =>
    core.self.send({ type: 'run.closed' }),
  );
}

/** The end of a run that had ended, after a person has decided a conflict: nothing is done again for it. */
export function endAgain(core: RunCore): RunEnded {
  const { outcome = 'partial', reason = 'conflicts_open' } = core.ledger.state;
  const end = reason === 'conflicts_open' ? outcomeOf(core) : { outcome, reason };
  return { type: 'run.ended', ...end, outputs: outputsOf(core) };
}

/** Gives everything back that the run holds outside of itself. */
export function freeRun(core: RunCore): void {
  cancelTimers(core);
  endAdaptation(core);
  endMonitoring(core);
  core.breakers?.close();
  core.hedges?.close();
  core.services.governor.send({ type: 'scope.close', scope: core.run });
  core.services.providers.close(core.run);
}

function cancelTimers(core: RunCore): void {
  core.deadline?.cancel();
  core.budgetTimer?.cancel();
  core.planTimer?.cancel();
  core.stuckTimer?.cancel();
  for (const group of core.groups.values()) cancelBarrierTimers(group);
  for (const live of core.live.values()) cancelTaskTimers(live);
}

function cancelTaskTimers(live: LiveTask): void {
  live.attemptTimer?.cancel();
  live.retryTimer?.cancel();
  live.deadlineTimer?.cancel();
  live.lockTimer?.cancel();
  live.startTimer?.cancel();
  live.rungTimer?.cancel();
}

function halt(core: RunCore, reason: 'cancelled' | 'deadline'): void {
  core.halted = reason;
  abortAttempts(core, reason);
  for (const id of core.book.ids()) {
    if (hasEnded(core, id) || core.live.get(id)?.holding) continue;
    if (core.ledger.state.tasks.get(id)?.phase === 'completed') accept(core, id);
    else endTask(core, id, haltedEnd(reason));
  }
}

function haltedEnd(reason: 'cancelled' | 'deadline'): Parameters<typeof endTask>[2] {
  if (reason === 'deadline') return { outcome: 'timed_out', reason: 'deadline_exceeded' };
  return { outcome: 'cancelled', reason: 'cancelled_by_user' };
}

function abortAttempts(core: RunCore, reason: 'cancelled' | 'deadline' | 'shutdown'): void {
  core.hedges?.abortAll(reason);
  for (const live of core.live.values()) {
    live.retryTimer?.cancel();
    if (live.holding) live.worker?.send({ type: 'attempt.abort', reason });
  }
}

function outcomeOf(core: RunCore): { outcome: RunOutcome; reason: Reason } {
  if (core.halted === 'cancelled') return { outcome: 'cancelled', reason: 'cancelled_by_user' };
  if (core.halted === 'deadline') return { outcome: 'timed_out', reason: 'deadline_exceeded' };
  if ([...core.ledger.state.tasks.values()].some(({ reason }) => reason === 'budget_exhausted'))
    return { outcome: 'partial', reason: 'budget_exhausted' };
  const { tasks } = core.book.workflow;
  const gaps = tasks.filter((task) => isGap(core, task));
  const brokenGroup = core.book.workflow.groups.some(
    ({ id }) => core.ledger.state.groups.get(id)?.outcome === 'failed',
  );
  if (brokenGroup || gaps.some((task) => !isTolerated(core, task)))
    return { outcome: 'failed', reason: 'tasks_failed' };
  const partial = [...core.ledger.state.groups.values()].some(
    ({ outcome }) => outcome === 'partial',
  );
  if (partial || gaps.length > 0) return { outcome: 'partial', reason: 'gaps_tolerated' };
  const left = leftUndone(core);
  if (left) return { outcome: 'partial', reason: left };
  return { outcome: 'succeeded', reason: 'completed' };
}

/** What is left to a person although every task has its result. */
function leftUndone({ ledger }: RunCore): Reason | undefined {
  const { conflicts, mergedWorkspaces } = ledger.state;
  if (conflicts.open.size > 0) return 'conflicts_open';
  return [...mergedWorkspaces.values()].includes(false) ? 'workspace_not_merged' : undefined;
}

/** A task without a result where one was wanted: a condition that did not hold is no gap, nor is what it skipped. */
function isGap({ ledger }: RunCore, { id }: TaskSpec): boolean {
  const row = ledger.state.tasks.get(id);
  if (row?.outcome !== 'skipped') return row?.outcome !== 'succeeded';
  return row.reason !== undefined && gapReasons.has(row.reason);
}

/** Why a task is skipped that was wanted. */
const gapReasons: ReadonlySet<Reason> = new Set([
  'upstream_failed',
  'barrier_released',
  'skipped_by_user',
  'skipped_after_failure',
]);

/** A gap that does not fail the run: its group was joined without it, a default stands in, or something else is the cause. */
function isTolerated({ ledger }: RunCore, task: TaskSpec): boolean {
  const row: TaskRow | undefined = ledger.state.tasks.get(task.id);
  const group = task.group === undefined ? undefined : ledger.state.groups.get(task.group)?.outcome;
  if (group === 'succeeded' || group === 'partial') return true;
  return task.generated || task.default !== undefined || row?.outcome === 'skipped';
}

/** The `outputs:` map, or the outputs of the tasks that nothing depends on, by id. What is missing is null. */
function outputsOf(core: RunCore): Plain {
  const { outputs } = core.book.workflow;
  if (outputs) {
    const scope = scopeOf(core, undefined, core.ledger.memory.view());
    return resolveTemplate(outputs, scope, { lenient: true });
  }
  const leaves = leavesOf(core.book.workflow);
  return Object.fromEntries(leaves.map(({ id }) => [id, usableOutput(core, id) ?? null]));
}

/** Tasks whose output nobody takes up: not needed by another, nor by way of their group. Checkers only judge. */
function leavesOf({ tasks }: Workflow): TaskSpec[] {
  const work = tasks.filter(({ validates }) => validates === undefined);
  const needed = new Set(work.flatMap(({ needs }) => needs.map(({ on }) => on)));
  return work.filter(
    ({ id, group }) => !needed.has(id) && (group === undefined || !needed.has(group)),
  );
}
