import type { AnyActorRef } from '../../actors/xstate.ts';
import type { GroupRow } from '../../journal/run-state.ts';
import type { Arrival, BarrierDecision, BarrierOutcome } from '../../policies/barrier.ts';
import type { GroupSpec, TaskSpec } from '../../workflow/model.ts';
import type { JoinInput, JoinPort } from '../join.ts';
import { enqueue } from './agenda.ts';
import { armBarrier, replayDeadlines } from './barrier-deadlines.ts';
import type { LiveGroup, RunCore } from './core.ts';
import { foreseeWrites } from './foresight.ts';
import { lateEnded } from './late-members.ts';

/** Between the run, which alone writes the journal, and the supervisors of its groups, which decide by policy. */

/** Starts the supervisor of a group and tells it what has happened so far; undefined when the group has ended. */
export function openGroup(core: RunCore, id: string): LiveGroup | undefined {
  const known = core.groups.get(id);
  const row = core.ledger.state.groups.get(id);
  if (known || row?.phase === 'ended') return known;
  const group = core.book.group(id);
  const live = startSupervisor(core, group);
  core.groups.set(id, live);
  core.openGroups++;
  live.replaying = true;
  if (row) replayDecisions(core, live, row);
  replayMembers(core, live, group);
  live.replaying = false;
  if (row?.phase === 'released') releaseAgain(core, live, row);
  return live;
}

/** A member's end is in the journal: its group's supervisor decides what that means. */
export function memberEnded(core: RunCore, groupId: string, member: string): void {
  if (core.late?.has(member)) lateEnded(core, groupId, member);
  const live = core.groups.get(groupId);
  if (!live) {
    openGroup(core, groupId);
    return;
  }
  tellOfMember(core, live, member);
}

/** Tells a group's supervisor how a member ended, if it has. */
function tellOfMember(core: RunCore, live: LiveGroup, member: string): void {
  const arrival = arrivalOf(core, member);
  if (arrival) live.supervisor.send({ type: 'member.ended', ...arrival });
}

function arrivalOf({ ledger }: RunCore, member: string): Arrival | undefined {
  const row = ledger.state.tasks.get(member);
  if (row?.phase !== 'ended' || !row.outcome) return undefined;
  const leftOut = row.reason === 'condition_false' || row.reason === 'upstream_skipped';
  return { member, outcome: row.outcome, leftOut };
}

/** A member was dispatched: the first one starts the barrier's times and fixes what all members read. */
export function memberDispatched(core: RunCore, task: TaskSpec): void {
  if (task.group === undefined) return;
  const live = openGroup(core, task.group);
  if (!live) return;
  if (!live.view) groupBegins(core, live);
  foreseeWrites(core, live, task);
}

function groupBegins(core: RunCore, live: LiveGroup): void {
  live.view = core.ledger.memory.view();
  core.ledger.commit([{ type: 'group.opened', group: live.id, view: live.view.revision }]);
  live.supervisor.send({ type: 'member.dispatched' });
  armBarrier(core, live);
  const parent = core.book.expanded(live.id);
  if (parent) memberDispatched(core, parent);
}

/** A member's result becomes part of the group's output at once. */
export function contribute(core: RunCore, groupId: string, member: string): void {
  const merged = core.ledger.state.groups.get(groupId)?.contributions;
  if (merged?.has(member)) return;
  const revision = (merged?.size ?? 0) + 1;
  core.ledger.commit([{ type: 'contribution.merged', group: groupId, member, revision }], () => {
    enqueue(core.agenda.ready, core.frontier.begin(groupId).ready);
  });
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
  return { onFault: (worker, error) => core.port.fault(worker, error) };
}

/** What a supervisor announces is carried out when the step that made it announce it is over. */
function announce(core: RunCore, group: string, decision: BarrierDecision): void {
  if (core.inTurn) core.agenda.decided.push({ group, decision });
  else core.self.send({ type: 'barrier.decided', group, decision });
}

function portOf(core: RunCore): JoinPort {
  const decided = (group: string, decision: BarrierDecision): void =>
    announce(core, group, decision);
  const isNews = (group: string): boolean => !core.groups.get(group)?.replaying;
  return {
    // A release that is in the journal stands as it was decided then, not as it would be decided now.
    released: (group, decision) => {
      if (core.ledger.state.groups.get(group)?.phase !== 'released') decided(group, decision);
    },
    extended: (group, decision) => {
      if (isNews(group)) decided(group, decision);
    },
    sufficed: (group) => {
      if (isNews(group)) decided(group, { kind: 'suffice' });
    },
    fellBack: (group) => {
      if (isNews(group)) decided(group, { kind: 'fall_back' });
    },
    contributed: (group, member) => {
      if (core.inTurn) core.agenda.contributed.push({ group, member });
      else core.self.send({ type: 'member.contributed', group, member });
    },
  };
}

function replayDecisions(core: RunCore, live: LiveGroup, row: GroupRow): void {
  if (row.view !== undefined) {
    live.view = core.ledger.memory.view(row.view);
    live.supervisor.send({ type: 'member.dispatched' });
  }
  replayDeadlines(live, row);
  live.timedOut = row.softened === true && !row.fellBack;
  if (row.view !== undefined) armBarrier(core, live);
}

function replayMembers(core: RunCore, live: LiveGroup, group: GroupSpec): void {
  const members = group.members.flatMap((member) => arrivalOf(core, member) ?? []);
  if (members.length > 0) live.supervisor.send({ type: 'members.ended', members });
}

/** The release is in the journal, but perhaps not everything that follows from it. */
function releaseAgain(core: RunCore, live: LiveGroup, row: GroupRow): void {
  live.timedOut = row.timedOut;
  const outcome = (row.outcome ?? 'failed') as BarrierOutcome;
  const goOn = outcome === 'failed' && core.book.group(live.id).barrier.onFailure === 'continue';
  const decision = {
    kind: 'release',
    outcome,
    reason: row.reason ?? 'completed',
    cancelRest: !goOn,
  } as const;
  announce(core, live.id, decision);
}

/** Ends the supervisor of a group that has ended, once none of its workers is left. */
export function dismiss(core: RunCore, live: LiveGroup): void {
  if (!live.ending || live.live > 0) return;
  core.groups.delete(live.id);
  live.supervisor.send(live.ending);
  // A task that was split is judged only now: a late member must not be taken for one of the next round.
  if (core.ledger.state.tasks.get(live.id)?.phase === 'completed')
    core.agenda.completed.push(live.id);
}
