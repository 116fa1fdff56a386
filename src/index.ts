/**
 * Troupe runs a workflow of agents and workers in parallel, under supervision, without losing finished
 * work. See README.md for a tour, docs/guarantees.md for what it promises.
 */
export { createTroupe } from './runtime/troupe.ts';
export { createWorker } from './runtime/worker/create-worker.ts';
export { connectBus } from './runtime/connect-bus.ts';
export { deleteRun, pruneRuns } from './runtime/retention.ts';
export type { PrunedRun, RetentionOptions } from './runtime/retention.ts';
export { defineWorkflow } from './workflow/define.ts';
export { defineAgent } from './actors/behaviours/define-agent.ts';
export { openSharedMemory } from './memory/shared/open.ts';
export { TroupeError, errorCodes } from './core/errors.ts';

export type {
  ConflictAnswer,
  RunEvent,
  RunHandle,
  RunOptions,
  RunSummary,
  Troupe,
  TroupeOptions,
} from './runtime/api.ts';
export type {
  ConflictCounts,
  GroupReport,
  ProviderReport,
  RunReport,
  TaskReport,
} from './runtime/report.ts';
export type { AdaptationReport, RunMetrics } from './runtime/metrics/run-metrics.ts';
export type { Bottleneck } from './runtime/metrics/bottleneck.ts';
export type {
  CallAnswer,
  CallOptions,
  Provider,
  TaskContext,
  TaskFunction,
  TaskMemory,
} from './actors/behaviours/behaviour.ts';
export type {
  Changeset,
  Computation,
  ProposeOptions,
  SharedMemory,
  SharedMemoryOptions,
} from './memory/shared/shared-memory.ts';
export type { Committed } from './memory/shared/committed.ts';
export type { MemoryUpdate, MemoryWatch, MemoryWatcher } from './memory/shared/watchers.ts';
export type { WorkerHost, WorkerOptions, WorkerStats } from './runtime/worker/api.ts';
export type { MemoryReader } from './memory/view.ts';
export type { Bus } from './bus/bus.ts';
export type { ConnectBusOptions } from './runtime/connect-bus.ts';
export type { WorkflowDocument } from './workflow/document.ts';
export type { ErrorCode, ErrorInfo } from './core/errors.ts';
export type { Census, GroupOutcome, Reason, RunOutcome, TaskOutcome } from './core/outcome.ts';
export type { Plain, PlainObject } from './core/plain.ts';
export type { RunBounds } from './supervisors/run/run-bounds.ts';
export type { DeadLetter } from './journal/dead-letters.ts';
export type { JournalRecord } from './journal/record.ts';
