import type { Workflow } from '../workflow/model.ts';
import type { RunState, TaskRow } from './run-state.ts';

/** The run goes on with another document. What the change does not reach keeps its results. */
export interface WorkflowMigrated {
  readonly type: 'workflow.migrated';
  /** The engine that carries it on. */
  readonly engine: string;
  readonly workflow: Workflow;
  readonly source: string;
  /** Tasks that are done anew, in a new iteration. */
  readonly reset: readonly string[];
  /** Groups that are joined anew. */
  readonly groups: readonly string[];
  /** Tasks that the document has no more. */
  readonly dropped: readonly string[];
}

/**
 * Applies a migration.
 * @param again begins a new iteration of a task
 */
export function applyMigrated(
  state: RunState,
  record: WorkflowMigrated,
  again: (row: TaskRow) => void,
): void {
  state.engine = record.engine;
  state.workflow = record.workflow;
  state.source = record.source;
  for (const id of [...record.reset, ...record.dropped]) {
    const row = state.tasks.get(id);
    if (!row) continue;
    again(row);
    row.retryAt = undefined;
  }
  for (const id of record.dropped) state.tasks.delete(id);
  for (const id of record.groups) state.groups.delete(id);
}
