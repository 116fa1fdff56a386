import type { TaskDraft, TaskSource } from './draft.ts';
import type { WorkspaceSpec } from './model.ts';
import type { CheckedDocument } from './schema/check.ts';

type AgentSource = NonNullable<CheckedDocument['agents']>[string];

/** The workspace of a task: its own, else its agent's. Paths are as written. */
export function workspaceOf(
  task: TaskSource,
  agent: AgentSource | undefined,
): Pick<TaskDraft, 'workspace'> {
  const source = task.workspace ?? agent?.workspace ?? false;
  if (source === false) return {};
  const { from, into, merge = 'copy' } = source === true ? {} : source;
  const workspace: WorkspaceSpec = { from, into: merge === 'none' ? undefined : into };
  return { workspace };
}
