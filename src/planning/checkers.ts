import type { Need, TaskSpec, Workflow } from '../workflow/model.ts';

/** Which tasks check which: from the id of the checked task to the ids of its checkers, in document order. */
export type Checkers = ReadonlyMap<string, ReadonlySet<string>>;

/** Collects who checks whom, from `validates` and from needs of kind validation (a group stands for its members). */
export function checkersOf(workflow: Workflow): Checkers {
  const checkers = new Map<string, Set<string>>();
  const taskIds = new Set(workflow.tasks.map((task) => task.id));
  const groups = new Map(workflow.groups.map((group) => [group.id, group]));
  const add = (checked: string, checker: string): void => {
    if (checked === checker || !taskIds.has(checked) || !taskIds.has(checker)) return;
    const known = checkers.get(checked);
    if (known) known.add(checker);
    else checkers.set(checked, new Set([checker]));
  };
  for (const task of workflow.tasks) {
    if (task.validates !== undefined) add(task.validates, task.id);
    for (const need of task.needs) {
      if (need.kind !== 'validation') continue;
      for (const checker of groups.get(need.on)?.members ?? [need.on]) add(task.id, checker);
    }
  }
  return checkers;
}

/**
 * Whether a data need of a task is met as soon as the other task has completed, before it is accepted:
 * so for the checker of that task, and for generated cross-checks, whose members check each other and
 * would otherwise wait in a circle.
 */
export function needsCompletionOnly(task: TaskSpec, need: Need, checkers: Checkers): boolean {
  if (need.target !== 'task' || need.kind === 'context') return false;
  if (checkers.get(need.on)?.has(task.id)) return true;
  return task.generated && task.validates !== undefined;
}
