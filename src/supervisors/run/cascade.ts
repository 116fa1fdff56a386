import type { Settlement } from '../../planning/frontier.ts';
import type { TaskSpec } from '../../workflow/model.ts';
import { enqueue } from './agenda.ts';
import type { RunCore } from './core.ts';
import { hasEnded, skipTask } from './task-end.ts';
import { memberEnded } from './groups.ts';
import { aggregated } from './release.ts';
import { leave, verdictOf } from './verdict.ts';
import { judge } from './validation.ts';

/** What an end means for the others. */

/** A task's end is in the journal: tells its group, the task that it checks, and those who wait for it. */
export function taskEnded(core: RunCore, id: string): void {
  core.plan?.ended(id);
  if (!core.live.get(id)?.holding)
    leave(core, id, verdictOf(core.ledger.state.tasks.get(id)?.outcome));
  const task = core.book.task(id);
  if (task.group !== undefined) memberEnded(core, task.group, id);
  const group = core.book.aggregates(id);
  if (group !== undefined) return aggregated(core, group, id);
  if (core.book.member(id)) return;
  if (task.validates !== undefined && judge(core, task.validates)) return;
  settleTask(core, task);
  for (const checker of core.book.checkersOf(id)) {
    if (hasEnded(core, checker)) settleTask(core, core.book.task(checker));
  }
}

/** A group's end is in the journal: those who wait for it may start, unless it brought nothing. */
export function groupEnded(core: RunCore, id: string): void {
  const outcome = core.ledger.state.groups.get(id)?.outcome;
  settle(core, id, outcome === 'succeeded' || outcome === 'partial' ? 'satisfied' : 'unsatisfied');
}

/** Whether others may use the task's result: it succeeded, or a default is declared in its place. */
function satisfies({ ledger }: RunCore, task: TaskSpec): boolean {
  const outcome = ledger.state.tasks.get(task.id)?.outcome;
  if (outcome === 'succeeded') return true;
  return outcome !== undefined && outcome !== 'skipped' && task.default !== undefined;
}

function settleTask(core: RunCore, task: TaskSpec): void {
  settle(core, task.id, satisfies(core, task) ? 'satisfied' : 'unsatisfied');
}

function settle(core: RunCore, id: string, kind: Settlement): void {
  if (core.settled.has(id)) return;
  core.settled.add(id);
  const { ready, blocked } = core.frontier.settle(id, kind);
  enqueue(core.agenda.ready, ready);
  for (const { id: waiting, by } of blocked) skipTask(core, waiting, skipReason(core, by));
}

function skipReason({ ledger }: RunCore, by: string): 'upstream_skipped' | 'upstream_failed' {
  const cause = ledger.state.tasks.get(by);
  const skipped = cause?.outcome === 'skipped' && cause.reason !== 'upstream_failed';
  return skipped ? 'upstream_skipped' : 'upstream_failed';
}
