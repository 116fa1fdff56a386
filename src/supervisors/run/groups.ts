import type { AnyActorRef } from '../../actors/xstate.ts';
import type { Reason } from '../../core/outcome.ts';
import { groupRow } from '../../journal/fold.ts';
import type { GroupRow } from '../../journal/fold.ts';
import type { BarrierDecision, BarrierOutcome } from '../../policies/barrier.ts';
import type { GroupSpec } from '../../workflow/model.ts';
import type { JoinInput, JoinPort } from '../join.ts';
import type { LiveGroup, RunCore } from './core.ts';
import { endTask, skipTask } from './ends.ts';
import { groupCensus, joinedOutput } from './output.ts';
import { accept } from './validation.ts';

/** Between the run, which alone writes the journal, and the supervisors of its groups, which decide by policy. */

/** Starts the supervisor of a group and tells it what has happened so far; undefined when the group has ended. */
export function openGroup(core: RunCore, id: string): LiveGroup | undefined {
  const known = core.groups.get(id);
  const row = core.ledger.state.groups.get(id);
  if (known || row?.phase === 'ended') return known;
  const group = core.book.group(id);
  const live = startSupervisor(core, group);
  core.groups.set(id, live);
  live.replaying = true;
  if (row) replayDecisions(core, live, row);
  replayMembers(core, live, group);
  live.replaying = false;
  if (row?.phase === 'released') releaseAgain(core, live, row);
  return live;
}

/** A member's end is in the journal: its group's supervisor decides what that means. */
export function memberEnded(core: RunCore, groupId: string, member: string): void {
  const live = core.groups.get(groupId);
  if (!live) {
    openGroup(core, groupId);
    return;
  }
  const outcome = core.ledger.state.tasks.get(member)?.outcome;
  if (outcome) live.supervisor.send({ type: 'member.ended', member, outcome });
}

/** A member was dispatched: the first one starts the barrier's timeout and fixes what all members read. */
export function memberDispatched(core: RunCore, groupId: string): void {
  const live = openGroup(core, groupId);
  if (!live || live.view) return;
  live.view = core.ledger.memory.view();
  live.supervisor.send({ type: 'member.dispatched' });
  armBarrier(core, live);
  const parent = core.book.expanded(groupId);
  if (parent?.group !== undefined) memberDispatched(core, parent.group);
}

/** A barrier's deadline has come: its supervisor decides, knowing who still makes progress. */
export function barrierDeadline(core: RunCore, groupId: string): void {
  const live = core.groups.get(groupId);
  if (!live) return;
  live.timedOut = true;
  const progressed = core.book.group(groupId).members.filter((id) => core.live.get(id)?.progressed);
  live.supervisor.send({ type: 'deadline.reached', progressed });
}

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

