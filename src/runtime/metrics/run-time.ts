import type { Pause, RunState } from '../../journal/run-state.ts';

/** A stretch of wall time, milliseconds. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/**
 * The time of a run as its metrics count it: what passes while nobody carries it does not count.
 *
 * Invariant: `since` never decreases from an earlier time to a later one, and stands still in every pause.
 */
export class RunTime {
  /** Where what is not over yet is taken to end. */
  readonly until: number;
  private readonly startedAt: number;
  private readonly pauses: readonly Pause[];

  /** @param now wall milliseconds, for a run that somebody carries; default: the time of its last record. */
  constructor(state: RunState, now?: number) {
    this.startedAt = state.startedAt;
    this.pauses = state.pauses;
    this.until = Math.max(state.startedAt, state.endedAt ?? now ?? state.lastAt);
  }

  /** Counted milliseconds from the run's start to a point in time. */
  since(at: number): number {
    let still = 0;
    for (const { from, to } of this.pauses) {
      if (from >= at) break;
      still += Math.min(at, to) - from;
    }
    return at - this.startedAt - still;
  }

  /** Counted milliseconds of a stretch; 0 for one that ends before it begins. */
  between({ from, to }: Span): number {
    return Math.max(0, this.since(to) - this.since(from));
  }

  /** From a task's first dispatch to its end, or to now; undefined: it was never dispatched. */
  spanOf({
    startedAt,
    finishedAt,
  }: {
    readonly startedAt: number | undefined;
    readonly finishedAt: number | undefined;
  }): Span | undefined {
    return startedAt === undefined ? undefined : { from: startedAt, to: finishedAt ?? this.until };
  }
}
