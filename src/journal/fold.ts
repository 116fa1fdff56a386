import { TroupeError } from '../core/errors.ts';
import type { Reason, TaskOutcome } from '../core/outcome.ts';
import type { Plain } from '../core/plain.ts';
import { aggregationId, memberId, splitTaskOf } from '../workflow/model.ts';
import { applyAdapted } from './adaptation-rows.ts';
import {
  applyArmed,
  applyContribution,
  applyExtended,
  applyForeseen,
  applyReleased,
  applySoftened,
  forgetLate,
} from './barrier-rows.ts';
import { countHeld } from './held-time.ts';
import { applyMigrated } from './migration-rows.ts';
import type { JournalRecord } from './record.ts';
import { emptyRunState, groupRow, taskRow } from './run-state.ts';
import type { RunState, TaskRow } from './run-state.ts';
import { applyBreaker, applyHedge, applyHedgeEnd } from './policy-rows.ts';
import { applyFailed, applyRungCost, forgetRound, recoveryAppliers } from './recovery-fold.ts';
import { noteLost, noteTaken, supervisionAppliers } from './supervision-fold.ts';
import { applySpent } from './spend-rows.ts';
import { addSpend } from '../policies/budget.ts';

type RecordOf<Type extends JournalRecord['type']> = Extract<JournalRecord, { type: Type }>;

/** One function per record type; a record type without one does not compile. */
type Appliers = {
  readonly [Type in JournalRecord['type']]: (state: RunState, record: RecordOf<Type>) => void;
};

