import { apply } from '../journal/fold.ts';
import { emptyRunState } from '../journal/run-state.ts';
import type { GroupRow, RunState, TaskRow } from '../journal/run-state.ts';
import type { JournalRecord } from '../journal/record.ts';
import { splitTaskOf } from '../workflow/model.ts';
import type { Need, TaskSpec } from '../workflow/model.ts';

/** A law that was broken, and where. */
export interface Breach {
  readonly law: string;
  readonly detail: string;
}

/** What is known when a record is held against the laws: all that stands before it. */
export interface Moment {
  readonly record: JournalRecord;
  readonly state: RunState;
  /** Row of the task that the record names, if something has happened to it. */
  readonly row: TaskRow | undefined;
  /** Row of the group that the record names. */
  readonly group: GroupRow | undefined;
  readonly wasReopened: boolean;
  readonly wasPaused: boolean;
}

/** Says what is wrong with a record, or undefined. */
export type RecordCheck = (moment: Moment) => string | undefined;

/**
 * What holds for every record of every journal, whatever went wrong while it was written. The name of a
 * law is the sentence that it states.
 */
export const journalLaws: { readonly [law: string]: RecordCheck } = {
  'records are numbered from 1 without gaps': ({ record, state }) =>
    unless(record.seq === state.seq + 1, `${record.seq} follows ${state.seq}`),

  'after run.ended come only a takeover, a reopening or a request to cancel': ({ record, state }) =>
    unless(state.status !== 'ended' || afterTheEnd.has(record.type), record.type),

  'an attempt starts only when its task waits': ({ record, row }) =>
    when(record.type === 'task.started', () => inPhase(row, undefined, 'waiting', 'backing_off')),

  'an attempt starts only when what it needs is there': ({ record, state }) =>
    when(record.type === 'task.started', () => missingNeed(record, state)),

  'a member starts only while the task that was split runs': ({ record, state }) =>
    when(record.type === 'task.started', () => {
      const split = splitTaskOf(taskOf(record));
      return split === taskOf(record) ? undefined : inPhase(state.tasks.get(split), 'running');
    }),

  // Except where a failure does not keep members from going on, and after a reopening.
  'a member starts only while its group is open': (moment) =>
    when(moment.record.type === 'task.started' && !moment.wasReopened, () => closedGroup(moment)),

  'nothing starts while the run is paused': ({ record, state }) =>
    unless(record.type !== 'task.started' || !state.paused, 'it is paused'),

  'a question is answered once, by one of its choices': ({ record, row }) => {
    if (record.type !== 'escalation.answered' || record.choice === 'escalate') return undefined;
    const { escalation, answer } = row?.recovery ?? {};
    if (escalation?.id !== record.escalation || row?.phase !== 'parked') return 'it is not open';
    if (answer) return 'it was answered';
    return unless(escalation.opened.choices?.includes(record.choice) === true, record.choice);
  },

  'work goes back to whoever has just failed at it only when there is nobody else': (moment) =>
    when(moment.record.type === 'attempt.failed', () => backToTheSame(moment)),

  // Or it is what a person has said, or what stands in for it.
  'a result comes from an attempt that runs': ({ record, row }) => {
    if (record.type !== 'task.succeeded' && record.type !== 'task.completed') return undefined;
    return isGiven(row) ? undefined : inPhase(row, 'running');
  },

  'a failed attempt ran, and is not tried again while the run is cancelled': (moment) =>
    when(moment.record.type === 'attempt.failed', () => {
      if (moment.state.status === 'cancelling') return 'the run is being cancelled';
      // Whoever waited too long for a lock has spent an attempt without beginning it.
      return isUnbegun(moment)
        ? inPhase(moment.row, undefined, 'waiting', 'backing_off')
        : inPhase(moment.row, 'running');
    }),

  'an attempt is followed by another only as long as its policy allows': (moment) =>
    when(moment.record.type === 'attempt.failed', () => beyondPolicy(moment)),

  'a group succeeds only with the successes that it asks for': (moment) =>
    when(moment.record.type === 'barrier.released', () => tooFewSuccesses(moment)),

  'a step belongs to an attempt that runs': ({ record, row }) =>
    when(record.type === 'step.done', () => inPhase(row, 'running')),

  'a task ends once': ({ record, row }) =>
    unless(record.type !== 'task.ended' || row?.phase !== 'ended', 'it had ended'),

  'only a completed output is accepted': ({ record, row }) =>
    when(record.type === 'task.accepted', () => inPhase(row, 'completed')),

  'a barrier is armed once, while its group is open and before it falls back': (moment) =>
    moment.record.type === 'barrier.armed' ? armedWrongly(moment, moment.record) : undefined,

  'a barrier is extended while its group is open, and not beyond its hard deadline': ({
    record,
    group,
  }) => {
    if (record.type !== 'barrier.extended') return undefined;
    if (record.deadline > (group?.hardDeadline ?? Infinity)) return 'it is beyond';
    return notOpen(group);
  },

  'a soft deadline passes once, while the group is open': ({ record, group }) =>
    when(record.type === 'barrier.softened', () =>
      group?.softened ? 'it has passed' : notOpen(group),
    ),

  'a barrier falls back once, while its group is open': ({ record, group }) =>
    when(record.type === 'barrier.fell_back', () =>
      group?.fellBack ? 'it fell back' : notOpen(group),
    ),

  'a group is released once': ({ record, group }) =>
    when(record.type === 'barrier.released', () => notOpen(group)),

  'a contribution is merged once, before its group ends unless the member was let run on': ({
    record,
    group,
  }) => {
    if (record.type !== 'contribution.merged') return undefined;
    if (group?.contributions.has(record.member)) return `${record.member} was merged`;
    if (group?.late?.includes(record.member)) return undefined;
    return unless(group?.phase !== 'ended', 'the group had ended');
  },

  'a late result is merged once, of a member that was let run on and has succeeded': ({
    record,
    state,
    group,
  }) => {
    if (record.type !== 'contribution.late') return undefined;
    const { member } = record;
    if (!group?.late?.includes(member)) return `${member} was not let run on`;
    if (group.lateMerged?.includes(member)) return `${member} was merged`;
    return unless(state.tasks.get(member)?.outcome === 'succeeded', `${member} has no result`);
  },

  'a group ends once, as it was released': ({ record, group }) => {
    if (record.type !== 'group.ended') return undefined;
    if (group?.phase === 'ended') return 'it had ended';
    if (group?.phase !== 'released' || record.reason === 'aggregate_failed') return undefined;
    const isSame = group.outcome === record.outcome && group.reason === record.reason;
    return unless(isSame, `${group.outcome} ${group.reason} became ${record.reason}`);
  },

  'nothing starts before its time': ({ record, state }) =>
    when(record.type === 'task.started', () => {
      const { notBefore } = specOf(state, taskOf(record)) ?? {};
      if (!notBefore) return undefined;
      const at = 'atMs' in notBefore ? notBefore.atMs : state.startedAt + notBefore.afterMs;
      return unless(record.at >= at, `it is ${at - record.at} ms too early`);
    }),

  'nothing is begun that a budget has no more for': ({ record, state }) =>
    when(record.type === 'task.started', () => {
      const { exhausted } = state.spend;
      const agent = specOf(state, splitTaskOf(taskOf(record)))?.agent;
      if (agent === undefined) return undefined;
      return unless(!exhausted.has('') && !exhausted.has(agent), 'it is used up');
    }),

  'a budget is used up once': ({ record, state }) =>
    record.type === 'budget.exhausted' && state.spend.exhausted.has(record.agent ?? '')
      ? 'it was'
      : undefined,

  'an open conflict is decided once': ({ record, state }) =>
    record.type === 'conflict.resolved' && !state.conflicts.open.has(record.conflict)
      ? `${record.conflict} is not open`
      : undefined,

  'a run ends with a reason': ({ record }) =>
    record.type === 'run.ended' && !record.reason ? 'none' : undefined,

  'at the end of a run every task and every group has ended': ({ record, state }) =>
    when(record.type === 'run.ended', () => whatIsOpen(state)),
};

