import type { RecordBody } from '../../journal/record.ts';
import { pauseClock, resumeClock } from './attempt-clock.ts';
import type { LiveGroup, LiveTask, RunCore } from './core.ts';
import { scheduleBarrier } from './barrier-deadlines.ts';

/**
 * Longer timeouts for what shows progress. Deadlines of tasks and of the run have timers of their own and stay
 * where they are: nothing is stretched beyond them.
 */

/** Moves the timeouts of attempts and barriers that run; those that begin later count with the new factor. */
export function stretchTimeouts(core: RunCore, { from, to }: { from: number; to: number }): void {
  for (const [id, live] of core.live)
    if (live.progressed) stretchAttempt(core, id, { live, by: to - from });
  const moved: RecordBody[] = [];
  for (const live of core.groups.values()) {
    const deadline = movedDeadline(core, live, to - from);
    if (deadline === undefined) continue;
    moved.push({ type: 'barrier.armed', group: live.id, deadline });
    scheduleBarrier(core, live, deadline);
  }
  if (moved.length > 0) core.ledger.commit(moved);
}

function stretchAttempt(
  core: RunCore,
  id: string,
  { live, by }: { readonly live: LiveTask; readonly by: number },
): void {
  const { timeoutMs } = core.book.task(id);
  const { clock } = live;
  if (timeoutMs === undefined || !clock || !live.holding) return;
  const runs = live.attemptTimer !== undefined;
  pauseClock(core, live);
  clock.leftMs += timeoutMs * by;
  if (runs) resumeClock(core, id, clock.attempt);
}

function movedDeadline(core: RunCore, { id, timer }: LiveGroup, by: number): number | undefined {
  const row = core.ledger.state.groups.get(id);
  const { timeoutMs } = core.book.group(id).barrier;
  if (!timer || timeoutMs === undefined || row?.phase !== 'open' || row.deadline === undefined)
    return undefined;
  if (!core.book.group(id).members.some((member) => core.live.get(member)?.progressed))
    return undefined;
  const { deadlineMs } = core.book.workflow;
  const end = deadlineMs === undefined ? Infinity : core.ledger.state.activeSince + deadlineMs;
  const last = Math.min(end, row.hardDeadline ?? Infinity);
  const deadline = Math.min(last, row.deadline + timeoutMs * by);
  return deadline > row.deadline ? deadline : undefined;
}
