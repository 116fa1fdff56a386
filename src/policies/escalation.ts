import type { RungDefault, RungSpec } from '../workflow/recovery.ts';

/** The escalation ladder as data: on which rung a task stands, and what follows when it fails there. */

/** Why a rung is over. */
export type RungEnd = 'attempts' | 'cost' | 'deadline' | 'not_retryable' | 'handed_up';

/** Where a task stands; undefined: it has not failed yet. */
export interface LadderPlace {
  readonly index: number;
  /** Attempts that have failed on this rung. */
  readonly attempts: number;
  /** What the task has spent on it. */
  readonly cost: number;
  /** Absolute; undefined: without end. */
  readonly deadline: number | undefined;
}

/** What climbing depends on besides the ladder. */
export interface ClimbQuestion {
  readonly place: LadderPlace | undefined;
  readonly now: number;
  /** Attempts that a rung has when it says none itself; 0: nobody is there for it. */
  readonly attemptsOf: (rung: RungSpec) => number;
  /** Why the retry policy does not let the same agent try once more; undefined: it does. For the lowest rung. */
  readonly retryEnd: 'attempts' | 'not_retryable' | undefined;
}

/** What follows: another attempt on this rung, another rung, or the end. */
export type ClimbStep =
  | { readonly kind: 'again'; readonly index: number }
  | {
      readonly kind: 'up';
      readonly index: number;
      /** Why the rung below is over; undefined: there was none. */
      readonly left: RungEnd | undefined;
    }
  | {
      readonly kind: 'end';
      /** `exhausted`: there is nothing above. */
      readonly how: Exclude<RungDefault, 'next'> | 'exhausted';
      readonly left: RungEnd | undefined;
    };

/** Rungs on which attempts are made; on the others somebody decides. */
export function isTried({ kind }: Pick<RungSpec, 'kind'>): boolean {
  return kind !== 'supervisor' && kind !== 'person';
}

/**
 * What follows from a failure, or from the end of a rung's time. A rung that is used up ends as its default says; the
 * next one is the first above it that somebody is there for. Above the last one the task fails.
 */
export function climb(ladder: readonly RungSpec[], question: ClimbQuestion): ClimbStep {
  const { place } = question;
  const rung = place && ladder[place.index];
  if (!place || !rung) return nextRung(ladder, -1, { question, left: undefined });
  const left = endOf(rung, place, question);
  if (left === undefined) return { kind: 'again', index: place.index };
  if (rung.otherwise !== 'next' && left !== 'handed_up')
    return { kind: 'end', how: rung.otherwise, left };
  return nextRung(ladder, place.index, { question, left });
}

/** Why the rung lets nothing more be tried; undefined: it does. */
function endOf(
  rung: RungSpec,
  { index, attempts, cost, deadline }: LadderPlace,
  { now, attemptsOf, retryEnd }: ClimbQuestion,
): RungEnd | undefined {
  if (deadline !== undefined && now >= deadline) return 'deadline';
  if (rung.maxCost !== undefined && cost >= rung.maxCost) return 'cost';
  if (rung.kind === 'supervisor') return 'handed_up';
  if (rung.kind === 'retry' && index === 0) return retryEnd;
  return attempts >= attemptsOf(rung) ? 'attempts' : undefined;
}

interface Leaving {
  readonly question: ClimbQuestion;
  readonly left: RungEnd | undefined;
}

function nextRung(
  ladder: readonly RungSpec[],
  from: number,
  { question, left }: Leaving,
): ClimbStep {
  for (let index = from + 1; index < ladder.length; index++) {
    const rung = ladder[index];
    if (rung && isThere(rung, { index, question })) return { kind: 'up', index, left };
  }
  return { kind: 'end', how: 'exhausted', left };
}

function isThere(
  rung: RungSpec,
  { index, question }: { readonly index: number; readonly question: ClimbQuestion },
): boolean {
  if (rung.kind === 'retry' && index === 0) return question.retryEnd === undefined;
  return question.attemptsOf(rung) > 0;
}
