import type { ErrorInfo } from '../core/errors.ts';
import type { Census, GroupOutcome, Reason, RunOutcome, TaskOutcome } from '../core/outcome.ts';
import type { Plain } from '../core/plain.ts';
import type { GroupPhase } from './group-phase.ts';
import type { RecoveryReport } from './recovery-report.ts';
import type { ReliabilityReport } from './reliability-report.ts';
import type { SpendReport } from './spend-report.ts';
import type { AdaptationReport, RunMetrics } from './metrics/run-metrics.ts';

/** A run as data: what `troupe run --json` prints. Times are milliseconds from the run's start, without those in which nobody carried it. */
export interface RunReport {
  readonly format: 1;
  readonly run_id: string;
  readonly workflow: string;
  readonly status: RunOutcome | 'running' | 'paused';
  readonly reason: Reason | 'in_progress';
  readonly outputs: Plain;
  readonly census: Census;
  readonly tasks: readonly TaskReport[];
  readonly groups: readonly GroupReport[];
  readonly metrics: RunMetrics;
  readonly conflicts: ConflictCounts;
  /** What failures wait for: pauses and questions. */
  readonly recovery: RecoveryReport;
  readonly adaptation: AdaptationReport;
  /** What attempts have reported as used, those that failed included. */
  readonly spend: SpendReport;
  /** How calls to providers went, as counted by the process that carried the run; empty in the report of a stored run. */
  readonly providers: { readonly [provider: string]: ProviderReport };
  /** Breakers, hedges and health; absent: the run has none of it. */
  readonly reliability?: ReliabilityReport;
  /** ISO 8601. */
  readonly started_at: string;
  readonly seed: number;
  readonly simulated: boolean;
}

/** How a run's calls to a provider went. */
export interface ProviderReport {
  /** Calls that went out, those that were refused included. */
  readonly calls: number;
  readonly refused: number;
  /** Time by which refusals of this run's calls have held the provider's calls back. */
  readonly paused_ms: number;
  /** Time that calls waited before they went out or gave up, summed over calls. */
  readonly wait_ms: number;
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
  /** What it is doing. */
  readonly phase: GroupPhase;
  readonly outcome: GroupOutcome | 'waiting' | 'running';
  readonly reason: Reason | 'in_progress' | 'waiting';
  /** As it was at the group's end; `late` counts what came after it. */
  readonly census: Census;
  /** Members whose results came after the group's release and were merged all the same, in that order. */
  readonly late: readonly string[];
  /** Of async_merge: what has been merged so far, late results included, and by how many contributions; else null. */
  readonly merged: { readonly revision: number; readonly output: Plain } | null;
  /** Time that members that were done waited for its release, summed over members. */
  readonly barrier_wait_ms: number;
}
