import type { Reason } from '../../core/outcome.ts';
import type { GroupRow } from '../../journal/run-state.ts';
import type { BarrierDecision, BarrierOutcome } from '../../policies/barrier.ts';
import type { GroupSpec } from '../../workflow/model.ts';
import type { LiveGroup, RunCore } from './core.ts';
import { endTask, skipTask } from './task-end.ts';
import { dismiss, scheduleBarrier } from './groups.ts';
import { groupCensus, joinedOutput } from './output.ts';
import { accept } from './validation.ts';

/** What a group's supervisor has decided, carried out: wait longer, run one by one, or join and go on. */

/** Carries out what a group's supervisor has decided. */
export function carryOut(core: RunCore, groupId: string, decision: BarrierDecision): void {
  const live = core.groups.get(groupId);
  if (!live) return;
  switch (decision.kind) {
    case 'wait':
      return;
    case 'extend':
      return extendBarrier(core, live, decision);
    case 'fall_back':
      return fallBack(core, live);
    case 'release':
      return release(core, live, decision);
  }
}

/** The task that aggregates the group's outputs has ended: so has the group. */
export function aggregated(core: RunCore, groupId: string, taskId: string): void {
  const row = core.ledger.state.tasks.get(taskId);
  const released = core.ledger.state.groups.get(groupId);
  if (row?.outcome === 'succeeded' && released) {
    const outcome = (released.outcome ?? 'succeeded') as BarrierOutcome;
    endGroup(core, groupId, {
      outcome,
      reason: released.reason ?? 'completed',
      output: row.output,
    });
  } else {
    endGroup(core, groupId, { outcome: 'failed', reason: 'aggregate_failed', output: null });
  }
}

/** The task that was split has ended, or is about to: nobody waits for its members any more. */
export function closeExpansion(core: RunCore, id: string): void {
  if (!core.book.isExpanded(id)) return;
  for (const member of unfinished(core, id)) {
    core.services.governor.send({ type: 'permit.withdraw', scope: core.run, id: member });
    if (!core.ledger.state.tasks.get(member)?.attempt) {
      skipTask(core, member, 'barrier_released');
      continue;
    }
    core.live.get(member)?.worker?.send({ type: 'attempt.abort', reason: 'barrier_released' });
    endTask(core, member, { outcome: 'timed_out', reason: 'barrier_released' });
  }
}

function extendBarrier(
  core: RunCore,
  live: LiveGroup,
  { byMs, members }: Extract<BarrierDecision, { kind: 'extend' }>,
): void {
  live.timedOut = false;
  const deadline = core.services.clock.now() + byMs;
  core.ledger.commit([{ type: 'barrier.extended', group: live.id, deadline, members }]);
  // Whoever wants to be waited for once more has to show progress once more.
  for (const id of members) {
    const task = core.live.get(id);
    if (task) task.progressed = false;
  }
  scheduleBarrier(core, live, deadline);
}

/** The members that have not ended run one after another: each needs the group's one fallback lock. */
function fallBack(core: RunCore, live: LiveGroup): void {
  const members = unfinished(core, live.id);
  core.services.logger.warn('a group falls back to sequential execution', {
    run: core.run,
    group: live.id,
  });
  live.timedOut = false;
  core.ledger.commit([{ type: 'barrier.fell_back', group: live.id, members }]);
  for (const id of members) {
    const task = core.live.get(id);
    task?.retryTimer?.cancel();
    if (task) task.retryTimer = undefined;
    if (task?.holding) {
      task.worker?.send({ type: 'attempt.abort', reason: 'barrier_fallback' });
    } else if (task?.undecided) {
      task.hurry = true;
    } else if (core.book.member(id) || core.frontier.isReady(id)) {
      core.services.governor.send({ type: 'permit.withdraw', scope: core.run, id });
      core.agenda.ready.push(id);
    }
  }
}

function release(
  core: RunCore,
  live: LiveGroup,
  decision: Extract<BarrierDecision, { kind: 'release' }>,
): void {
  if (live.released) return;
  live.released = true;
  live.timer?.cancel();
  const group = core.book.group(live.id);
  const row = core.ledger.state.groups.get(live.id);
  const tolerated = decision.outcome === 'failed' && !group.critical;
  const outcome: BarrierOutcome = tolerated ? 'partial' : decision.outcome;
  const reason: Reason = tolerated ? 'gaps_tolerated' : decision.reason;
  if (row?.phase !== 'released') {
    const { id, timedOut } = live;
    core.ledger.commit([{ type: 'barrier.released', group: id, outcome, reason, timedOut }]);
  }
  // Members of a split task have nobody but that task to go on for.
  if (decision.cancelRest || core.book.isExpanded(live.id)) {
    for (const id of unfinished(core, live.id)) closeMember(core, live, { id, outcome });
  }
  join(core, group, { outcome, reason });
}

function join(
  core: RunCore,
  group: GroupSpec,
  end: { outcome: BarrierOutcome; reason: Reason },
): void {
  const byFunction = group.aggregate?.kind === 'function' && !core.ledger.state.simulated;
  if (!byFunction || end.outcome === 'failed' || core.halted || isOrphaned(core, group.id)) {
    endGroup(core, group.id, { ...end, output: joinedOutput(core, group.id) });
    return;
  }
  const { id } = core.book.aggregation(group);
  if (core.ledger.state.tasks.get(id)?.phase === 'ended') aggregated(core, group.id, id);
  else core.agenda.ready.push(id);
}

/** The group's task has ended: nobody takes its output. */
function isOrphaned({ book, ledger }: RunCore, groupId: string): boolean {
  return (
    book.expanded(groupId) !== undefined && ledger.state.tasks.get(groupId)?.phase !== 'running'
  );
}

/** Ends a member that nobody waits for any more. Finished work is kept, also if its checkers are not through. */
function closeMember(
  core: RunCore,
  live: LiveGroup,
  member: { id: string; outcome: BarrierOutcome },
): void {
  const { id } = member;
  const row = core.ledger.state.tasks.get(id);
  if (row?.phase === 'completed') return accept(core, id);
  core.services.governor.send({ type: 'permit.withdraw', scope: core.run, id });
  if (!row?.attempt && !row?.items) return skipTask(core, id, 'barrier_released');
  const reason =
    member.outcome === 'failed' && !live.timedOut ? 'barrier_failed' : 'barrier_released';
  closeExpansion(core, id);
  core.live.get(id)?.worker?.send({ type: 'attempt.abort', reason: 'barrier_released' });
  endTask(core, id, { outcome: live.timedOut ? 'timed_out' : 'cancelled', reason });
}

function endGroup(
  core: RunCore,
  id: string,
  end: { outcome: BarrierOutcome; reason: Reason; output: GroupRow['output'] },
): void {
  const { outcome, reason, output } = end;
  const census = groupCensus(core, id);
  core.ledger.commit([{ type: 'group.ended', group: id, outcome, reason, output, census }], () => {
    core.agenda.joined.push(id);
    const live = core.groups.get(id);
    if (!live) return;
    if (!live.ending) core.openGroups--;
    live.ending = { type: 'group.ended', outcome, reason };
    dismiss(core, live);
  });
}

function unfinished({ ledger, book }: RunCore, groupId: string): string[] {
  return book.group(groupId).members.filter((id) => ledger.state.tasks.get(id)?.phase !== 'ended');
}
