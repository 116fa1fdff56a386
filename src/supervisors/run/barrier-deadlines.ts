import type { GroupRow } from '../../journal/run-state.ts';
import type { BarrierBound } from '../join.ts';
import type { LiveGroup, RunCore } from './core.ts';

/** The times of a barrier: absolute, in the journal before they run, and the same after a resume. */

/** Arms what the document sets a time for and what has not passed: from now, or again at the time of the journal. */
export function armBarrier(core: RunCore, live: LiveGroup): void {
  const row = core.ledger.state.groups.get(live.id);
  if (row?.phase !== 'open') return;
  const { timeoutMs, softTimeoutMs, hardTimeoutMs } = core.book.group(live.id).barrier;
  const now = core.services.clock.now();
  if (hardTimeoutMs !== undefined) {
    arm(core, live, { bound: 'hard', at: row.hardDeadline, first: now + hardTimeoutMs });
  }
  if (softTimeoutMs !== undefined && !row.softened) {
    arm(core, live, { bound: 'soft', at: row.softDeadline, first: now + softTimeoutMs });
  }
  if (timeoutMs === undefined || row.fellBack) return;
  const { timeoutFactor } = core.ledger.state.adaptation;
  const first = Math.min(now + timeoutMs * timeoutFactor, row.hardDeadline ?? Infinity);
  arm(core, live, { bound: undefined, at: row.deadline, first });
}

interface Arming {
  /** Undefined: the timeout. */
  readonly bound: BarrierBound | undefined;
  /** What the journal says. */
  readonly at: number | undefined;
  /** The deadline when the journal says nothing. */
  readonly first: number;
}

function arm(core: RunCore, live: LiveGroup, { bound, at, first }: Arming): void {
  const deadline = at ?? first;
  if (at === undefined) {
    const which = bound && { bound };
    core.ledger.commit([{ type: 'barrier.armed', group: live.id, deadline, ...which }]);
  }
  if (bound) scheduleBound(core, live, { bound, deadline });
  else scheduleBarrier(core, live, deadline);
}

/** Tells the run when the barrier's timeout is over. */
export function scheduleBarrier(core: RunCore, live: LiveGroup, deadline: number): void {
  live.timer?.cancel();
  live.timer = core.services.deadlines.at(deadline, () =>
    core.self.send({ type: 'group.deadline', group: live.id }),
  );
}

/** Tells the run when the soft or the hard deadline has come. */
export function scheduleBound(
  core: RunCore,
  live: LiveGroup,
  { bound, deadline }: { readonly bound: BarrierBound; readonly deadline: number },
): void {
  const bounds = (live.bounds ??= {});
  bounds[bound]?.cancel();
  bounds[bound] = core.services.deadlines.at(deadline, () =>
    core.self.send({ type: 'group.deadline', group: live.id, bound }),
  );
}

/** The barrier waits for no time any more. */
export function cancelBarrierTimers({ timer, bounds }: LiveGroup): void {
  timer?.cancel();
  bounds?.soft?.cancel();
  bounds?.hard?.cancel();
}

/** A deadline has come: the group's supervisor decides, knowing who has shown progress since the last decision. */
export function barrierDeadline(core: RunCore, groupId: string, bound?: BarrierBound): void {
  const live = core.groups.get(groupId);
  if (!live) return;
  live.timedOut = true;
  const { members } = core.book.group(groupId);
  const progressed = members.filter((id) => tookProgress(core, id));
  live.supervisor.send({ type: 'deadline.reached', progressed, ...(bound && { bound }) });
}

/**
 * Whether a member, or a part that it was split into, has shown progress. Whoever wants to be waited for once
 * more has to show it once more.
 */
function tookProgress(core: RunCore, id: string): boolean {
  const own = core.live.get(id);
  let isShown = own?.progressed ?? false;
  if (own) own.progressed = false;
  if (core.ledger.state.tasks.get(id)?.phase === 'ended' || !core.book.isExpanded(id))
    return isShown;
  for (const part of core.book.group(id).members) {
    const live = core.live.get(part);
    if (!live?.progressed) continue;
    live.progressed = false;
    isShown = true;
  }
  return isShown;
}

/** What a supervisor was told of time before a crash, told again: it stands where it stood. */
export function replayDeadlines({ supervisor }: LiveGroup, row: GroupRow): void {
  for (const progressed of row.softExtensions ?? [])
    supervisor.send({ type: 'deadline.reached', progressed, bound: 'soft' });
  for (const progressed of row.extensions)
    supervisor.send({ type: 'deadline.reached', progressed });
  if (row.softened) supervisor.send({ type: 'deadline.reached', progressed: [], bound: 'soft' });
  if (row.fellBack) supervisor.send({ type: 'deadline.reached', progressed: [] });
}
