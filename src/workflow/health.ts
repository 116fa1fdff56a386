/** From when on an agent, a pool or a run is not healthy; undefined: that is not looked at. */
export interface HealthSpec {
  /** Share of failed attempts, above 0 and up to 1. */
  readonly maxErrorRate?: number | undefined;
  /** Mean time of an attempt. */
  readonly maxResponseMs?: number | undefined;
  /** Tasks that wait for their permits. */
  readonly maxQueueDepth?: number | undefined;
  /** Attempts in the window before its figures mean anything; from 1. */
  readonly minCalls: number;
  /** Attempts of so many milliseconds count. */
  readonly windowMs: number;
}

/** Half of at least five attempts of the last minute. */
export const defaultHealth: HealthSpec = { maxErrorRate: 0.5, minCalls: 5, windowMs: 60_000 };