/**
 * Holds every record of a journal against the laws.
 * @param laws default: those of every journal
 */
export function breachesOf(
  records: readonly JournalRecord[],
  laws: typeof journalLaws = journalLaws,
): readonly Breach[] {
  const state = emptyRunState();
  const breaches: Breach[] = [];
  let wasReopened = false;
  let wasPaused = false;
  for (const record of records) {
    wasReopened ||= record.type === 'run.reopened';
    wasPaused ||= record.type === 'run.paused';
    const row = 'task' in record ? state.tasks.get(record.task) : undefined;
    const group = 'group' in record ? state.groups.get(record.group) : undefined;
    breaches.push(...breachesAt({ record, state, row, group, wasReopened, wasPaused }, laws));
    apply(state, record);
  }
  return breaches;
}

function breachesAt(moment: Moment, laws: typeof journalLaws): Breach[] {
  const { record } = moment;
  return Object.entries(laws).flatMap(([law, check]) => {
    const fault = check(moment);
    const subject = 'task' in record ? record.task : 'group' in record ? record.group : '';
    if (fault === undefined) return [];
    return [{ law, detail: `record ${record.seq}, ${record.type} ${subject}: ${fault}` }];
  });
}

const afterTheEnd = new Set(['lease.taken', 'run.reopened', 'run.cancel_requested']);

