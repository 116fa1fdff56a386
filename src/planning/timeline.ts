import type { CompactProject } from './compact.ts';

/** Segments from `first` to before `end`, and the time within them that a job takes. */
interface Span {
  readonly first: number;
  readonly end: number;
  readonly startMs: number;
  readonly endMs: number;
}

/**
 * How many units of each kind are in use at which time, for jobs that are put on it one by one.
 *
 * Invariants between two jobs: (1) `times` is strictly ascending up to `count`; (2) the last segment uses
 * nothing and never ends, so every demand within the capacity finds a place; (3) segments before `firstOpen`
 * have no room for any job that demands something.
 */
export class Timeline {
  private readonly project: CompactProject;
  private readonly kinds: number;
  private readonly times: Float64Array;
  /** Units in use from each time to the next, by segment and then kind. */
  private readonly used: Float64Array;
  private count = 1;
  private firstOpen = 0;

  constructor(project: CompactProject) {
    this.project = project;
    this.kinds = project.capacity.length;
    const most = 2 * project.jobs + 2;
    this.times = new Float64Array(most);
    this.used = new Float64Array(most * this.kinds);
  }

  /** Takes everything off; what is put on it from now on starts no earlier than this. */
  clear(fromMs = 0): void {
    this.count = 1;
    this.firstOpen = 0;
    this.times[0] = fromMs;
    this.used.fill(0, 0, this.kinds);
  }

  /** Takes the units of a class for so long at the earliest time from `earliestMs` on at which all are free; tells that time. */
  put(group: number, earliestMs: number, durationMs: number): number {
    const { demandsFrom } = this.project;
    if (demandsFrom[group] === demandsFrom[group + 1] || durationMs === 0) return earliestMs;
    const { times } = this;
    let first = this.segmentAt(earliestMs);
    let startMs = earliestMs;
    if (first < this.firstOpen) {
      first = this.firstOpen;
      startMs = times[first] ?? 0;
    }
    let at = first;
    while (at < this.count && (times[at] ?? 0) < startMs + durationMs) {
      if (!this.fits(group, at)) {
        first = at + 1;
        startMs = times[first] ?? 0;
      }
      at++;
    }
    this.take(group, { first, end: at, startMs, endMs: startMs + durationMs });
    return startMs;
  }

  private fits(group: number, segment: number): boolean {
    const { demandsFrom, demandKinds, demandUnits, capacity } = this.project;
    const base = segment * this.kinds;
    const end = demandsFrom[group + 1] ?? 0;
    for (let at = demandsFrom[group] ?? 0; at < end; at++) {
      const kind = demandKinds[at] ?? 0;
      if ((this.used[base + kind] ?? 0) + (demandUnits[at] ?? 0) > (capacity[kind] ?? 0))
        return false;
    }
    return true;
  }

  private take(group: number, span: Span): void {
    let { first, end } = span;
    if (end === this.count || (this.times[end] ?? 0) > span.endMs) this.cut(end, span.endMs);
    if ((this.times[first] ?? 0) < span.startMs) {
      this.cut(++first, span.startMs);
      end++;
    }
    for (let segment = first; segment < end; segment++) this.use(group, segment);
    this.passFull();
  }

  private use(group: number, segment: number): void {
    const { demandsFrom, demandKinds, demandUnits } = this.project;
    const end = demandsFrom[group + 1] ?? 0;
    for (let at = demandsFrom[group] ?? 0; at < end; at++) {
      const cell = segment * this.kinds + (demandKinds[at] ?? 0);
      this.used[cell] = (this.used[cell] ?? 0) + (demandUnits[at] ?? 0);
    }
  }

  /** Makes a segment with this number begin at a time, with what the one before it uses. */
  private cut(segment: number, timeMs: number): void {
    const { times, used, kinds } = this;
    times.copyWithin(segment + 1, segment, this.count);
    used.copyWithin((segment + 1) * kinds, segment * kinds, this.count * kinds);
    used.copyWithin(segment * kinds, (segment - 1) * kinds, segment * kinds);
    times[segment] = timeMs;
    this.count++;
    if (segment < this.firstOpen) this.firstOpen++;
  }

  private passFull(): void {
    const { commonKind, commonUnits, capacity } = this.project;
    if (commonKind < 0) return;
    const most = (capacity[commonKind] ?? 0) - commonUnits;
    while ((this.used[this.firstOpen * this.kinds + commonKind] ?? 0) > most) this.firstOpen++;
  }

  /** The number of the segment that holds a time. */
  private segmentAt(timeMs: number): number {
    let low = 0;
    let high = this.count - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.times[middle] ?? 0) <= timeMs) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