const appliers: Appliers = {
  ...recoveryAppliers,
  ...supervisionAppliers,
  'run.started': (state, record) => {
    state.status = 'running';
    state.run = record.run;
    state.engine = record.engine;
    state.workflow = record.workflow;
    state.source = record.source;
    state.input = record.input;
    state.seed = record.seed;
    state.simulated = record.simulated;
    if (record.forked) state.forked = record.forked;
    state.startedAt = record.at;
    state.activeSince = record.at;
  },
  'lease.taken': (state, record) => {
    state.epoch = record.epoch;
    if (record.at > state.lastAt) state.pauses.push({ from: state.lastAt, to: record.at });
    state.hedges.running.clear();
    for (const row of state.tasks.values()) {
      if (row.phase !== 'running' || row.items) continue;
      countHeld(row, state.lastAt);
      noteTaken(state, row);
      row.unsettled ??= row.attempt;
      row.phase = 'waiting';
    }
    state.interrupted = false;
  },
  'run.reopened': (state, record) => {
    state.status = 'running';
    state.endedAt = undefined;
    state.outcome = undefined;
    state.reason = undefined;
    state.cancelledBy = undefined;
    state.activeSince = record.at;
    state.spend.exhausted.clear();
    state.paused = undefined;
    if (record.only) return reopenOnly(state, record.only);
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
    state.paused = undefined;
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
    if (row.recovery) row.recovery.by = record.by;
  },
  'step.done': (state, record) => {
    const row = taskRow(state, record.task);
    row.steps ??= Object.create(null) as Record<string, Plain>;
    row.steps[record.name] = record.value;
  },
  'task.succeeded': (state, record) => {
    const row = taskRow(state, record.task);
    end(row, { outcome: 'succeeded', reason: 'completed', at: record.at });
    if (record.attempt !== row.attempt) row.wonBy = record.attempt;
    row.output = record.output;
    row.error = undefined;
    row.steps = undefined;
  },
  'task.completed': (state, record) => {
    const row = taskRow(state, record.task);
    countHeld(row, record.at);
    row.phase = 'completed';
    row.finishedAt = record.at;
    if (record.attempt !== row.attempt) row.wonBy = record.attempt;
    row.output = record.output;
    row.error = undefined;
    row.steps = undefined;
  },
  'attempt.failed': (state, record) => {
    const row = taskRow(state, record.task);
    countHeld(row, record.at);
    applyFailed(row, record);
    noteLost(row, record);
    row.phase = 'backing_off';
    // An attempt that waited for a lock in vain was never dispatched.
    row.attempt = Math.max(row.attempt, record.attempt);
    row.retryAt = record.retryAt;
    if (row.unsettled !== undefined) row.unsettled = undefined;
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
  'barrier.armed': (state, record) => applyArmed(groupRow(state, record.group), record),
  'barrier.extended': (state, record) => applyExtended(groupRow(state, record.group), record),
  'barrier.softened': (state, record) => applySoftened(groupRow(state, record.group)),
  'barrier.fell_back': (state, record) => {
    const row = groupRow(state, record.group);
    row.fellBack = true;
    row.deadline = undefined;
    for (const id of record.members) {
      const member = taskRow(state, id);
      member.attemptBase = member.attempt;
      if (member.phase !== 'parked') forgetRound(member);
    }
  },
  'barrier.released': (state, record) => {
    const row = groupRow(state, record.group);
    row.phase = 'released';
    row.releasedAt = record.at;
    applyReleased(row, record);
    row.outcome = record.outcome;
    row.reason = record.reason;
    row.timedOut = record.timedOut;
  },
  'contribution.merged': (state, record) =>
    applyContribution(groupRow(state, record.group), record),
  'contribution.late': (state, record) => applyContribution(groupRow(state, record.group), record),
  'group.ended': (state, record) => {
    const row = groupRow(state, record.group);
    row.phase = 'ended';
    row.outcome = record.outcome;
    row.reason = record.reason;
    row.endedAt = record.at;
    row.output = record.output;
    row.census = record.census;
  },
  'attempt.spent': ({ spend, hedges, tasks }, record) => {
    applySpent(spend, record);
    if (record.loser) addSpend(hedges.wasted, record);
    applyRungCost(tasks, record);
  },
  'budget.exhausted': ({ spend }, { agent = '', cap }) => {
    spend.exhausted.set(agent, cap);
  },
  'breaker.decided': (state, record) =>
    applyBreaker(state.breakers, taskRow(state, record.task), record),
  'hedge.started': (state, record) => applyHedge(state.hedges, taskRow(state, record.task), record),
  'hedge.ended': (state, record) =>
    applyHedgeEnd(state.hedges, taskRow(state, record.task), record),
  'memory.committed': () => undefined,
  'policy.adapted': ({ adaptation }, record) => applyAdapted(adaptation, record),
  'alert.raised': () => undefined,
  'conflict.foreseen': (state, record) => applyForeseen(groupRow(state, record.group), record),
  'conflict.recorded': ({ conflicts }, record) => {
    conflicts.recorded++;
    if (record.open) conflicts.open.set(record.seq, record);
  },
  'conflict.resolved': ({ conflicts }, record) => {
    conflicts.open.delete(record.conflict);
  },
  'workflow.migrated': (state, record) =>
    applyMigrated(state, record, (row) => {
      forgetMembers(state, row);
      beginIteration(row, row.iteration + 1);
    }),
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
  row.recovery = undefined;
}

function beginIteration(row: TaskRow, iteration: number): void {
  row.phase = 'waiting';
  row.iteration = iteration;
  row.attemptBase = row.attempt;
  row.wonBy = undefined;
  row.outcome = undefined;
  row.reason = undefined;
  row.finishedAt = undefined;
  row.items = undefined;
  row.steps = undefined;
  row.error = undefined;
  row.recovery = undefined;
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

/**
 * Opens some tasks and groups, whatever came of them, and leaves all others as they are. What had succeeded is new
 * work, with an operation id of its own.
 */
function reopenOnly(state: RunState, ids: readonly string[]): void {
  for (const id of ids) {
    state.mergedWorkspaces.delete(id);
    if (!state.tasks.has(id)) state.groups.delete(id);
  }
  for (const id of ids) {
    const row = state.tasks.get(id);
    if (row?.phase !== 'ended') continue;
    if (row.outcome === 'succeeded' || row.reason === 'validation_rejected') {
      forgetMembers(state, row);
      beginIteration(row, row.iteration + 1);
    } else reopenSplit(state, row);
  }
}

/** Members that have succeeded stay as they are. */
function reopenSplit(state: RunState, row: TaskRow): void {
  reopenRow(row);
  if (!row.items) return;
  const members = row.items.map((_, index) => memberId(row.id, index));
  for (const id of [...members, aggregationId(row.id)]) {
    const member = state.tasks.get(id);
    if (member && member.outcome !== 'succeeded') reopenRow(member);
  }
  state.groups.delete(row.id);
}

function reopenTasks(state: RunState): void {
  for (const row of state.tasks.values()) {
    if (row.phase !== 'ended' || row.outcome === 'succeeded') continue;
    // A gap that the join has tolerated: the task that was split has its output, and keeps it.
    if (state.tasks.get(splitTaskOf(row.id))?.outcome === 'succeeded') continue;
    reopenRow(row);
  }
}

function reopenRow(row: TaskRow): void {
  row.phase = 'waiting';
  row.outcome = undefined;
  row.reason = undefined;
  row.finishedAt = undefined;
  row.error = undefined;
  row.attemptBase = row.attempt;
  // Whoever resumes it wants it tried, also what was quarantined.
  if (row.lost !== undefined) row.lost = 0;
}

/** A group that was released with what it needed stays released: its dependents have used its output. */
function reopenGroups(state: RunState): void {
  for (const [id, row] of state.groups) {
    const isAgain = state.tasks.get(id)?.phase === 'waiting';
    if ((row.outcome === 'succeeded' || row.outcome === 'partial') && !isAgain) forgetLate(row);
    else state.groups.delete(id);
  }
}
