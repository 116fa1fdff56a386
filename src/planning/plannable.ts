import type { Workflow } from '../workflow/model.ts';
import { hasKnownDuration } from './durations.ts';
import type { DurationOptions } from './durations.ts';
import { isStrict } from './priorities.ts';

/** Workflows of more tasks are dispatched without a plan. */
const maxTasks = 2000;

/** Least share of the tasks whose duration has to be known for a plan to be better than none. */
const leastKnownShare = 0.8;

/**
 * Whether a plan to dispatch by can be better than none: durations are known, no task is split at run time, the
 * document leaves the order open, and there are not too many tasks. Cheap, so that the planner is loaded only then.
 */
export function isPlannable(workflow: Workflow, options: DurationOptions = {}): boolean {
  const { tasks } = workflow;
  if (tasks.length < 2 || tasks.length > maxTasks) return false;
  if (tasks.some(({ expand }) => expand) || isStrict(workflow)) return false;
  const known = tasks.filter((task) => hasKnownDuration(task, options)).length;
  return known >= leastKnownShare * tasks.length;
}
