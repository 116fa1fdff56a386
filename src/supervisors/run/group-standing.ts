import type { TaskRow } from '../../journal/run-state.ts';
import type { GroupSpec, TaskSpec } from '../../workflow/model.ts';
import type { RunCore } from './core.ts';

/** How a task stands in its group, as far as its recovery depends on it. */

/**
 * Whether the task is the last hope of its group: there are others, and all of them have ended without success. A part
 * of a split task is that only if it is the last hope of that task, and the task the last one of its group.
 */
export function othersFailed(core: RunCore, task: TaskSpec): boolean {
  const whole = core.book.member(task.id)?.parent;
  const places = [task, whole].filter((one) => one?.group !== undefined) as TaskSpec[];
  return (
    places.some((one) => hasOthers(core, one)) && places.every((one) => allOthersFailed(core, one))
  );
}

function hasOthers({ book }: RunCore, { group }: TaskSpec): boolean {
  return group !== undefined && book.group(group).members.length > 1;
}

/** By group: the place of a member that has not failed, as of the last look. */
const hopes = new WeakMap<GroupSpec, number>();

/**
 * Looks first where there was hope the last time, so that a group of many members that fail one after another is gone
 * through once and not once for each of them.
 */
function allOthersFailed({ book, ledger }: RunCore, { id, group }: TaskSpec): boolean {
  if (group === undefined) return true;
  const spec = book.group(group);
  const { members } = spec;
  const from = hopes.get(spec) ?? 0;
  for (let step = 0; step < members.length; step++) {
    const place = (from + step) % members.length;
    const member = members[place] ?? id;
    if (member === id || hasFailed(ledger.state.tasks.get(member))) continue;
    hopes.set(spec, place);
    return false;
  }
  return true;
}

function hasFailed(row: TaskRow | undefined): boolean {
  if (row?.phase !== 'ended' || row.outcome === 'succeeded') return false;
  return row.outcome !== 'skipped' || row.reason === 'skipped_after_failure';
}

/** Whether the run can do without the group that the task, or the task it is a part of, is in. */
export function isNonCritical({ book }: RunCore, task: TaskSpec): boolean {
  const whole = book.member(task.id)?.parent ?? task;
  return whole.group !== undefined && !book.group(whole.group).critical;
}

/** All members of its group have failed: whoever carried them out is left alone for a while, where a breaker watches. */
export function tripBreakers(core: RunCore, task: TaskSpec): void {
  const { breakers } = core.services;
  if (!core.breakers || !breakers || task.group === undefined) return;
  if (!hasOthers(core, task) || !allOthersFailed(core, task)) return;
  const agents = new Set(core.book.group(task.group).members.map((id) => core.book.task(id).agent));
  const why = `every member of ${task.group} has failed`;
  for (const agent of agents) breakers.trip(core.run, `agent:${agent}`, why);
}
