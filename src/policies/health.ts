import type { HealthSpec } from '../workflow/health.ts';
import { callWindow } from './call-window.ts';
import type { CallWindow } from './call-window.ts';

/** Degraded is a warning; whoever is unhealthy is avoided where there is a choice. */
export type HealthState = 'healthy' | 'degraded' | 'unhealthy';

/** What the state was taken from; null: nothing is known, or it is not looked at. */
export interface HealthFigures {
  readonly errorRate: number | null;
  readonly responseMs: number | null;
  readonly queueDepth: number | null;
}

/** Shares of a limit: what is at the limit is unhealthy, and has to come down to `recovered` to be healthy again. */
const marks = { unhealthy: 1, degraded: 0.8, recovered: 0.6 } as const;

/**
 * The next state at a level, which is the greatest share of a limit that is in use. Against flapping, each state is
 * left downwards at a lower level than it was entered at.
 */
export function nextHealth(state: HealthState, level: number): HealthState {
  if (level >= marks.unhealthy) return 'unhealthy';
  if (level >= marks.degraded) return state === 'unhealthy' ? 'unhealthy' : 'degraded';
  if (level >= marks.recovered) return state === 'healthy' ? 'healthy' : 'degraded';
  return 'healthy';
}

/**
 * How well somebody does at work, by the attempts of a sliding window of time. Times are milliseconds of a clock that
 * does not go back. Who gets no more work is healthy again once its attempts have left the window.
 */
export class Health {
  private readonly spec: HealthSpec;
  private readonly window: CallWindow;
  private state: HealthState = 'healthy';

  constructor(spec: HealthSpec) {
    this.spec = spec;
    this.window = callWindow({ ms: spec.windowMs });
  }

  /** An attempt has ended. */
  note(failed: boolean, durationMs: number, now: number): void {
    this.window.note({ failed, slow: false, durationMs }, now);
  }

  /** The state as of now. @param queueDepth tasks that wait for permits */
  look(now: number, queueDepth: number): HealthState {
    const { errorRate, responseMs } = this.figures(now, queueDepth);
    const { maxErrorRate, maxResponseMs, maxQueueDepth } = this.spec;
    const level = Math.max(
      shareOf(errorRate, maxErrorRate),
      shareOf(responseMs, maxResponseMs),
      shareOf(queueDepth, maxQueueDepth),
    );
    this.state = nextHealth(this.state, level);
    return this.state;
  }

  figures(now: number, queueDepth: number): HealthFigures {
    const { calls, failed, durationMs } = this.window.sums(now);
    const isKnown = calls >= this.spec.minCalls;
    return {
      errorRate: isKnown ? failed / calls : null,
      responseMs: isKnown ? durationMs / calls : null,
      queueDepth: this.spec.maxQueueDepth === undefined ? null : queueDepth,
    };
  }
}

function shareOf(value: number | null, limit: number | undefined): number {
  return value === null || limit === undefined ? 0 : value / limit;
}
