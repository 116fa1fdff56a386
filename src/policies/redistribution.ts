import type { Random } from '../core/random.ts';

/** Who carries the next attempt out, when those before have failed. */

/** Whom an attempt can go to. */
export interface Candidate {
  readonly agent: string;
  /** Undefined: the agent's own. */
  readonly model?: string | undefined;
}

/**
 * The candidate with the fewest failures, and never the one that has just failed if there is another. Among equals
 * one is drawn, so that work that fails together does not move on together; the same random numbers choose the same.
 * @param failed who has failed at this work, in order; those who are no candidates do not matter
 * @returns undefined when there is no candidate
 */
export function nextCandidate(
  candidates: readonly Candidate[],
  failed: readonly Candidate[],
  random: Random,
): Candidate | undefined {
  const last = failed.at(-1);
  const others = candidates.filter((candidate) => !last || !isSame(candidate, last));
  const eligible = others.length > 0 ? others : candidates;
  const counts = eligible.map((one) => failed.filter((past) => isSame(one, past)).length);
  const fewest = Math.min(...counts);
  const best = eligible.filter((_, index) => counts[index] === fewest);
  return best[Math.min(best.length - 1, Math.floor(random() * best.length))];
}

/** Whether two stand for the same agent with the same model. */
export function isSame(a: Candidate, b: Candidate): boolean {
  return a.agent === b.agent && a.model === b.model;
}
