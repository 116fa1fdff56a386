import type { ErrorInfo } from '../core/errors.ts';
import type { Census, GroupOutcome, Reason, RunOutcome, TaskOutcome } from '../core/outcome.ts';
import type { Plain } from '../core/plain.ts';

/** A run as data: what `troupe run --json` prints. Times are milliseconds from the run's start. */
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
  /** ISO 8601. */
  readonly started_at: string;
  readonly seed: number;
  readonly simulated: boolean;
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
}

/** What running in parallel brought; times in milliseconds. */
export interface RunMetrics {
  readonly wall_ms: number;
  /** Longest chain of executed tasks, each with all of its attempts. */
  readonly critical_path_ms: number;
  readonly critical_path: readonly string[];
  /** Sum of task times over wall time. */
  readonly speedup: number;
  /** Speed-up over the most tasks that were running at one time; 1 is ideal. */
  readonly parallel_efficiency: number;
}