function isUnbegun({ record, state, row }: Moment): boolean {
  if (record.type !== 'attempt.failed') return false;
  const mayTimeOut = specOf(state, splitTaskOf(record.task))?.lockTimeoutMs !== undefined;
  return mayTimeOut && record.attempt === (row?.attempt ?? 0) + 1;
}

/** Classes of failures may have limits of their own, and a ladder asks others when its first rung is done. */
function beyondPolicy({ record, state, row }: Moment): string | undefined {
  if (record.type !== 'attempt.failed' || record.error.errorClass === 'cancelled') return undefined;
  const { retry, escalation } = specOf(state, splitTaskOf(record.task)) ?? {};
  const attempt = record.attempt - (row?.attemptBase ?? 0);
  if (!retry || retry.on || escalation || attempt < retry.maxAttempts) return undefined;
  return `attempt ${attempt} of ${retry.maxAttempts} is followed by another`;
}

/** A person gave it its output, or a rung does with nothing but a value. */
function isGiven(row: TaskRow | undefined): boolean {
  const { answer, escalation } = row?.recovery ?? {};
  return answer?.choice === 'value' || escalation?.opened.rung === 'degrade';
}

function backToTheSame({ record, state, row }: Moment): string | undefined {
  if (record.type !== 'attempt.failed' || !isOnPeers(row, record.attempt)) return undefined;
  const { agent = '' } = specOf(state, splitTaskOf(record.task)) ?? {};
  const { by } = row?.recovery ?? {};
  const [before, next] = [agentOr(agent, by), agentOr(agent, record.next)];
  const { peers = [] } = state.workflow?.agents[agent] ?? {};
  return before === next && peers.some((peer) => peer !== before) ? `to ${next}` : undefined;
}

function agentOr(own: string, given: { readonly agent?: string } | undefined): string {
  return given?.agent ?? own;
}

/** The attempt that has failed was one of the rung that goes round the peers. */
function isOnPeers(row: TaskRow | undefined, attempt: number): boolean {
  const opened = row?.recovery?.escalation?.opened;
  return opened?.rung === 'other_worker' && opened.after < attempt;
}

function tooFewSuccesses({ record, state }: Moment): string | undefined {
  if (record.type !== 'barrier.released' || record.outcome !== 'succeeded') return undefined;
  const spec = state.workflow?.groups.find(({ id }) => id === record.group);
  if (!spec || !('count' in spec.barrier.minSuccess)) return undefined;
  const { count } = spec.barrier.minSuccess;
  const found = spec.members.filter((id) => state.tasks.get(id)?.outcome === 'succeeded').length;
  return unless(found >= count, `${found} of ${count}`);
}

