import type { Draft, TaskDraft, TaskSource } from './draft.ts';
import type { WorkspaceSpec } from './model.ts';

/** The workspace of a task: its own, else its agent's. Paths are as written. */
export function workspaceOf(
  task: TaskSource,
  agent: string,
  { document }: Draft,
): Pick<TaskDraft, 'workspace'> {
  const source = task.workspace ?? document.agents?.[agent]?.workspace ?? false;
  if (source === false) return {};
  const { from, into, merge = 'copy' } = source === true ? {} : source;
  const workspace: WorkspaceSpec = { from, into: merge === 'none' ? undefined : into };
  return { workspace };
}
