import { TroupeError } from '../core/errors.ts';
import type { ErrorInfo } from '../core/errors.ts';
import type { Census, GroupOutcome, Reason, RunOutcome, TaskOutcome } from '../core/outcome.ts';
import type { Plain, PlainObject } from '../core/plain.ts';
import { aggregationId, memberId, splitTaskOf } from '../workflow/model.ts';
import type { Workflow } from '../workflow/model.ts';
import { applyAdapted, emptyAdaptation } from './adaptation-rows.ts';
import type { AdaptationRows } from './adaptation-rows.ts';
import type { ConflictRecorded, JournalRecord } from './record.ts';
import { applySpent, emptySpend } from './spend-rows.ts';
import type { SpendRows } from './spend-rows.ts';

/**
 * A run's state as the fold of its journal.
 *
 * Invariants:
 * 1. `apply` is the only writer, live and on resume alike.
 * 2. The state depends on the records and nothing else: no clock, no random, no I/O.
 * 3. A row exists only for a task or group that something has happened to; all others wait.
 * 4. An ended row changes only by `run.reopened`, `task.sent_back` or `result.late`.
 */
export interface RunState {
  run: string;
  engine: string;
  status: 'created' | 'running' | 'cancelling' | 'ended';
  workflow: Workflow | undefined;
  source: string;
  input: PlainObject;
  seed: number;
  simulated: boolean;
  startedAt: number;
  /** What deadlines count from: the start, or the newest reopening. */
  activeSince: number;
  endedAt: number | undefined;
  outcome: RunOutcome | undefined;
  reason: Reason | undefined;
  outputs: Plain;
  /** Sequence number of the last record. */
  seq: number;
  /** Time of the last record. */
  lastAt: number;
  /** Times in which nobody carried the run: from the last record before a takeover to the takeover. */
  readonly pauses: Pause[];
  epoch: number;
  cancelledBy: string | undefined;
  readonly tasks: Map<string, TaskRow>;
  readonly groups: Map<string, GroupRow>;
  readonly conflicts: ConflictRows;
  readonly adaptation: AdaptationRows;
  readonly spend: SpendRows;
  /** Groups, and tasks in none, whose workspaces have been merged; false: that has failed. */
  readonly mergedWorkspaces: Map<string, boolean>;
}

/** A time in which nobody carried the run, wall milliseconds. */
export interface Pause {
  readonly from: number;
  readonly to: number;
}

/** The conflicts of a run. All of them stand in its journal. */
export interface ConflictRows {
  recorded: number;
  /** Those that a person has to decide, by the number of their record. */
  readonly open: Map<number, ConflictRecorded>;
}

/** All that has happened to one task. */
export interface TaskRow {
  readonly id: string;
  /** `completed`: it has an output that its checkers have not accepted yet. */
  phase: 'waiting' | 'running' | 'backing_off' | 'completed' | 'ended';
  outcome: TaskOutcome | undefined;
  reason: Reason | undefined;
  /** Attempts dispatched so far, over all iterations. */
  attempt: number;
  /** Attempts that do not count against the retry policy any more. */
  attemptBase: number;
  iteration: number;
  /** First dispatch. */
  startedAt: number | undefined;
  /** First dispatch of those attempts that count against the retry policy. */
  roundStartedAt: number | undefined;
  /** Dispatch of the newest attempt. */
  dispatchedAt: number | undefined;
  finishedAt: number | undefined;
  /** Time in which attempts that have ended held permits; no backoff, no pause. */
  heldMs: number;
  retryAt: number | undefined;
  output: Plain;
  error: ErrorInfo | undefined;
  feedback: Plain;
  steps: Record<string, Plain> | undefined;
  /** What an expanding task was split into. */
  items: readonly Plain[] | undefined;
  late: number;
}

/** All that has happened to one group, or to the members of one expanded task. */
export interface GroupRow {
  readonly id: string;
  phase: 'open' | 'released' | 'ended';
  deadline: number | undefined;
  /** Members that had shown progress, per extension granted. */
  readonly extensions: (readonly string[])[];
  fellBack: boolean;
  outcome: GroupOutcome | undefined;
  reason: Reason | undefined;
  /** When waiting for members was over. */
  releasedAt: number | undefined;
  endedAt: number | undefined;
  output: Plain;
  census: Census | undefined;
  /** Members in the order in which their results were merged. */
  readonly contributions: Set<string>;
  /** Revision of the view that all members read; undefined: none was dispatched. */
  view: number | undefined;
  /** Its time was over when it was released. */
  timedOut: boolean;
}

