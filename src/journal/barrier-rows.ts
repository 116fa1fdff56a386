import type {
  BarrierArmed,
  BarrierExtended,
  BarrierReleased,
  ContributionMerged,
} from './record.ts';
import type { ConflictForeseen, ContributionLate } from './barrier-records.ts';
import type { GroupRow } from './run-state.ts';

/** A deadline of the barrier runs. */
export function applyArmed(row: GroupRow, { bound, deadline }: BarrierArmed): void {
  if (bound === 'soft') row.softDeadline = deadline;
  else if (bound === 'hard') row.hardDeadline = deadline;
  else row.deadline = deadline;
}

/** A deadline of the barrier was moved. */
export function applyExtended(row: GroupRow, { bound, deadline, members }: BarrierExtended): void {
  if (bound === 'soft') {
    row.softDeadline = deadline;
    (row.softExtensions ??= []).push(members);
  } else {
    row.deadline = deadline;
    row.extensions.push(members);
  }
}

/** The run was paused for so long, in which nobody could have come: what the barrier waits for comes later. */
export function applyPaused(row: GroupRow, pausedMs: number): void {
  if (row.deadline !== undefined) row.deadline += pausedMs;
  if (row.softDeadline !== undefined) row.softDeadline += pausedMs;
  if (row.hardDeadline !== undefined) row.hardDeadline += pausedMs;
}

/** The soft deadline has passed. */
export function applySoftened(row: GroupRow): void {
  row.softDeadline = undefined;
  row.softened = true;
}

/** No deadline runs any more; some members do. */
export function applyReleased(row: GroupRow, { late }: BarrierReleased): void {
  row.deadline = undefined;
  if (row.softDeadline !== undefined) row.softDeadline = undefined;
  if (row.hardDeadline !== undefined) row.hardDeadline = undefined;
  if (late) row.late = late;
}

/** A result was merged: before the release, or after it. */
export function applyContribution(
  row: GroupRow,
  { type, member }: ContributionMerged | ContributionLate,
): void {
  if (type === 'contribution.merged') row.contributions.add(member);
  if (row.late?.includes(member)) (row.lateMerged ??= []).push(member);
}

/** Members are about to meet at a key. */
export function applyForeseen(row: GroupRow, { key }: ConflictForeseen): void {
  (row.foreseen ??= []).push(key);
}

/** The run was reopened: what had run on and was cut off is open again, for nobody in particular. */
export function forgetLate(row: GroupRow): void {
  if (row.late) row.late = undefined;
}
