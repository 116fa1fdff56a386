import type { Permits, Units } from './permits.ts';

/**
 * Admissions that may pass the request that comes first and does not fit. Small enough that nobody waits for
 * long, large enough that a plan of ordinary size is carried out as it was made.
 */
export const passesBeforeReserving = 32;

/**
 * Units kept for one request that others have passed too often: of each kind that it has lacked since, as
 * much as it demands. What it does not lack is free for all.
 *
 * Invariant: `units` only grows, so after as many steps as its demand has kinds nobody can delay it any more,
 * and it fits once what is held of these kinds has come back.
 */
export class Reservation<Owner> {
  readonly owner: Owner;
  private readonly demand: Units;
  private readonly units = new Map<string, number>();

  constructor(owner: Owner, demand: Units) {
    this.owner = owner;
    this.demand = demand;
  }

  /** Looks again what is lacking. */
  renew(permits: Permits): void {
    permits.reserveLacking(this.demand, this.units);
  }

  /** Keeps the whole demand, lacking or not. */
  keepAll(): void {
    for (const kind in this.demand) this.units.set(kind, this.demand[kind] ?? 0);
  }

  /** Whether another may take this much beside it. */
  allows(permits: Permits, demand: Units): boolean {
    return permits.leaves(demand, this.units);
  }
}
