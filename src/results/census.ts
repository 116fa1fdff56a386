import { emptyCensus, type Census, type TaskOutcome } from '../core/outcome.ts';

/** Counts outcomes. `late` stays 0: it counts results that came after a decision, and they are no outcomes. */
export function countOutcomes(outcomes: Iterable<TaskOutcome>): Census {
  const census = emptyCensus();
  for (const outcome of outcomes) census[outcome]++;
  return census;
}
