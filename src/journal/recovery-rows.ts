import type { Plain } from '../core/plain.ts';
import type { FailureCounts } from '../policies/retry.ts';
import type {
  Assignment,
  EscalationAnswered,
  EscalationOpened,
  TaskParked,
} from './recovery-record.ts';

/** What is remembered of a task's failures while it has not ended; made on its first failure. */
export interface RecoveryRow {
  /** Failures of this round, by class. */
  failures: { -readonly [Class in keyof FailureCounts]: FailureCounts[Class] };
  /** The wait after the last failure, in milliseconds. */
  delayMs: number;
  /** Who has failed in this round, in order; the last of many. */
  failed: Assignment[];
  /** Who carries the running attempt out; undefined: the task's own agent. */
  by: Assignment | undefined;
  /** Who carries the next attempt out; undefined: the task's own agent. */
  next: Assignment | undefined;
  /** What the last failed attempt has left. */
  partial: Plain;
  /** The rung that the task is on. */
  escalation: EscalationRow | undefined;
  /** What it waits for. */
  parked: TaskParked['reason'] | undefined;
  /** What a person has answered, until it is carried out. */
  answer: EscalationAnswered | undefined;
}

/** A task's place on its ladder. */
export interface EscalationRow {
  readonly id: number;
  readonly opened: EscalationOpened;
  readonly openedAt: number;
  /** Attempts that have failed on this rung. */
  attempts: number;
  /** Spent on this rung. */
  cost: number;
}

/** Why, and for whom, a run is paused. */
export interface PauseRow {
  readonly at: number;
  readonly by: string;
  readonly task: string | undefined;
}

/** Nothing has failed yet. */
export function emptyRecovery(): RecoveryRow {
  return {
    failures: {},
    delayMs: 0,
    failed: [],
    by: undefined,
    next: undefined,
    partial: null,
    escalation: undefined,
    parked: undefined,
    answer: undefined,
  };
}
