import type { TaskSpec, Workflow } from '../workflow/model.ts';
import type { CriticalPath } from './critical-path.ts';

/** Priorities that a plan gives to tasks whose document sets none. */
const derived = { critical: 10, parallelGroup: 7, validation: 5 } as const;

/**
 * The priority that each task is dispatched with, by id: the document's own where it sets one; else 10 on
 * the critical path, 5 for tasks that check others, 7 for members of groups that run together, and the
 * task's default for the rest.
 */
export function effectivePriorities(
  workflow: Workflow,
  criticalPath: Pick<CriticalPath, 'path'>,
): Map<string, number> {
  const critical = new Set(criticalPath.path);
  const together = new Set(
    workflow.groups.filter((group) => group.members.length > 1).map((group) => group.id),
  );
  const priorityOf = (task: TaskSpec): number => {
    if (task.prioritySet) return task.priority;
    if (critical.has(task.id)) return derived.critical;
    if (task.validates !== undefined) return derived.validation;
    const parallel =
      task.expand !== undefined || (task.group !== undefined && together.has(task.group));
    return parallel ? derived.parallelGroup : task.priority;
  };
  return new Map(workflow.tasks.map((task) => [task.id, priorityOf(task)]));
}

/** Whether the document sets priorities that differ: then they rule the dispatch before all else. */
export function isStrict({ tasks }: Pick<Workflow, 'tasks'>): boolean {
  const distinct = new Set(tasks.map((task) => task.priority));
  return distinct.size > 1 && tasks.some((task) => task.prioritySet);
}