/** The state before the first record. */
export function emptyRunState(): RunState {
  return {
    run: '',
    engine: '',
    status: 'created',
    workflow: undefined,
    source: '',
    input: {},
    seed: 0,
    simulated: false,
    startedAt: 0,
    activeSince: 0,
    endedAt: undefined,
    outcome: undefined,
    reason: undefined,
    outputs: null,
    seq: 0,
    lastAt: 0,
    pauses: [],
    epoch: 0,
    cancelledBy: undefined,
    tasks: new Map(),
    groups: new Map(),
    conflicts: { recorded: 0, open: new Map() },
    adaptation: emptyAdaptation(),
    spend: emptySpend(),
    mergedWorkspaces: new Map(),
  };
}

/** The row of a task, made on first use. */
function taskRow(state: RunState, id: string): TaskRow {
  const known = state.tasks.get(id);
  if (known) return known;
  const row: TaskRow = {
    id,
    phase: 'waiting',
    outcome: undefined,
    reason: undefined,
    attempt: 0,
    attemptBase: 0,
    iteration: 1,
    startedAt: undefined,
    roundStartedAt: undefined,
    dispatchedAt: undefined,
    finishedAt: undefined,
    heldMs: 0,
    retryAt: undefined,
    output: null,
    error: undefined,
    feedback: null,
    steps: undefined,
    items: undefined,
    late: 0,
  };
  state.tasks.set(id, row);
  return row;
}

/** The row of a group (or of an expanding task's members), made on first use. */
function groupRow(state: RunState, id: string): GroupRow {
  const known = state.groups.get(id);
  if (known) return known;
  const row: GroupRow = {
    id,
    phase: 'open',
    deadline: undefined,
    extensions: [],
    fellBack: false,
    outcome: undefined,
    reason: undefined,
    releasedAt: undefined,
    endedAt: undefined,
    output: null,
    census: undefined,
    contributions: new Set(),
    view: undefined,
    timedOut: false,
  };
  state.groups.set(id, row);
  return row;
}

type RecordOf<Type extends JournalRecord['type']> = Extract<JournalRecord, { type: Type }>;

/** One function per record type; a record type without one does not compile. */
type Appliers = {
  readonly [Type in JournalRecord['type']]: (state: RunState, record: RecordOf<Type>) => void;
};

