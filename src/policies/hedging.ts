import type { HedgeSpec } from '../workflow/hedge.ts';

/** Successes that are looked at, and how many it takes for a percentile to mean something. */
const kept = 100;
const leastCount = 10;

/**
 * When to begin a further attempt beside one that takes long: after a fixed time, or after the 95th percentile of
 * the agent's response times, as in Dean and Barroso, The Tail at Scale (2013). Hedges are at most a share of all
 * attempts, so that they cannot double the load of an agent that slows down as a whole.
 */
export class Hedging {
  private readonly times = new Map<string, number[]>();
  private readonly next = new Map<string, number>();
  private begun: number;
  private hedged: number;

  /** @param before attempts begun, and hedged, before this process carried the run */
  constructor(before: { readonly begun: number; readonly hedged: number }) {
    this.begun = before.begun;
    this.hedged = before.hedged;
  }

  /** An attempt begins that may be hedged. */
  attemptBegun(): void {
    this.begun++;
  }

  /** A further attempt was begun. */
  hedgeBegun(): void {
    this.hedged++;
  }

  /** An attempt has succeeded. True: from now on the agent's percentile is known. */
  succeeded(agent: string, durationMs: number): boolean {
    const times = this.times.get(agent) ?? [];
    const next = this.next.get(agent) ?? 0;
    times[next % kept] = durationMs;
    this.times.set(agent, times);
    this.next.set(agent, next + 1);
    return next + 1 === leastCount;
  }

  /** How long an attempt must have run before it is hedged, milliseconds; undefined: that is not known yet. */
  afterMs(agent: string, { afterMs }: HedgeSpec): number | undefined {
    if (afterMs !== undefined) return afterMs;
    const times = this.times.get(agent) ?? [];
    if (times.length < leastCount) return undefined;
    const sorted = times.toSorted((a, b) => a - b);
    return sorted[Math.ceil(0.95 * sorted.length) - 1];
  }

  /** Whether one more is within the share. The first one always is. */
  isWithinShare({ maxShare }: HedgeSpec): boolean {
    if (maxShare === undefined) return true;
    return this.hedged + 1 <= Math.max(1, maxShare * this.begun);
  }
}
