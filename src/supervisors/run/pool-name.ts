import type { AgentSpec, TaskSpec } from '../../workflow/model.ts';

/** The pool that carries an attempt out: one of the document, or the kind of its work. */
export function poolName(task: TaskSpec, { uses, isolate, pool }: AgentSpec): string {
  const named = task.pool?.name ?? pool?.name;
  return named ?? (uses === 'function' ? `function-${isolate}` : uses);
}
