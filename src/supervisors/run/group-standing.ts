import type { TaskSpec } from '../../workflow/model.ts';
import type { RunCore } from './core.ts';

/** How a task stands in its group, as far as its recovery depends on it. */

/** Whether the task is the last hope of its group: there are others, and all of them have ended without success. */
export function othersFailed({ book, ledger }: RunCore, task: TaskSpec): boolean {
  if (task.group === undefined) return false;
  const others = book.group(task.group).members.filter((id) => id !== task.id);
  if (others.length === 0) return false;
  return others.every((id) => {
    const row = ledger.state.tasks.get(id);
    if (row?.phase !== 'ended' || row.outcome === 'succeeded') return false;
    return row.outcome !== 'skipped' || row.reason === 'skipped_after_failure';
  });
}

/** Whether the run can do without the group that the task, or the task it is a part of, is in. */
export function isNonCritical({ book }: RunCore, task: TaskSpec): boolean {
  const whole = book.member(task.id)?.parent ?? task;
  return whole.group !== undefined && !book.group(whole.group).critical;
}

/** All members of its group have failed: whoever carried them out is left alone for a while, where a breaker watches. */
export function tripBreakers(core: RunCore, task: TaskSpec): void {
  const { breakers } = core.services;
  if (!breakers || task.group === undefined || !othersFailed(core, task)) return;
  const agents = new Set(core.book.group(task.group).members.map((id) => core.book.task(id).agent));
  const why = `every member of ${task.group} has failed`;
  for (const agent of agents) breakers.trip(core.run, `agent:${agent}`, why);
}
