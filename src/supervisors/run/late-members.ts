import type { GroupRow } from '../../journal/run-state.ts';
import type { BarrierDecision } from '../../policies/barrier.ts';
import type { GroupSpec } from '../../workflow/model.ts';
import { closeMember, unfinished } from './close-member.ts';
import type { RunCore } from './core.ts';

/**
 * Members that run on after their group was released (`late: merge`). They hold nothing back: their group has
 * its output, and the run ends without them when nothing else is left to do.
 */

/** Those that have begun and are let run on at a release; undefined: none. */
export function membersRunningOn(
  core: RunCore,
  group: GroupSpec,
  { outcome }: Extract<BarrierDecision, { kind: 'release' }>,
): readonly string[] | undefined {
  if (group.barrier.late !== 'merge' || outcome === 'failed' || core.halted) return undefined;
  const begun = unfinished(core, group.id).filter((id) => {
    const row = core.ledger.state.tasks.get(id);
    return row !== undefined && row.phase !== 'completed' && (row.attempt > 0 || row.items);
  });
  return begun.length > 0 ? begun : undefined;
}

/** Remembers who runs on, at the release and when the run is resumed after it. */
export function noteLate(core: RunCore, row: GroupRow | undefined): void {
  if (!row?.late) return;
  core.late ??= new Set();
  for (const id of row.late) {
    const task = core.ledger.state.tasks.get(id);
    const isOver = task?.phase === 'ended' && task.outcome !== 'succeeded';
    if (!isOver && !row.lateMerged?.includes(id)) core.late.add(id);
  }
}

/** A member that ran on has ended; a result is merged, and the output that others have used stays as it is. */
export function lateEnded(core: RunCore, group: string, member: string): void {
  core.late?.delete(member);
  const { tasks, groups } = core.ledger.state;
  if (tasks.get(member)?.outcome !== 'succeeded') return;
  if (core.book.group(group).mode === 'async_merge') {
    const revision = (groups.get(group)?.contributions.size ?? 0) + 1;
    core.ledger.commit([{ type: 'contribution.merged', group, member, revision }]);
  } else core.ledger.commit([{ type: 'contribution.late', group, member }]);
}

/**
 * Cuts off the members that run on when nothing else of the run is left.
 * @returns whether it did.
 */
export function endLate(core: RunCore): boolean {
  if (!core.late?.size || core.halted) return false;
  // Asked in every turn: with thousands of late members most answers must not look at each of them.
  if (core.settled.size + core.late.size + core.book.judges < core.graph.nodes.length) return false;
  const late = [...core.late].filter((id) => core.ledger.state.tasks.get(id)?.phase !== 'ended');
  if (late.length === 0 || !isOnlyLateLeft(core, late)) return false;
  for (const id of late) {
    core.late.delete(id);
    closeMember(core, id, { outcome: 'cancelled', reason: 'run_ending' });
  }
  return true;
}

/** Whether what is not settled, or still open, are the late ones, those who judge them and the parts of both. */
function isOnlyLateLeft(
  { settled, graph, book, groups, openGroups }: RunCore,
  late: string[],
): boolean {
  const left = late.flatMap((id) => [id, ...book.checkersOf(id)]);
  const open = new Set(left.filter((id) => !settled.has(id)));
  if (settled.size + open.size < graph.nodes.length) return false;
  const parts = [...open].filter((id) => groups.get(id) && !groups.get(id)?.ending);
  return openGroups === parts.length;
}
