import type { TaskGraph } from '../../planning/graph.ts';
import type { TaskSpec } from '../../workflow/model.ts';
import type { RunCore } from './core.ts';
import { liveTask } from './core.ts';
import { concurrencyOf } from './limits.ts';

/** When what is ready asks for its permits: not before its time, and where there is a plan, when it says so. */

/**
 * Plans what is left of a run, unless a plan is of no use. A resumed run plans anew: what has ended is over at
 * once, and the rest is scheduled from now on.
 */
export function beginPlan(core: RunCore): void {
  const { services, ledger, book } = core;
  // The limits of a run that adapts move: no plan could keep to them.
  if (core.halted || book.workflow.adaptation) return;
  core.plan = core.planner?.(withProcessLimit(core), {
    history: services.history?.(book.workflow.name),
    startsAtMs: ledger.state.startedAt,
  });
  for (const { id, phase } of ledger.state.tasks.values()) {
    if (phase === 'ended') core.plan?.ended(id);
    else if (phase === 'completed') core.plan?.left(id, services.clock.now());
  }
}

/** The tasks whose time has come, and the moment to look again at the others. */
export function dueTasks(core: RunCore): readonly string[] {
  const due = core.plan?.due(core.services.clock.now());
  if (!due) return [];
  core.planTimer?.cancel();
  core.planTimer =
    due.againAtMs === undefined
      ? undefined
      : core.services.deadlines.at(due.againAtMs, () => core.self.send({ type: 'start.due' }));
  return due.tasks;
}

/** Whether the plan has something to say; a run that is being halted starts nothing any more. */
export function isPlanStale({ plan, halted, ledger }: RunCore): boolean {
  return plan?.isStale === true && !halted && !ledger.state.paused;
}

/**
 * Whether a task's `not_before` has still to come; it is then looked at again when it has. The time is counted from
 * the start of the run as the journal has it, so that a resumed run keeps it.
 */
export function startsLater(core: RunCore, { id, notBefore }: TaskSpec): boolean {
  if (!notBefore) return false;
  const { clock, deadlines } = core.services;
  const at = 'atMs' in notBefore ? notBefore.atMs : core.ledger.state.startedAt + notBefore.afterMs;
  if (at <= clock.now()) return false;
  const live = liveTask(core, id);
  live.startTimer?.cancel();
  live.startTimer = deadlines.at(at, () => core.self.send({ type: 'start.due', task: id }));
  return true;
}

/** The time of a task, or that of the plan, has come. */
export function startDue(core: RunCore, task: string | undefined): void {
  if (task === undefined) return core.plan?.lookAgain();
  const live = core.live.get(task);
  if (!live?.startTimer) return;
  live.startTimer = undefined;
  core.agenda.ready.push(task);
}

/** The process may let fewer tasks run at one time than the workflow does. */
function withProcessLimit(core: RunCore): TaskGraph {
  const { graph, services } = core;
  const { workflow } = graph;
  const concurrency = Math.min(concurrencyOf(core) ?? Infinity, services.concurrency ?? Infinity);
  if (concurrency === Infinity) return graph;
  return { ...graph, workflow: { ...workflow, resources: { ...workflow.resources, concurrency } } };
}
