import type { Thresholds } from '../workflow/adaptation.ts';

/** What thresholds are compared with; undefined: nothing is known yet. */
export interface Readings {
  readonly event_loop_delay: number;
  readonly memory: number;
  readonly queue_depth: number;
  readonly response_time: number | undefined;
}

/** A threshold that was passed, or is kept again. */
export interface ThresholdChange {
  readonly threshold: keyof Readings;
  readonly state: 'passed' | 'back';
  readonly value: number;
  readonly limit: number;
}

/** Samples in a row that it takes, and the share of the limit below which it counts as kept again. */
const confirmations = 2;
const backShare = 0.8;

/** Which thresholds are passed, against flapping: after two samples above, until two below 80% of it. */
export class AlertThresholds {
  private readonly limits: Readonly<Record<keyof Readings, number | undefined>>;
  private readonly passed = new Set<keyof Readings>();
  private readonly streaks = new Map<keyof Readings, number>();

  constructor({ eventLoopDelayMs, memory, queueDepth, responseMs }: Thresholds) {
    this.limits = {
      event_loop_delay: eventLoopDelayMs,
      memory,
      queue_depth: queueDepth,
      response_time: responseMs,
    };
  }

  /** One more look. */
  sample(readings: Readings): readonly ThresholdChange[] {
    const names = Object.keys(this.limits) as (keyof Readings)[];
    return names.flatMap((name) => this.look(name, readings[name]) ?? []);
  }

  private look(threshold: keyof Readings, value: number | undefined): ThresholdChange | undefined {
    const limit = this.limits[threshold];
    if (limit === undefined || value === undefined) return undefined;
    const isPassed = this.passed.has(threshold);
    const isOther = isPassed ? value <= limit * backShare : value > limit;
    const streak = isOther ? (this.streaks.get(threshold) ?? 0) + 1 : 0;
    this.streaks.set(threshold, streak);
    if (streak < confirmations) return undefined;
    this.streaks.set(threshold, 0);
    if (isPassed) this.passed.delete(threshold);
    else this.passed.add(threshold);
    return { threshold, state: isPassed ? 'back' : 'passed', value, limit };
  }
}
