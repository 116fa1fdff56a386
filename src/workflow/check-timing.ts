import { placeOf } from './draft.ts';
import type { Draft, TaskDraft } from './draft.ts';
import { durationMs } from './normalise-policies.ts';

/** Finds starts that lie behind the end that is set for them: such a task can never run. */
export function checkTiming(draft: Draft): void {
  const runMs = durationMs(draft.document.deadline);
  for (const task of draft.tasks.values()) {
    if (!task.notBefore || !('afterMs' in task.notBefore)) continue;
    const { afterMs } = task.notBefore;
    if (runMs !== undefined && afterMs >= runMs) addFault(task, draft, 'the deadline of the run');
    else if (startsWithRun(task) && afterMs >= (task.deadlineMs ?? Infinity))
      addFault(task, draft, 'its own deadline');
  }
}

/** The deadline of a task that waits for nothing counts from the run's start, as its earliest start does. */
function startsWithRun({ needs }: TaskDraft): boolean {
  return needs.every(({ kind }) => kind === 'context' || kind === 'validation');
}

function addFault(task: TaskDraft, draft: Draft, what: string): void {
  draft.faults.add(
    'TRP_WORKFLOW_UNSATISFIABLE',
    `"${task.id}" may start only when ${what} has passed`,
    { path: [...placeOf(draft, task.id), 'not_before'], hint: 'Move one of the two times.' },
  );
}
