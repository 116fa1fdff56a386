import type { RunState } from '../../journal/run-state.ts';
import type { TaskGraph } from '../../planning/graph.ts';
import { memberId } from '../../workflow/model.ts';
import type { RunTime } from './run-time.ts';

/**
 * How long members that were done waited for their group's release, in milliseconds summed over members, by
 * group. A group that merges as results arrive lets nobody wait. A group that waits still counts up to now.
 */
export function barrierWaits(
  state: RunState,
  { workflow }: TaskGraph,
  time: RunTime,
): ReadonlyMap<string, number> {
  const waits = new Map<string, number>();
  for (const { id, members, mode } of workflow.groups)
    waits.set(id, mode === 'async_merge' ? 0 : waitOf(state, time, { id, members }));
  for (const { id, items } of state.tasks.values()) {
    if (!items) continue;
    const members = items.map((_, index) => memberId(id, index));
    waits.set(id, waitOf(state, time, { id, members }));
  }
  return waits;
}

function waitOf(
  state: RunState,
  time: RunTime,
  { id, members }: { readonly id: string; readonly members: readonly string[] },
): number {
  const to = state.groups.get(id)?.releasedAt ?? time.until;
  let sum = 0;
  for (const member of members) {
    const row = state.tasks.get(member);
    if (row?.startedAt === undefined || row.finishedAt === undefined) continue;
    sum += time.between({ from: row.finishedAt, to });
  }
  return sum;
}
