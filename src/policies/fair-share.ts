import { TroupeError } from '../core/errors.ts';
import type { ScheduleClass } from '../workflow/model.ts';
import { unitsOf, type Units } from './permits.ts';

/** From the one that goes first to the one that goes last. */
export const scheduleClasses: readonly ScheduleClass[] = ['interactive', 'normal', 'batch'];

/** A run's claim on what the process shares. */
export interface Claim {
  /** How much more than a run of weight 1 it may use; above 0. Default 1. */
  readonly weight?: number | undefined;
  /** Default: normal. */
  readonly class?: ScheduleClass | undefined;
}

/** Sums of fractions drift; shares that agree to nine digits are equal. */
const precision = 1e9;

/** What a run has of what the process shares. */
export interface Holding {
  readonly taken: ReadonlyMap<string, number>;
  readonly capacity: Units;
  readonly weight: number;
}

/**
 * The largest part that a run would have of any kind with one demand more, over its weight: what
 * dominant-resource fairness keeps equal (Ghodsi et al., "Dominant Resource Fairness", NSDI 2011). It counts
 * the demand that is asked for, so that one large piece does not weigh less than many small ones. A kind
 * without units counts for nothing.
 */
export function weightedShare({ taken, capacity, weight }: Holding, demand: Units): number {
  let share = 0;
  for (const [kind, held] of taken) {
    if (Object.hasOwn(demand, kind)) continue;
    const units = unitsOf(capacity, kind) ?? 0;
    if (units > 0) share = Math.max(share, held / units);
  }
  for (const kind in demand) {
    const units = unitsOf(capacity, kind) ?? 0;
    const wanted = (taken.get(kind) ?? 0) + (demand[kind] ?? 0);
    if (units > 0) share = Math.max(share, wanted / units);
  }
  return Math.round((share / weight) * precision) / precision;
}

/** @throws TroupeError TRP_OPTION_INVALID for a weight that is no number above 0. */
export function checkedWeight(weight: number, place: string): number {
  if (weight > 0 && Number.isFinite(weight)) return weight;
  throw new TroupeError('TRP_OPTION_INVALID', `A share is a number above 0, not ${weight}.`, {
    place,
  });
}

/** Admissions of higher classes after which a lower class that waits has its turn. */
const turnAfter = 8;

/**
 * Which class has its turn. The highest that waits, except that a class which has been passed over eight
 * times goes next: so a lower class keeps at least a ninth of the admissions, and never starves.
 *
 * Invariant: `passed` of a class counts the admissions of higher classes since it last had a turn, while
 * it was waiting.
 */
export class ClassTurns {
  private readonly passed = scheduleClasses.map(() => 0);

  /** The class whose turn it is among those that wait; undefined: none waits. */
  next(waits: (rank: number) => boolean): number | undefined {
    let first: number | undefined;
    let due: number | undefined;
    for (let rank = 0; rank < this.passed.length; rank++) {
      if (!waits(rank)) continue;
      first ??= rank;
      if (this.passedOver(rank) >= turnAfter && rank !== first) due ??= rank;
    }
    return due ?? first;
  }

  /** A request of this class was admitted. */
  took(rank: number, waits: (rank: number) => boolean): void {
    this.passed[rank] = 0;
    for (let lower = rank + 1; lower < this.passed.length; lower++) {
      if (waits(lower)) this.passed[lower] = this.passedOver(lower) + 1;
    }
  }

  private passedOver(rank: number): number {
    return this.passed[rank] ?? 0;
  }
}