function unless(isFine: boolean, fault: string): string | undefined {
  return isFine ? undefined : fault;
}

function when(applies: boolean, check: () => string | undefined): string | undefined {
  return applies ? check() : undefined;
}

function inPhase(
  row: TaskRow | undefined,
  ...phases: readonly (TaskRow['phase'] | undefined)[]
): string | undefined {
  return unless(phases.includes(row?.phase), `${row?.id ?? 'it'} is ${row?.phase ?? 'untouched'}`);
}

function notOpen(group: GroupRow | undefined): string | undefined {
  return unless(group === undefined || group.phase === 'open', `the group is ${group?.phase}`);
}

function taskOf(record: JournalRecord): string {
  return 'task' in record ? record.task : '';
}

function specOf(state: RunState, id: string): TaskSpec | undefined {
  return state.workflow?.tasks.find((task) => task.id === id);
}

function missingNeed(record: JournalRecord, state: RunState): string | undefined {
  const task = specOf(state, taskOf(record));
  const missing = task?.needs.find(
    (need) => need.kind === 'data' && !isThere(need, { task, state }),
  );
  return missing && `${missing.on} is not there`;
}

/** Data is there once it is accepted; for those who judge it, once it is complete. */
function isThere({ on, target }: Need, { task, state }: { task: TaskSpec; state: RunState }) {
  if (target === 'group') return state.groups.get(on)?.phase === 'ended';
  const row = state.tasks.get(on);
  if (row?.phase === 'completed') return task.validates === on;
  if (row?.phase !== 'ended') return false;
  const standsIn = specOf(state, on)?.default !== undefined && row.outcome !== 'skipped';
  return row.outcome === 'succeeded' || standsIn;
}

function closedGroup({ record, state }: Moment): string | undefined {
  const id = taskOf(record);
  const split = splitTaskOf(id);
  const declared = specOf(state, split)?.group;
  if (declared !== undefined && goesOn(state, declared, split)) return undefined;
  const own = split === id ? declared : split;
  return own === undefined ? undefined : notOpen(state.groups.get(own));
}

/** A run that adapts may move the timeout on, with all its timeouts; one that was paused, all of its times. */
function armedWrongly(
  { group, state, wasPaused }: Moment,
  { bound, deadline }: Extract<JournalRecord, { type: 'barrier.armed' }>,
): string | undefined {
  if (bound) return (wasPaused ? undefined : armedAgain(bound, group)) ?? notOpen(group);
  if (!group) return undefined;
  const mayMove = state.adaptation.timeoutFactor > 1 || wasPaused;
  if (group.deadline !== undefined && !(mayMove && deadline > group.deadline))
    return 'it was armed';
  return group.fellBack ? 'it fell back' : notOpen(group);
}

function armedAgain(bound: 'soft' | 'hard', group: GroupRow | undefined): string | undefined {
  if (bound === 'hard') return group?.hardDeadline === undefined ? undefined : 'it was armed';
  if (group?.softened) return 'it has passed';
  return group?.softDeadline === undefined ? undefined : 'it was armed';
}

/** Members of a declared group go on after an early release with `on_failure: continue`, or when they are let run on. */
function goesOn(state: RunState, group: string, member: string): boolean {
  if (state.groups.get(group)?.late?.includes(member)) return true;
  const spec = state.workflow?.groups.find(({ id }) => id === group);
  return spec?.barrier.onFailure === 'continue';
}

function whatIsOpen(state: RunState): string | undefined {
  const untouched = state.workflow?.tasks.find(({ id }) => state.tasks.get(id)?.phase !== 'ended');
  if (untouched) return `${untouched.id} has not ended`;
  // Members that never got so far as to start have rows that wait for ever.
  const live = [...state.tasks.values()].find((row) => inPhase(row, 'ended', 'waiting'));
  if (live) return `${live.id} is ${live.phase}`;
  const group = [...state.groups.values()].find(({ phase }) => phase !== 'ended');
  return group && `group ${group.id} is ${group.phase}`;
}
