import { errorInfo } from '../../core/errors.ts';
import type { PermitWish } from '../../actors/governor.ts';
import type { TaskSpec } from '../../workflow/model.ts';
import { agentKind, groupKind } from '../../workflow/model.ts';
import { conditionHolds } from '../../workflow/template.ts';
import type { RunCore } from './core.ts';
import { stopOverlong } from './bounds.ts';
import { stopUnpaid } from './budget.ts';
import { agentOf } from './assignment.ts';
import { liveTask } from './core.ts';
import { holdBack, isPaused } from './parking.ts';
import { endTask, skipTask } from './task-end.ts';
import { expand } from './expansion.ts';
import { openGroup } from './groups.ts';
import { narrowsGroups } from './limits.ts';
import { armLockTimeout } from './lock-wait.ts';
import { stopPoison } from './quarantine.ts';
import { dueTasks, startsLater } from './pace.ts';
import { scopeOf } from './scope.ts';

/** Starts what may start: a task is skipped by its condition, split into members, or asks for its permit. */
export function advance(core: RunCore, ids: readonly string[]): void {
  if (core.halted) return;
  if (isPaused(core)) return holdBack(core, ids);
  const wishes: PermitWish[] = [];
  for (const id of ids) {
    const task = core.book.task(id);
    if (!mayStart(core, task) || isStopped(core, id) || isHeld(core, task)) continue;
    if (task.expand) expand(core, task);
    else if (core.plan?.has(id)) {
      armLockTimeout(core, task);
      core.plan.ready(id);
    } else wishes.push(wishOf(core, task));
  }
  for (const id of dueTasks(core)) wishes.push(wishOf(core, core.book.task(id)));
  if (wishes.length === 0) return;
  core.services.governor.send({ type: 'permits.request', scope: core.run, wishes });
}

/** Whether it has been ended here instead of being begun. */
function isStopped(core: RunCore, id: string): boolean {
  return stopUnpaid(core, id) || stopPoison(core, id) || stopOverlong(core, id);
}

/** A breaker keeps it back; what is split is looked at part by part. */
function isHeld({ breakers }: RunCore, task: TaskSpec): boolean {
  return !task.expand && breakers?.holds(task) === true;
}

function mayStart(core: RunCore, task: TaskSpec): boolean {
  const phase = core.ledger.state.tasks.get(task.id)?.phase ?? 'waiting';
  return phase === 'waiting' ? opens(core, task) : isBackoffOver(core, task.id);
}

function isBackoffOver({ ledger, live }: RunCore, id: string): boolean {
  const task = live.get(id);
  const backsOff = ledger.state.tasks.get(id)?.phase === 'backing_off';
  return backsOff && !task?.retryTimer && !task?.undecided;
}

/** What happens once, before a task first asks for a permit. */
function opens(core: RunCore, task: TaskSpec): boolean {
  if (startsLater(core, task)) {
    armDeadline(core, task);
    return false;
  }
  if (task.group !== undefined) openGroup(core, task.group);
  if (!conditionMet(core, task)) return false;
  armDeadline(core, task);
  return true;
}

function conditionMet(core: RunCore, task: TaskSpec): boolean {
  // A task that has begun was let in then; a resume does not ask again.
  if (task.when === undefined || core.ledger.state.tasks.get(task.id)?.attempt) return true;
  const scope = scopeOf(core, task, core.ledger.memory.view());
  try {
    if (conditionHolds(task.when, scope)) return true;
    skipTask(core, task.id, 'condition_false');
  } catch (error) {
    endTask(core, task.id, {
      outcome: 'failed',
      reason: 'input_unresolvable',
      error: errorInfo(error),
    });
  }
  return false;
}

/**
 * The task's deadline runs from the moment that its inputs were there, queueing included. It is absolute,
 * so that a resumed run does not start it anew.
 */
export function armDeadline(core: RunCore, task: TaskSpec): void {
  if (task.deadlineMs === undefined || core.book.member(task.id)) return;
  const { state } = core.ledger;
  const ends = task.needs.map(
    ({ on }) => state.tasks.get(on)?.finishedAt ?? state.groups.get(on)?.endedAt ?? 0,
  );
  const readyAt = Math.max(state.activeSince, ...ends);
  const live = liveTask(core, task.id);
  live.deadlineTimer?.cancel();
  live.deadlineTimer = core.services.deadlines.at(readyAt + task.deadlineMs, () =>
    core.self.send({ type: 'task.deadline', task: task.id }),
  );
}

function wishOf(core: RunCore, task: TaskSpec): PermitWish {
  const { id } = task;
  const declared = core.book.member(id)?.parent.id ?? id;
  armLockTimeout(core, task);
  return {
    id,
    demand: demandOf(core, task),
    priority: core.priorities.get(declared) ?? task.priority,
    rank: core.plan?.rankOf(declared) ?? core.ranks.get(declared) ?? 0,
  };
}

/** What the document says, and what follows from the agent, the group and a group that has fallen back. */
export function demandOf(core: RunCore, task: TaskSpec): Record<string, number> {
  const declared = core.book.member(task.id)?.parent.id ?? task.id;
  const agent = agentOf(core, task);
  const demand: Record<string, number> = { ...task.demand };
  if (task.group !== undefined && narrowsGroups(core.book.workflow))
    demand[groupKind(task.group)] = 1;
  if (agent.limits.concurrency !== undefined) demand[agentKind(agent.id)] = 1;
  // A part of a split task falls back with the group of that task, as well as with its own.
  for (const group of new Set([task.group, core.book.task(declared).group])) {
    if (group === undefined || !core.ledger.state.groups.get(group)?.fellBack) continue;
    demand[`lock:fallback:${group}`] = 1;
  }
  return demand;
}
