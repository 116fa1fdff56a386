import { parseDuration } from '../core/duration.ts';
import { parseInstant } from '../core/instant.ts';
import type { TaskSource } from './draft.ts';
import type { StartTime, TaskSpec } from './model.ts';

/** Weights of the words for complexity. */
const complexities = { low: 1, medium: 2, high: 3, very_high: 4 } as const;

/** What a task says to the planner, besides its estimate. Keys that it leaves out stay out. */
export function planningKeys(
  source: TaskSource,
): Pick<TaskSpec, 'notBefore' | 'complexity' | 'files'> {
  const { complexity, files, not_before: notBefore } = source;
  return {
    ...(notBefore !== undefined && { notBefore: startTimeOf(notBefore) }),
    ...(complexity !== undefined && {
      complexity: typeof complexity === 'number' ? complexity : complexities[complexity],
    }),
    ...(files && { files: { reads: files.reads ?? [], writes: files.writes ?? [] } }),
  };
}

/** A duration counts from the run's start; a date stands for itself. */
function startTimeOf(value: string | number): StartTime {
  const afterMs = parseDuration(value);
  return afterMs === undefined ? { atMs: parseInstant(String(value)) ?? 0 } : { afterMs };
}
