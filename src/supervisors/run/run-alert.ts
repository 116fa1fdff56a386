import type { BreakerState } from '../../policies/breaker.ts';
import type { HealthState } from '../../policies/health.ts';

/** Something about a run that people should hear of. */
export type RunAlert =
  | {
      readonly kind: 'breaker';
      /** The breaker. */
      readonly of: string;
      readonly state: BreakerState;
      readonly why: string;
      /** When it lets calls try, wall milliseconds; null: it is not open. */
      readonly until: number | null;
    }
  | {
      readonly kind: 'health';
      /** `agent:` or `pool:` and a name, or `run`. */
      readonly of: string;
      readonly state: HealthState;
      readonly why: string;
    }
  | {
      readonly kind: 'threshold';
      /** A threshold of `monitoring`. */
      readonly of: string;
      readonly state: 'passed' | 'back';
      readonly why: string;
    };