/** A member's result becomes part of the group's output at once. */
export function contribute(core: RunCore, groupId: string, member: string): void {
  const revision = groupRow(core.ledger.state, groupId).contributions.length + 1;
  core.ledger.commit([{ type: 'contribution.merged', group: groupId, member, revision }], () => {
    core.agenda.ready.push(...core.frontier.begin(groupId).ready);
  });
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

/** A worker of the group has ended; when it was the last one and the group has ended too, so does the supervisor. */
export function workerLeft(core: RunCore, groupId: string): void {
  const live = core.groups.get(groupId);
  if (!live) return;
  live.live--;
  dismiss(core, live);
}

function startSupervisor(core: RunCore, group: GroupSpec): LiveGroup {
  const { id, mode, barrier, members } = group;
  const input: JoinInput = {
    group: id,
    barrier,
    members,
    port: portOf(core),
    crew: crewInput(core),
  };
  core.supervisors.send({ type: 'child.start', id, src: mode, input });
  const supervisor = core.supervisors.getSnapshot().children.get(id);
  const crew = supervisor?.getSnapshot().children['crew'] as AnyActorRef | undefined;
  if (!supervisor || !crew) throw new Error(`the supervisor of group "${id}" did not start`);
  return {
    id,
    supervisor,
    crew,
    timer: undefined,
    live: 0,
    view: undefined,
    replaying: false,
    timedOut: false,
    released: false,
    ending: undefined,
  };
}

function crewInput(core: RunCore): JoinInput['crew'] {
  return { onFault: (task, error) => core.port.fault(task, error) };
}

/** Announcements come back to the run as events: it is in the middle of a turn when they are made. */
function portOf(core: RunCore): JoinPort {
  const decided = (group: string, decision: BarrierDecision): void =>
    core.self.send({ type: 'barrier.decided', group, decision });
  const isNews = (group: string): boolean => !core.groups.get(group)?.replaying;
  return {
    released: decided,
    extended: (group, decision) => {
      if (isNews(group)) decided(group, decision);
    },
    fellBack: (group) => {
      if (isNews(group)) decided(group, { kind: 'fall_back' });
    },
    contributed: (group, member) => {
      if (isNews(group)) core.self.send({ type: 'member.contributed', group, member });
    },
  };
}

function replayDecisions(core: RunCore, live: LiveGroup, row: GroupRow): void {
  const begun = row.deadline !== undefined || row.extensions.length > 0 || row.fellBack;
  if (begun) live.supervisor.send({ type: 'member.dispatched' });
  for (const progressed of row.extensions)
    live.supervisor.send({ type: 'deadline.reached', progressed });
  if (row.fellBack) live.supervisor.send({ type: 'deadline.reached', progressed: [] });
  if (row.deadline !== undefined) scheduleBarrier(core, live, row.deadline);
  if (row.contributions.length > 0) core.agenda.ready.push(...core.frontier.begin(live.id).ready);
}

function replayMembers(core: RunCore, live: LiveGroup, group: GroupSpec): void {
  for (const member of group.members) {
    const row = core.ledger.state.tasks.get(member);
    if (row?.phase !== 'ended' || !row.outcome) continue;
    live.supervisor.send({ type: 'member.ended', member, outcome: row.outcome });
  }
}

/** The release is in the journal, but perhaps not everything that follows from it. */
function releaseAgain(core: RunCore, live: LiveGroup, row: GroupRow): void {
  live.timedOut = row.outcome === 'partial';
  const outcome = (row.outcome ?? 'failed') as BarrierOutcome;
  const decision = {
    kind: 'release',
    outcome,
    reason: row.reason ?? 'completed',
    cancelRest: true,
  } as const;
  core.self.send({ type: 'barrier.decided', group: live.id, decision });
}

function armBarrier(core: RunCore, live: LiveGroup): void {
  const { timeoutMs } = core.book.group(live.id).barrier;
  if (timeoutMs === undefined || live.timer) return;
  const deadline = core.services.clock.now() + timeoutMs;
  core.ledger.commit([{ type: 'barrier.armed', group: live.id, deadline }]);
  scheduleBarrier(core, live, deadline);
}

function scheduleBarrier(core: RunCore, live: LiveGroup, deadline: number): void {
  live.timer?.cancel();
  live.timer = core.services.deadlines.at(deadline, () =>
    core.self.send({ type: 'group.deadline', group: live.id }),
  );
}

function extendBarrier(
  core: RunCore,
  live: LiveGroup,
  { byMs, members }: Extract<BarrierDecision, { kind: 'extend' }>,
): void {
  live.timedOut = false;
  const deadline = core.services.clock.now() + byMs;
  core.ledger.commit([{ type: 'barrier.extended', group: live.id, deadline, members }]);
  scheduleBarrier(core, live, deadline);
}

/** The members that have not ended run one after another: each needs the group's one fallback lock. */
function fallBack(core: RunCore, live: LiveGroup): void {
  const members = unfinished(core, live.id);
  core.services.logger.warn('a group falls back to sequential execution', {
    run: core.run,
    group: live.id,
  });
  core.ledger.commit([{ type: 'barrier.fell_back', group: live.id, members }]);
  for (const id of members) {
    const task = core.live.get(id);
    task?.retryTimer?.cancel();
    if (task) task.retryTimer = undefined;
    if (task?.holding) {
      task.worker?.send({ type: 'attempt.abort', reason: 'barrier_fallback' });
    } else {
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
    core.ledger.commit([{ type: 'barrier.released', group: live.id, outcome, reason }]);
  }
  for (const id of unfinished(core, live.id)) closeMember(core, live, { id, outcome });
  join(core, group, { outcome, reason });
}

function join(
  core: RunCore,
  group: GroupSpec,
  end: { outcome: BarrierOutcome; reason: Reason },
): void {
  const byFunction = group.aggregate?.kind === 'function' && !core.ledger.state.simulated;
  if (!byFunction || end.outcome === 'failed' || core.halted) {
    endGroup(core, group.id, { ...end, output: joinedOutput(core, group.id) });
    return;
  }
  const { id } = core.book.aggregation(group);
  if (core.ledger.state.tasks.get(id)?.phase === 'ended') aggregated(core, group.id, id);
  else core.agenda.ready.push(id);
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
  if (row === undefined || row.attempt === 0) return skipTask(core, id, 'barrier_released');
  const reason =
    member.outcome === 'failed' && !live.timedOut ? 'barrier_failed' : 'barrier_released';
  const inner = core.groups.get(id);
  if (inner)
    for (const part of unfinished(core, id)) closeMember(core, live, { ...member, id: part });
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
    live.ending = { type: 'group.ended', outcome, reason };
    dismiss(core, live);
  });
}

function dismiss(core: RunCore, live: LiveGroup): void {
  if (!live.ending || live.live > 0) return;
  core.groups.delete(live.id);
  live.supervisor.send(live.ending);
}

function unfinished({ ledger, book }: RunCore, groupId: string): string[] {
  return book.group(groupId).members.filter((id) => ledger.state.tasks.get(id)?.phase !== 'ended');
}
