import type { ErrorInfo } from '../core/errors.ts';
import type { Census, GroupOutcome, Reason } from '../core/outcome.ts';
import type { Plain } from '../core/plain.ts';
import type { RungDefault, RungKind } from '../workflow/recovery.ts';

/** Records of what follows from failures: rungs, questions, pauses, second chances and reuse. */
export type RecoveryRecord =
  | EscalationOpened
  | EscalationAnswered
  | EscalationExpired
  | TaskParked
  | TaskRetried
  | RunPaused
  | RunResumed
  | TaskReused
  | GroupReused;

/** A task has come to a rung of its ladder. The record's number is the escalation's id, and that of its question. */
export interface EscalationOpened {
  readonly type: 'escalation.opened';
  readonly task: string;
  readonly rung: RungKind;
  /** Place of the rung in the task's ladder, from 0. */
  readonly index: number;
  /** Whose rung it is: `task`, `group:ID` or `run`. */
  readonly of: string;
  /** Absolute, wall milliseconds; absent: without end. */
  readonly deadline?: number;
  readonly max_cost?: number;
  /** What follows when attempts, time or cost are used up. */
  readonly otherwise: RungDefault;
  /** What a person may answer; absent: nobody is asked. */
  readonly choices?: readonly AnswerChoice[];
  /** Attempts made before it was opened; later ones are its own. */
  readonly after: number;
  /** Who tries next. */
  readonly next?: Assignment;
  readonly error: ErrorInfo;
}

/** What a person may answer to a question. */
export type AnswerChoice = 'retry' | 'skip' | 'use_default' | 'fail' | 'cancel' | 'value';

/** Somebody has decided: a person, or a supervisor by its policy. */
export interface EscalationAnswered {
  readonly type: 'escalation.answered';
  /** Number of its `escalation.opened`. */
  readonly escalation: number;
  readonly task: string;
  readonly choice: AnswerChoice | 'escalate';
  /** For `value`: the task's output. */
  readonly value?: Plain;
  readonly by: string;
  readonly note?: string;
}

/** A rung has been used up. */
interface EscalationExpired {
  readonly type: 'escalation.expired';
  readonly escalation: number;
  readonly task: string;
  readonly cause: 'attempts' | 'cost' | 'deadline' | 'not_retryable';
  /** What follows by the rung's default. */
  readonly default: RungDefault;
  /** What the task has spent on the rung. */
  readonly cost: number;
}

/** The last attempt is over, and the task waits for a word; it holds nothing. */
export interface TaskParked {
  readonly type: 'task.parked';
  readonly task: string;
  readonly attempt: number;
  /** `question`: of its escalation; `exhausted`: the run is paused for it. */
  readonly reason: 'question' | 'exhausted';
  readonly error: ErrorInfo;
  readonly partial?: Plain;
}

/** A person has a task tried once more, from the bottom of its ladder. */
interface TaskRetried {
  readonly type: 'task.retried';
  readonly task: string;
  readonly by: string;
}

/** Nothing new is dispatched until somebody has the run go on. */
interface RunPaused {
  readonly type: 'run.paused';
  readonly by: string;
  /** The task for which the run waits; absent: a person has asked for it. */
  readonly task?: string;
}

/** The run goes on. */
interface RunResumed {
  readonly type: 'run.resumed';
  readonly by: string;
}

/** A task's result was taken over from another run. */
interface TaskReused {
  readonly type: 'task.reused';
  readonly task: string;
  readonly run: string;
  readonly attempt: number;
  readonly output: Plain;
}

/** A group's result was taken over from another run. */
interface GroupReused {
  readonly type: 'group.reused';
  readonly group: string;
  readonly run: string;
  readonly outcome: GroupOutcome;
  readonly reason: Reason;
  readonly output: Plain;
  readonly census: Census;
}

/** Who carries an attempt out, where that is not the task's own agent with its own model. */
export interface Assignment {
  readonly agent?: string;
  readonly model?: string;
}
