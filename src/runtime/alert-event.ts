import type { BreakerState } from '../policies/breaker.ts';
import type { HealthState } from '../policies/health.ts';

/** A change that people should hear of; told to whoever listens, never journaled. */
export type AlertEvent = { readonly run: string; readonly at: number; readonly why: string } & (
  | {
      readonly type: 'breaker.changed';
      readonly breaker: string;
      readonly state: BreakerState;
      /** When it lets calls try, wall milliseconds; null: it is not open. */
      readonly until: number | null;
    }
  | { readonly type: 'health.changed'; readonly of: string; readonly state: HealthState }
  /** A threshold of `monitoring` was passed, or is kept again. */
  | {
      readonly type: 'threshold.changed';
      readonly threshold: string;
      readonly state: 'passed' | 'back';
    }
);
