/** Units per resource kind. */
export type Units = Readonly<Record<string, number>>;

/** A task's wish to start. */
export interface PermitRequest {
  /** Unique within its scope. */
  readonly id: string;
  /** The run. */
  readonly scope: string;
  /** Units per resource kind; one unit of `concurrency` is implied, whatever stands here for it. */
  readonly demand: Units;
  /** Higher first. */
  readonly priority: number;
  /** Longest path to the end in milliseconds; higher first within one priority. */
  readonly rank: number;
  /** When the wait began, wall milliseconds. */
  readonly at: number;
}

/** Sums of fractions drift; what differs by less is equal. */
const tolerance = 1e-9;

/** Units of one kind; undefined when it is not named. Kinds are free names, also those that every object has. */
export function unitsOf(units: Units, kind: string): number | undefined {
  return Object.hasOwn(units, kind) ? units[kind] : undefined;
}

/** What of `part` is really held; kinds of which it is nothing are not in the answer. */
export function overlap(holding: Units, part: Units): Units {
  return mapUnits(holding, (units, kind) => Math.min(units, Math.max(0, unitsOf(part, kind) ?? 0)));
}

/** What is held after `given` was given back; kinds of which nothing is left are not in the answer. */
export function without(holding: Units, given: Units): Units {
  return mapUnits(holding, (units, kind) => units - (unitsOf(given, kind) ?? 0));
}

function mapUnits(holding: Units, change: (units: number, kind: string) => number): Units {
  const changed = Object.entries(holding).map(
    ([kind, units]) => [kind, change(units, kind)] as const,
  );
  return Object.fromEntries(changed.filter(([, units]) => units > tolerance));
}

/**
 * Units of several resource kinds, taken and given back together.
 *
 * Invariants:
 * 1. `used` of a kind is the sum of what was taken of it and not given back; a kind at zero has no entry.
 * 2. Only `take` raises it, and its callers ask `fits` first; so no kind is above its limit unless the
 *    limit was lowered meanwhile.
 */
export class Permits {
  private readonly used = new Map<string, number>();
  private limitOf: (kind: string) => number;

  /** @param limitOf units that there are of a kind; Infinity: not limited here. */
  constructor(limitOf: (kind: string) => number) {
    this.limitOf = limitOf;
  }

  /** Other limits from now on; what is taken stays taken. */
  limit(limitOf: (kind: string) => number): void {
    this.limitOf = limitOf;
  }

  /** First kind of which the demand is more than there is at all. */
  unsatisfiable(demand: Units): string | undefined {
    return Object.keys(demand).find((kind) => (demand[kind] ?? 0) > this.limitOf(kind) + tolerance);
  }

  /** Whether the whole demand is free now. */
  fits(demand: Units): boolean {
    for (const kind in demand) {
      if (this.usedOf(kind) + (demand[kind] ?? 0) > this.limitOf(kind) + tolerance) return false;
    }
    return true;
  }

  /** Whether the demand is free now and leaves free what is reserved. */
  leaves(demand: Units, reserved: ReadonlyMap<string, number>): boolean {
    for (const kind in demand) {
      const units = demand[kind] ?? 0;
      const wanted = units > 0 ? units + (reserved.get(kind) ?? 0) : 0;
      if (this.usedOf(kind) + wanted > this.limitOf(kind) + tolerance) return false;
    }
    return true;
  }

  /** Adds to `reserved` each kind of which the demand is not free now. */
  reserveLacking(demand: Units, reserved: Map<string, number>): void {
    for (const kind in demand) {
      const units = demand[kind] ?? 0;
      if (this.usedOf(kind) + units > this.limitOf(kind) + tolerance) reserved.set(kind, units);
    }
  }

  take(demand: Units): void {
    for (const kind in demand) this.add(kind, demand[kind] ?? 0);
  }

  give(demand: Units): void {
    for (const kind in demand) this.add(kind, -(demand[kind] ?? 0));
  }

  /** Units taken per kind. */
  inUse(): Record<string, number> {
    return Object.fromEntries(this.used);
  }

  /** The same without a copy; it changes with what is taken. */
  taken(): ReadonlyMap<string, number> {
    return this.used;
  }

  private usedOf(kind: string): number {
    return this.used.get(kind) ?? 0;
  }

  private add(kind: string, units: number): void {
    const next = this.usedOf(kind) + units;
    if (Math.abs(next) < tolerance) this.used.delete(kind);
    else this.used.set(kind, next);
  }
}
