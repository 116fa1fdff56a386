import { unitTolerance } from './project.ts';
import type { Demand } from './project.ts';

interface Segment {
  readonly fromMs: number;
  /** Units in use from `fromMs` to the next segment, by kind. */
  readonly used: Float64Array;
}

/**
 * How many units of each kind are in use at which time.
 *
 * Invariants: (1) segments are in strictly ascending order of time and the first is at 0; (2) the last one
 * uses nothing and never ends, so every demand within the capacity finds a place.
 */
export class Timeline {
  private readonly segments: Segment[];
  private readonly capacity: readonly number[];

  constructor(capacity: readonly number[]) {
    this.capacity = capacity;
    this.segments = [{ fromMs: 0, used: new Float64Array(capacity.length) }];
  }

  /** Takes the units for `durationMs` at the earliest time from `earliestMs` on at which all are free; tells that time. */
  place(demand: readonly Demand[], earliestMs: number, durationMs: number): number {
    if (demand.length === 0 || durationMs === 0) return earliestMs;
    const startMs = this.earliestFit(demand, earliestMs, durationMs);
    const first = this.cutAt(startMs);
    const end = this.cutAt(startMs + durationMs);
    for (let at = first; at < end; at++) {
      const used = this.segments[at]?.used;
      if (used) for (const { kind, units } of demand) used[kind] = (used[kind] ?? 0) + units;
    }
    return startMs;
  }

  private earliestFit(demand: readonly Demand[], earliestMs: number, durationMs: number): number {
    let startMs = earliestMs;
    const { segments } = this;
    for (let at = this.segmentAt(earliestMs); at < segments.length; at++) {
      const segment = segments[at];
      if (!segment || segment.fromMs >= startMs + durationMs) break;
      if (!this.fits(segment, demand)) startMs = segments[at + 1]?.fromMs ?? startMs;
    }
    return startMs;
  }

  private fits(segment: Segment, demand: readonly Demand[]): boolean {
    for (const { kind, units } of demand) {
      if ((segment.used[kind] ?? 0) + units > (this.capacity[kind] ?? 0) + unitTolerance)
        return false;
    }
    return true;
  }

  /** The number of the segment that holds a time. */
  private segmentAt(timeMs: number): number {
    let low = 0;
    let high = this.segments.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.segments[middle]?.fromMs ?? 0) <= timeMs) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** Makes a segment begin at a time and tells its number. */
  private cutAt(timeMs: number): number {
    const at = this.segmentAt(timeMs);
    const segment = this.segments[at];
    if (!segment || segment.fromMs === timeMs) return at;
    this.segments.splice(at + 1, 0, { fromMs: timeMs, used: segment.used.slice() });
    return at + 1;
  }
}
