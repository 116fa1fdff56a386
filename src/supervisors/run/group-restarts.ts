import type { ErrorInfo } from '../../core/errors.ts';
import { decideRestart, noRestarts, restartSet } from '../../policies/restart.ts';
import { defaultRestart } from '../../policies/restart-spec.ts';
import type { RestartDecision } from '../../policies/restart.ts';
import type { RestartSpec } from '../../policies/restart-spec.ts';
import type { RecordBody } from '../../journal/record.ts';
import type { GroupRestartSpec, GroupSpec, TaskSpec } from '../../workflow/model.ts';
import { unfinished } from './close-member.ts';
import type { RunCore } from './core.ts';
import { retryAt } from './second-try.ts';
import type { Tried } from './second-try.ts';
import { stopAttempt } from './stop-attempt.ts';
import { endTask } from './task-end.ts';

/** The restart strategy of a group, beside the retry policies of its members. */

/** A restart of a group that is decided. */
export interface GroupRestart {
  /** What says so. */
  readonly records: readonly RecordBody[];
  /** Members whose attempts run and are begun again. */
  readonly members: readonly string[];
}

const alone: GroupRestart = { records: [], members: [] };

/**
 * A member's attempt has failed and is to be tried again at `at`: its group's strategy counts that, says who begins
 * again with it, or ends the group's work.
 * @returns undefined: there were too many restarts, and the member is to end like all that have not
 */
export function restartGroup(core: RunCore, { id }: Tried, at: number): GroupRestart | undefined {
  const task = core.book.task(id);
  const group = groupOf(core, task);
  if (!group?.restart) return alone;
  const { kind } = decisionOf(core, group, { restart: group.restart, at });
  if (kind === 'escalate') return escalate(core, group, id);
  if (kind !== 'restart') return alone;
  const { strategy } = group.restart;
  const members = runningBeside(core, group, { task, strategy });
  const type = 'group.restarted';
  return { members, records: [{ type, group: group.id, strategy, failed: id, members, due: at }] };
}

function decisionOf(
  core: RunCore,
  { id }: GroupSpec,
  { restart, at }: { readonly restart: GroupRestartSpec; readonly at: number },
): RestartDecision {
  const history = core.ledger.state.groups.get(id)?.restarts ?? noRestarts;
  const spec = policyOf(restart);
  const { type } = restart;
  return decideRestart({ spec, type, end: 'failed', history, now: at, random: () => 0 });
}

/** Ends the attempts that are begun again with the one that has failed. */
export function abortBeside(core: RunCore, { members }: GroupRestart): void {
  for (const id of members) stopAttempt(core, id, 'group_restarted');
}

/** The attempt of a member that goes with another one is over: it begins again together with that. */
export function beginAgain(core: RunCore, row: Tried): void {
  const group = groupOf(core, core.book.task(row.id));
  const due = group && core.ledger.state.groups.get(group.id)?.restarts?.times.at(-1);
  const at = Math.max(core.services.clock.now(), due ?? 0);
  // By whoever was at it: its own ladder has not moved.
  const next = core.ledger.state.tasks.get(row.id)?.recovery?.by;
  retryAt(core, row, { error: goneWithAnother(row.id), at, next });
}

/** The group that the task counts for: a part of a split task counts for the group of that. */
function groupOf({ book }: RunCore, task: TaskSpec): GroupSpec | undefined {
  const { group } = book.member(task.id)?.parent ?? task;
  return group === undefined ? undefined : book.group(group);
}

/** Backoff is the retry policy's: here restarts are only counted. */
function policyOf({ strategy, maxRestarts, withinMs }: GroupRestartSpec): RestartSpec {
  return { ...defaultRestart, strategy, maxRestarts, withinMs, initialMs: 0, maxMs: 0 };
}

/** Members, and parts of members, whose attempts run and are begun again with the one that failed. */
function runningBeside(
  core: RunCore,
  group: GroupSpec,
  { task, strategy }: { readonly task: TaskSpec; readonly strategy: RestartSpec['strategy'] },
): string[] {
  const failed = core.book.member(task.id)?.parent.id ?? task.id;
  return restartSet(strategy, group.members, failed)
    .flatMap((id) => (core.book.isExpanded(id) ? core.book.group(id).members : [id]))
    .filter((id) => id !== task.id && isPartOf(core, id, { failed, task }) && isRunning(core, id));
}

/** Of the member that failed itself, the other parts go on where only it is restarted. */
function isPartOf(
  core: RunCore,
  id: string,
  { failed, task }: { readonly failed: string; readonly task: TaskSpec },
): boolean {
  if (task.id === failed) return true;
  const spec = groupOf(core, task)?.restart;
  return spec?.strategy !== 'one_for_one' || core.book.member(id)?.parent.id !== failed;
}

function isRunning({ live, hedges }: RunCore, id: string): boolean {
  return live.get(id)?.holding === true || hedges?.isAlone(id) === true;
}

/** Told once in the journal; the group's own barrier decides what its finished members are worth. */
function escalate(core: RunCore, group: GroupSpec, failed: string): undefined {
  const { maxRestarts = 0, withinMs = 0 } = group.restart ?? {};
  const { id } = group;
  core.ledger.commit([
    {
      type: 'group.escalated',
      group: id,
      failed,
      max_restarts: maxRestarts,
      within_ms: withinMs,
    },
  ]);
  for (const member of unfinished(core, id)) if (member !== failed) endMember(core, member, failed);
}

function endMember(core: RunCore, id: string, failed: string): void {
  if (core.ledger.state.tasks.get(id)?.phase === 'completed') return;
  const parts = core.book.isExpanded(id) ? unfinished(core, id) : [];
  for (const part of [...parts, id]) {
    // Its own failure is what it ends with.
    if (part === failed) continue;
    core.services.governor.send({ type: 'permit.withdraw', scope: core.run, id: part });
    core.live.get(part)?.worker?.send({ type: 'attempt.abort', reason: 'barrier_released' });
    const error = goneWithAnother(failed);
    endTask(core, part, { outcome: 'cancelled', reason: 'restarts_exhausted', error });
  }
}

function goneWithAnother(failed: string): ErrorInfo {
  return {
    code: 'TRP_ATTEMPT_CANCELLED',
    message: 'The group of the task was restarted.',
    errorClass: 'cancelled',
    place: failed,
  };
}
