import { isTried } from '../policies/escalation.ts';
import { retryClassOf } from '../policies/retry.ts';
import { applyPaused } from './barrier-rows.ts';
import { countHeld } from './held-time.ts';
import type { AttemptFailed, AttemptSpent } from './record.ts';
import type { RecoveryRecord, TaskParked } from './recovery-record.ts';
import { emptyRecovery } from './recovery-rows.ts';
import type { RecoveryRow } from './recovery-rows.ts';
import { groupRow, taskRow } from './run-state.ts';
import type { RunState, TaskRow } from './run-state.ts';

/** Failures that are remembered by who has failed. */
const maxRemembered = 64;

type RecordOf<Type extends RecoveryRecord['type']> = Extract<RecoveryRecord, { type: Type }> & {
  readonly seq: number;
  readonly at: number;
};

type Appliers = {
  readonly [Type in RecoveryRecord['type']]: (state: RunState, record: RecordOf<Type>) => void;
};

/** Appliers of the records of recovery; see fold.ts. */
export const recoveryAppliers: Appliers = {
  'escalation.opened': (state, { seq, at, ...opened }) => {
    const row = taskRow(state, opened.task);
    const recovery = recoveryOf(row);
    recovery.escalation = { id: seq, opened, openedAt: at, attempts: 0, cost: 0 };
    recovery.next = opened.next;
    // Its time below is over while no attempt of it runs: the rung above tries at once.
    if (!isTried({ kind: opened.rung }) || (row.phase !== 'parked' && row.phase !== 'backing_off'))
      return;
    row.phase = 'backing_off';
    row.retryAt = at;
    recovery.parked = undefined;
  },
  'escalation.answered': (state, { seq: _seq, at: _at, ...answer }) => {
    // A supervisor hands up by its ladder: what follows is in the journal already.
    if (answer.choice === 'escalate') return;
    recoveryOf(taskRow(state, answer.task)).answer = answer;
  },
  'escalation.expired': () => undefined,
  'task.parked': (state, record) => {
    const row = taskRow(state, record.task);
    countHeld(row, record.at);
    noteFailure(row, record).parked = record.reason;
    row.phase = 'parked';
    row.attempt = Math.max(row.attempt, record.attempt);
    row.retryAt = undefined;
  },
  'task.retried': (state, { task }) => {
    const row = taskRow(state, task);
    row.phase = 'waiting';
    row.attemptBase = row.attempt;
    row.retryAt = undefined;
    forgetRound(row);
  },
  'run.paused': (state, { at, by, task }) => {
    state.paused ??= { at, by, task };
  },
  'run.resumed': (state, { at }) => {
    const pausedMs = at - (state.paused?.at ?? at);
    state.paused = undefined;
    for (const group of state.groups.values())
      if (group.phase === 'open') applyPaused(group, pausedMs);
  },
  'task.reused': (state, record) => {
    const row = taskRow(state, record.task);
    row.phase = 'ended';
    row.outcome = 'succeeded';
    row.reason = 'reused';
    row.attempt = record.attempt;
    row.attemptBase = record.attempt;
    row.startedAt = record.at;
    row.finishedAt = record.at;
    row.output = record.output;
  },
  'group.reused': (state, record) => {
    const row = groupRow(state, record.group);
    row.phase = 'ended';
    row.outcome = record.outcome;
    row.reason = record.reason;
    row.releasedAt = record.at;
    row.endedAt = record.at;
    row.output = record.output;
    row.census = record.census;
  },
};

/** An attempt has failed and another one is due. */
export function applyFailed(row: TaskRow, record: AttemptFailed & { readonly at: number }): void {
  const recovery = noteFailure(row, record);
  recovery.delayMs = Math.max(0, record.retryAt - record.at);
  recovery.next = record.next;
}

/** Something was spent, perhaps on a rung. */
export function applyRungCost(tasks: RunState['tasks'], { task, cost }: AttemptSpent): void {
  const escalation = tasks.get(task)?.recovery?.escalation;
  if (escalation) escalation.cost += cost;
}

/** A new round begins with nothing against it; what the last attempt has left is still there to be seen. */
export function forgetRound(row: TaskRow): void {
  if (!row.recovery) return;
  row.recovery = { ...emptyRecovery(), partial: row.recovery.partial };
}

function noteFailure(
  row: TaskRow,
  { error, attempt, partial = null }: Pick<TaskParked, 'error' | 'attempt' | 'partial'>,
): RecoveryRow {
  const recovery = recoveryOf(row);
  row.error = error;
  // A rung may end, and the next one begin, while no attempt runs.
  if (row.phase !== 'running' && attempt <= row.attempt) return recovery;
  recovery.partial = partial;
  const failed = retryClassOf(error);
  // It was cut off, and begins again for no fault of its own: that counts against nobody.
  if (!failed) return recovery;
  recovery.failures[failed] = (recovery.failures[failed] ?? 0) + 1;
  if (recovery.escalation && attempt > recovery.escalation.opened.after)
    recovery.escalation.attempts++;
  recovery.failed.push(recovery.by ?? {});
  if (recovery.failed.length > maxRemembered) recovery.failed.shift();
  return recovery;
}

function recoveryOf(row: TaskRow): RecoveryRow {
  row.recovery ??= emptyRecovery();
  return row.recovery;
}
