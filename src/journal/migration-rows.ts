import type { WorkflowMigrated } from './migration-record.ts';
import type { RunState, TaskRow } from './run-state.ts';

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