const appliers: Appliers = {
  'run.started': (state, record) => {
    state.status = 'running';
    state.run = record.run;
    state.engine = record.engine;
    state.workflow = record.workflow;
    state.source = record.source;
    state.input = record.input;
    state.seed = record.seed;
    state.simulated = record.simulated;
    state.startedAt = record.at;
    state.activeSince = record.at;
  },
  'lease.taken': (state, record) => {
    state.epoch = record.epoch;
    if (record.at > state.lastAt) state.pauses.push({ from: state.lastAt, to: record.at });
    for (const row of state.tasks.values()) {
      if (row.phase !== 'running' || row.items) continue;
      countHeld(row, state.lastAt);
      row.phase = 'waiting';
    }
  },
  'run.reopened': (state, record) => {
    state.status = 'running';
    state.endedAt = undefined;
    state.outcome = undefined;
    state.reason = undefined;
    state.cancelledBy = undefined;
    state.activeSince = record.at;
    state.spend.exhausted.clear();
    reopenRejected(state);
    reopenTasks(state);
    reopenGroups(state);
    for (const [unit, isDone] of state.mergedWorkspaces)
      if (!isDone) state.mergedWorkspaces.delete(unit);
  },
  'run.cancel_requested': (state, record) => {
    state.status = 'cancelling';
    state.cancelledBy = record.by;
  },
  'run.ended': (state, record) => {
    state.status = 'ended';
    state.endedAt = record.at;
    state.outcome = record.outcome;
    state.reason = record.reason;
    state.outputs = record.outputs;
  },
  'task.started': (state, record) => {
    const row = taskRow(state, record.task);
    row.phase = 'running';
    row.attempt = record.attempt;
    row.iteration = record.iteration;
    row.startedAt ??= record.at;
    if (record.attempt === row.attemptBase + 1) row.roundStartedAt = record.at;
    row.dispatchedAt = record.at;
    row.retryAt = undefined;
  },
  'step.done': (state, record) => {
    const row = taskRow(state, record.task);
    row.steps ??= Object.create(null) as Record<string, Plain>;
    row.steps[record.name] = record.value;
  },
  'task.succeeded': (state, record) => {
    const row = taskRow(state, record.task);
    end(row, { outcome: 'succeeded', reason: 'completed', at: record.at });
    row.output = record.output;
    row.error = undefined;
    row.steps = undefined;
  },
  'task.completed': (state, record) => {
    const row = taskRow(state, record.task);
    countHeld(row, record.at);
    row.phase = 'completed';
    row.finishedAt = record.at;
    row.output = record.output;
    row.error = undefined;
    row.steps = undefined;
  },
  'attempt.failed': (state, record) => {
    const row = taskRow(state, record.task);
    countHeld(row, record.at);
    row.phase = 'backing_off';
    // An attempt that waited for a lock in vain was never dispatched.
    row.attempt = Math.max(row.attempt, record.attempt);
    row.error = record.error;
    row.retryAt = record.retryAt;
  },
  'task.ended': (state, record) => {
    const row = taskRow(state, record.task);
    end(row, record);
    row.error = record.error ?? row.error;
    row.attempt = Math.max(row.attempt, record.attempt ?? 0);
  },
  'task.sent_back': (state, record) => {
    const row = taskRow(state, record.task);
    forgetMembers(state, row);
    beginIteration(row, record.iteration);
    row.feedback = record.feedback;
    for (const id of record.recheck) {
      const checker = taskRow(state, id);
      beginIteration(checker, checker.iteration + 1);
    }
  },
  'task.accepted': (state, record) => {
    const row = taskRow(state, record.task);
    end(row, { outcome: 'succeeded', reason: 'completed', at: row.finishedAt ?? record.at });
  },
  'task.expanded': (state, record) => {
    const row = taskRow(state, record.task);
    row.items = record.items;
    row.phase = 'running';
    row.startedAt ??= record.at;
    row.dispatchedAt = record.at;
  },
  'result.late': (state, record) => {
    taskRow(state, record.task).late++;
  },
  'group.opened': (state, record) => {
    groupRow(state, record.group).view = record.view;
  },
  'barrier.armed': (state, record) => {
    groupRow(state, record.group).deadline = record.deadline;
  },
  'barrier.extended': (state, record) => {
    const row = groupRow(state, record.group);
    row.deadline = record.deadline;
    row.extensions.push(record.members);
  },
  'barrier.fell_back': (state, record) => {
    const row = groupRow(state, record.group);
    row.fellBack = true;
    row.deadline = undefined;
    for (const id of record.members) {
      const member = taskRow(state, id);
      member.attemptBase = member.attempt;
    }
  },
  'barrier.released': (state, record) => {
    const row = groupRow(state, record.group);
    row.phase = 'released';
    row.releasedAt = record.at;
    row.deadline = undefined;
    row.outcome = record.outcome;
    row.reason = record.reason;
    row.timedOut = record.timedOut;
  },
  'contribution.merged': (state, record) => {
    groupRow(state, record.group).contributions.add(record.member);
  },
  'group.ended': (state, record) => {
    const row = groupRow(state, record.group);
    row.phase = 'ended';
    row.outcome = record.outcome;
    row.reason = record.reason;
    row.endedAt = record.at;
    row.output = record.output;
    row.census = record.census;
  },
  'attempt.spent': ({ spend }, record) => applySpent(spend, record),
  'budget.exhausted': ({ spend }, { agent = '', cap }) => {
    spend.exhausted.set(agent, cap);
  },
  'memory.committed': () => undefined,
  'policy.adapted': ({ adaptation }, record) => applyAdapted(adaptation, record),
  'conflict.recorded': ({ conflicts }, record) => {
    conflicts.recorded++;
    if (record.open) conflicts.open.set(record.seq, record);
  },
  'conflict.resolved': ({ conflicts }, record) => {
    conflicts.open.delete(record.conflict);
  },
  'workspace.merged': (state, record) => {
    const before = state.mergedWorkspaces.get(record.unit) ?? true;
    state.mergedWorkspaces.set(record.unit, before && record.error === undefined);
  },
};

