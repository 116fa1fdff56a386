import { waitingOrder } from './waiting.ts';
import type { Waiting } from './waiting.ts';

/** Steps that all questions together may take; after that every answer is yes, and the run finds out. */
const stepBudget = 200_000_000;

/** Who waits for whom, at first hand and at all. */
export interface WaitingOrder {
  readonly waiting: Waiting;
  readonly reach: Reach;
}

/** Who waits for whom, directly or not. One question walks only what lies between the two in the order of waiting. */
export class Reach {
  private readonly indexOf: ReadonlyMap<string, number>;
  private readonly next: readonly (readonly number[])[];
  /** Place in the order; -1 for who is in or behind a circle. */
  private readonly rank: Int32Array;
  private readonly seenAt: Int32Array;
  private question = 0;
  private stepsLeft = stepBudget;

  constructor(waiting: Waiting) {
    const ids = [...waiting.keys()];
    const indexOf = new Map(ids.map((id, index) => [id, index]));
    this.indexOf = indexOf;
    this.next = ids.map((id) => (waiting.get(id) ?? []).flatMap((on) => indexOf.get(on) ?? []));
    this.rank = new Int32Array(ids.length).fill(-1);
    for (const [place, id] of waitingOrder(waiting).entries())
      this.rank[indexOf.get(id) ?? 0] = place;
    this.seenAt = new Int32Array(ids.length);
  }

  /** Whether `later` waits for `earlier`. */
  waits(later: string, earlier: string): boolean {
    const from = this.indexOf.get(later);
    const to = this.indexOf.get(earlier);
    if (from === undefined || to === undefined) return false;
    const floor = this.rank[to] ?? -1;
    this.question++;
    const open = [from];
    for (let current = open.pop(); current !== undefined; current = open.pop()) {
      for (const index of this.next[current] ?? []) {
        if (index === to || --this.stepsLeft < 0) return true;
        if (this.skips(index, floor)) continue;
        this.seenAt[index] = this.question;
        open.push(index);
      }
    }
    return false;
  }

  private skips(index: number, floor: number): boolean {
    const rank = this.rank[index] ?? -1;
    return this.seenAt[index] === this.question || (rank >= 0 && floor >= 0 && rank < floor);
  }
}
