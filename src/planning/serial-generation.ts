import type { CompactProject } from './compact.ts';
import { NumberHeap } from './number-heap.ts';

/** Start of every job by number, in milliseconds from the run's start. */
export type Starts = Float64Array;

/** Segments from `first` to before `end`, and the time within them that a job takes. */
interface Span {
  readonly first: number;
  readonly end: number;
  readonly startMs: number;
  readonly endMs: number;
}

/**
 * Serial schedule generation (Kelley 1963): takes jobs one by one, each the eligible one that stands first in
 * the order, and puts it at the earliest time at which its units are free. Some order leads to an optimal
 * schedule. O(log n) and a scan of the timeline per job.
 *
 * Invariants of the timeline between two jobs: (1) `times` is strictly ascending up to `count`, the first at
 * 0; (2) the last segment uses nothing and never ends; (3) segments before `firstOpen` have no room for any
 * job that demands something.
 */
export class SerialGenerator {
  private readonly project: CompactProject;
  private readonly kinds: number;
  private readonly times: Float64Array;
  /** Units in use from each time to the next, by segment and then kind. */
  private readonly used: Float64Array;
  private readonly eligible: NumberHeap;
  private readonly earliest: Float64Array;
  private readonly waiting: Int32Array;
  private count = 1;
  private firstOpen = 0;

  constructor(project: CompactProject) {
    this.project = project;
    this.kinds = project.capacity.length;
    const most = 2 * project.jobs + 2;
    this.times = new Float64Array(most);
    this.used = new Float64Array(most * this.kinds);
    this.eligible = new NumberHeap(project.jobs);
    this.earliest = new Float64Array(project.jobs);
    this.waiting = new Int32Array(project.jobs);
  }

  /** @param order the jobs; the first of them that is eligible goes first. @param place of each job in it. */
  generate(order: Int32Array, place: Int32Array): Starts {
    const { jobs, durations } = this.project;
    const starts = new Float64Array(jobs);
    this.clear();
    for (let job = 0; job < jobs; job++)
      if (this.waiting[job] === 0) this.eligible.push(place[job] ?? 0);
    for (let at = this.eligible.pop(); at >= 0; at = this.eligible.pop()) {
      const job = order[at] ?? 0;
      const start = this.put(job, this.earliest[job] ?? 0);
      starts[job] = start;
      this.release(job, start + (durations[job] ?? 0), place);
    }
    return starts;
  }

  /** Successors of a job start no earlier than it ends; those that waited only for it are eligible now. */
  private release(job: number, finishMs: number, place: Int32Array): void {
    const { successors, successorsFrom } = this.project;
    const { earliest, waiting } = this;
    const end = successorsFrom[job + 1] ?? 0;
    for (let edge = successorsFrom[job] ?? 0; edge < end; edge++) {
      const next = successors[edge] ?? 0;
      if ((earliest[next] ?? 0) < finishMs) earliest[next] = finishMs;
      const left = (waiting[next] ?? 0) - 1;
      waiting[next] = left;
      if (left === 0) this.eligible.push(place[next] ?? 0);
    }
  }

  private clear(): void {
    this.count = 1;
    this.firstOpen = 0;
    this.times[0] = 0;
    this.used.fill(0, 0, this.kinds);
    this.earliest.set(this.project.releases);
    this.waiting.set(this.project.predecessorCounts);
  }

  /** Takes a job's units at the earliest time from `earliestMs` on at which all are free; tells that time. */
  private put(job: number, earliestMs: number): number {
    const { classOf, demandsFrom, durations } = this.project;
    const group = classOf[job] ?? 0;
    if (demandsFrom[group] === demandsFrom[group + 1]) return earliestMs;
    const durationMs = durations[job] ?? 0;
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