type Applier = (state: RunState, record: JournalRecord) => void;

/**
 * Applies one record. The state is changed in place: a run of 100,000 tasks is folded at a flat cost
 * per record. Memory has a fold of its own (memory/run-memory.ts).
 */
export function apply(state: RunState, record: JournalRecord): void {
  state.seq = record.seq;
  const applier = appliers[record.type] as Applier | undefined;
  if (!applier) {
    throw new TroupeError('TRP_JOURNAL_VERSION', `A record of type ${record.type} is not known.`);
  }
  applier(state, record);
  state.lastAt = record.at;
}

/** The fold of a whole journal. */
export function fold(records: Iterable<JournalRecord>): RunState {
  const state = emptyRunState();
  for (const record of records) apply(state, record);
  return state;
}

function end(
  row: TaskRow,
  { outcome, reason, at }: { outcome: TaskOutcome; reason: Reason; at: number },
): void {
  countHeld(row, at);
  row.phase = 'ended';
  row.outcome = outcome;
  row.reason = reason;
  row.finishedAt = at;
  row.retryAt = undefined;
}

/** An attempt is over that held permits; a task that was split holds none. */
function countHeld(row: TaskRow, at: number): void {
  if (row.phase !== 'running' || row.items) return;
  row.heldMs += Math.max(0, at - (row.dispatchedAt ?? at));
}

function beginIteration(row: TaskRow, iteration: number): void {
  row.phase = 'waiting';
  row.iteration = iteration;
  row.attemptBase = row.attempt;
  row.outcome = undefined;
  row.reason = undefined;
  row.finishedAt = undefined;
  row.items = undefined;
  row.steps = undefined;
  row.error = undefined;
}

/** A new round of an expanded task splits anew: the members of the last round are history. */
function forgetMembers(state: RunState, row: TaskRow): void {
  if (!row.items) return;
  for (let index = 0; index < row.items.length; index++)
    state.tasks.delete(memberId(row.id, index));
  state.tasks.delete(aggregationId(row.id));
  state.groups.delete(row.id);
}

/** What was refused is done anew, in a new iteration, and judged anew; so is what stood in for a failed task. */
function reopenRejected(state: RunState): void {
  const reopened = new Set<string>();
  for (const row of state.tasks.values()) {
    if (row.phase !== 'ended' || row.outcome === 'succeeded') continue;
    reopened.add(row.id);
    if (row.reason !== 'validation_rejected') continue;
    forgetMembers(state, row);
    beginIteration(row, row.iteration + 1);
  }
  for (const { id, validates } of state.workflow?.tasks ?? []) {
    if (validates === undefined || !reopened.has(validates)) continue;
    const checker = state.tasks.get(id);
    if (checker?.phase === 'ended') beginIteration(checker, checker.iteration + 1);
  }
}

function reopenTasks(state: RunState): void {
  for (const row of state.tasks.values()) {
    if (row.phase !== 'ended' || row.outcome === 'succeeded') continue;
    // A gap that the join has tolerated: the task that was split has its output, and keeps it.
    if (state.tasks.get(splitTaskOf(row.id))?.outcome === 'succeeded') continue;
    row.phase = 'waiting';
    row.outcome = undefined;
    row.reason = undefined;
    row.finishedAt = undefined;
    row.error = undefined;
    row.attemptBase = row.attempt;
  }
}

/** A group that was released with what it needed stays released: its dependents have used its output. */
function reopenGroups(state: RunState): void {
  for (const [id, row] of state.groups) {
    const isAgain = state.tasks.get(id)?.phase === 'waiting';
    if ((row.outcome === 'succeeded' || row.outcome === 'partial') && !isAgain) continue;
    state.groups.delete(id);
  }
}
