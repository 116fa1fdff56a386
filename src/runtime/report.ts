import type { ErrorInfo } from '../core/errors.ts';
import type { Census, GroupOutcome, Reason, RunOutcome, TaskOutcome } from '../core/outcome.ts';
import type { Plain } from '../core/plain.ts';
import type { Bottleneck } from './metrics/bottleneck.ts';

/** A run as data: what `troupe run --json` prints. Times are milliseconds from the run's start, without those in which nobody carried it. */
export interface RunReport {
  readonly format: 1;
  readonly run_id: string;
  readonly workflow: string;
  readonly status: RunOutcome | 'running';
  readonly reason: Reason | 'in_progress';
  readonly outputs: Plain;
  readonly census: Census;
  readonly tasks: readonly TaskReport[];
  readonly groups: readonly GroupReport[];
  readonly metrics: RunMetrics;
  readonly conflicts: ConflictCounts;
  readonly adaptation: AdaptationReport;
  /** What attempts have reported as used, those that failed included. */
  readonly spend: SpendReport;
  /** ISO 8601. */
  readonly started_at: string;
  readonly seed: number;
  readonly simulated: boolean;
}

/** What was used; cost is in whatever unit the calls report it. */
export interface SpendReport extends AmountReport {
  readonly by_agent: { readonly [agent: string]: AmountReport };
  /** Caps that were reached. */
  readonly exhausted: readonly CapReport[];
}

/** Amounts that were used. */
export interface AmountReport {
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cost: number;
}

/** A cap of a budget that was reached; the run's own has no agent. */
export interface CapReport {
  readonly cap: 'tokens' | 'cost' | 'time';
  readonly agent: string | null;
}

/** What the run has changed about itself, and how it stands now; `troupe show RUN --records` tells why. */
export interface AdaptationReport {
  readonly changes: number;
  /** Attempts at one time; null: what the document says. */
  readonly concurrency: number | null;
  /** Members at one time of groups that were narrowed. */
  readonly group_sizes: { readonly [group: string]: number };
  /** Timeouts are so many times those of the document. */
  readonly timeout_factor: number;
  /** How many times as long as planned the tasks of an agent take, where waiting tasks are ordered by it. */
  readonly paces: { readonly [agent: string]: number };
}

/** Writes that met; `troupe show RUN --conflicts` tells them one by one. */
export interface ConflictCounts {
  readonly recorded: number;
  /** Those that a person has to decide. */
  readonly open: number;
}

/** Members of an expanded task stand after it, ids like `task[0]`. */
export interface TaskReport {
  readonly id: string;
  readonly agent: string;
  readonly outcome: TaskOutcome | 'waiting' | 'running';
  readonly reason: Reason | 'in_progress' | 'waiting';
  readonly attempts: number;
  readonly iterations: number;
  readonly started_ms: number | null;
  readonly finished_ms: number | null;
  readonly error: ErrorInfo | null;
}

/** How a group stands, or ended. */
export interface GroupReport {
  readonly id: string;
  readonly outcome: GroupOutcome | 'waiting' | 'running';
  readonly reason: Reason | 'in_progress' | 'waiting';
  readonly census: Census;
  /** Time that members that were done waited for its release, summed over members. */
  readonly barrier_wait_ms: number;
}

/** What running in parallel brought. Milliseconds; the time that a run lay still before a resume does not count. */
export interface RunMetrics {
  readonly wall_ms: number;
  /** Sum of the times of all tasks: what they would take one after another. */
  readonly sequential_ms: number;
  /** Longest chain of executed tasks, each with all of its attempts. */
  readonly critical_path_ms: number;
  readonly critical_path: readonly string[];
  /** `sequential_ms` over wall time. */
  readonly speedup: number;
  /** Speed-up over the most tasks that were running at one time; 1 is ideal. */
  readonly parallel_efficiency: number;
  /** The most tasks that were running at one time. */
  readonly peak_tasks: number;
  /** From the moment that a task's inputs were there to its first dispatch, summed over tasks. */
  readonly queue_wait_ms: number;
  /** The part of it in which others held a lock that the task wanted. */
  readonly lock_wait_ms: number;
  /** Time that members that were done waited for the release of their group, summed over members. */
  readonly barrier_wait_ms: number;
  /** Share of each limited kind that was in use, weighted by time, 0..1. */
  readonly utilisation: { readonly [kind: string]: number };
  readonly bottleneck: Bottleneck;
}
