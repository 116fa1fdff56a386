import type { Reason } from '../../core/outcome.ts';
import type { GroupRow } from '../../journal/run-state.ts';
import type { RecordBody } from '../../journal/record.ts';
import type { BarrierDecision, BarrierOutcome } from '../../policies/barrier.ts';
import type { GroupSpec } from '../../workflow/model.ts';
import type { LiveGroup, RunCore } from './core.ts';
import { barrierAlert } from './alerts.ts';
import { cancelBarrierTimers, scheduleBarrier, scheduleBound } from './barrier-deadlines.ts';
import { closeMember, unfinished } from './close-member.ts';
import type { MemberEnd } from './close-member.ts';
import { dismiss } from './groups.ts';
import { membersRunningOn, noteLate } from './late-members.ts';
import { groupCensus, joinedOutput } from './output.ts';
import { stopAttempt } from './stop-attempt.ts';

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
    case 'suffice':
      return core.ledger.commit([{ type: 'barrier.softened', group: groupId }]);
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

function extendBarrier(
  core: RunCore,
  live: LiveGroup,
  { byMs, members, soft }: Extract<BarrierDecision, { kind: 'extend' }>,
): void {
  const { id } = live;
  live.timedOut = core.ledger.state.groups.get(id)?.softened === true;
  const last = core.ledger.state.groups.get(id)?.hardDeadline ?? Infinity;
  const deadline = Math.min(core.services.clock.now() + byMs, last);
  const moved = { type: 'barrier.extended', group: id, deadline, members } as const;
  core.ledger.commit([soft ? { ...moved, bound: 'soft' } : moved]);
  if (soft) scheduleBound(core, live, { bound: 'soft', deadline });
  else scheduleBarrier(core, live, deadline);
}

/** The members that have not ended run one after another: each needs the group's one fallback lock. */
function fallBack(core: RunCore, live: LiveGroup): void {
  const members = unfinished(core, live.id);
  core.services.logger.warn('a group falls back to sequential execution', {
    run: core.run,
    group: live.id,
  });
  live.timedOut = false;
  const alert = barrierAlert(core, live.id, `group ${live.id} runs its members one after another`);
  core.ledger.commit([{ type: 'barrier.fell_back', group: live.id, members }, ...alert]);
  for (const id of members) {
    const task = core.live.get(id);
    task?.retryTimer?.cancel();
    if (task) task.retryTimer = undefined;
    if (stopAttempt(core, id, 'barrier_fallback')) continue;
    if (task?.undecided) {
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
  cancelBarrierTimers(live);
  const group = core.book.group(live.id);
  const verdict = verdictOf(decision, group);
  if (core.ledger.state.groups.get(live.id)?.phase !== 'released') {
    const late = decision.cancelRest ? membersRunningOn(core, group, decision) : undefined;
    core.ledger.commit(releaseRecords(core, live, { ...verdict, late }));
  }
  noteLate(core, core.ledger.state.groups.get(live.id));
  // Members of a split task have nobody but that task to go on for.
  if (decision.cancelRest || core.book.isExpanded(live.id)) closeRest(core, live, verdict);
  join(core, group, verdict);
}

interface Verdict {
  readonly outcome: BarrierOutcome;
  readonly reason: Reason;
}

/** A group that is not critical does not fail: it has gaps. */
function verdictOf({ outcome, reason }: Verdict, { critical }: GroupSpec): Verdict {
  if (outcome !== 'failed' || critical) return { outcome, reason };
  return { outcome: 'partial', reason: 'gaps_tolerated' };
}

function releaseRecords(
  core: RunCore,
  { id, timedOut }: LiveGroup,
  { outcome, reason, late }: Verdict & { readonly late: readonly string[] | undefined },
): readonly RecordBody[] {
  const released = { type: 'barrier.released', group: id, outcome, reason, timedOut } as const;
  const isAlarming = timedOut && outcome !== 'succeeded';
  const text = `the time of group ${id} is over: ${outcome}, ${reason}`;
  const alert = isAlarming ? barrierAlert(core, id, text) : [];
  return [late ? { ...released, late } : released, ...alert];
}

function closeRest(core: RunCore, { id, timedOut }: LiveGroup, verdict: Verdict): void {
  const end = endOfRest(core.book.group(id), { ...verdict, timedOut });
  for (const member of unfinished(core, id))
    if (!core.late?.has(member)) closeMember(core, member, end);
}

/** How members end that nobody waits for any more. */
function endOfRest(
  { barrier }: GroupSpec,
  release: Verdict & { readonly timedOut: boolean },
): MemberEnd {
  const { outcome, reason, timedOut } = release;
  if (timedOut) return { outcome: 'timed_out', reason: 'barrier_released' };
  if (outcome === 'failed') return { outcome: 'cancelled', reason: 'barrier_failed' };
  const isQuorate = barrier.quorum !== undefined && reason === 'quorum_reached';
  return { outcome: 'cancelled', reason: isQuorate ? 'quorum_reached' : 'barrier_released' };
}

function join(core: RunCore, group: GroupSpec, end: Verdict): void {
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
