/** How a task ended. */
export type TaskOutcome = 'succeeded' | 'failed' | 'timed_out' | 'cancelled' | 'skipped';

/** How a group ended: like a task, or `partial` when it was released without some of its members. */
export type GroupOutcome = TaskOutcome | 'partial';

/** How a run ended. */
export type RunOutcome = 'succeeded' | 'partial' | 'failed' | 'cancelled' | 'timed_out';

/** Why something ended as it did; stable words for programs. Each is explained in docs/guarantees.md. */
export const reasons = [
  'completed',
  'attempts_exhausted',
  'not_retryable',
  'attempt_timeout',
  'deadline_exceeded',
  'upstream_failed',
  'upstream_skipped',
  'condition_false',
  'cancelled_by_user',
  'run_ending',
  'barrier_released',
  'barrier_failed',
  'validation_rejected',
  'input_unresolvable',
  'write_refused',
  'quorum_reached',
  'min_success_missed',
  'required_member_failed',
  'members_failed',
  'tasks_failed',
  'gaps_tolerated',
  'aggregate_failed',
  'lock_timeout',
  'budget_exhausted',
  'breaker_open',
  'quarantined',
  'run_too_large',
  'restarts_exhausted',
  'skipped_by_user',
  'failed_by_user',
  'skipped_after_failure',
  'default_used',
  'escalation_expired',
  'reused',
  'conflicts_open',
  'workspace_not_merged',
] as const;

/** A machine-readable reason; see {@link reasons}. */
export type Reason = (typeof reasons)[number];

/** How many members or tasks ended in which way; `late` counts results that came after the decision. */
export interface Census {
  succeeded: number;
  failed: number;
  timed_out: number;
  cancelled: number;
  skipped: number;
  late: number;
}

/** A census with every count at zero. */
export function emptyCensus(): Census {
  return { succeeded: 0, failed: 0, timed_out: 0, cancelled: 0, skipped: 0, late: 0 };
}
