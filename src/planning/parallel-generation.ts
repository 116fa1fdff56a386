import type { CompactProject } from './compact.ts';
import { NumberHeap } from './number-heap.ts';
import type { Starts } from './serial-generation.ts';

/**
 * Parallel schedule generation (Kelley 1963): goes from finish to finish and starts, in order, every ready job
 * that fits; one that does not fit holds up nobody. It never leaves idle what could work, as the governor
 * does. O(log n) per job and a look at each class of demand that has ready jobs.
 *
 * Invariants between two events: (1) a job is waiting, in the heap of its class, among the running, or done;
 * (2) `free` is the capacity less what the running jobs hold; (3) the active classes are those with ready jobs.
 */
export class ParallelGenerator {
  private readonly project: CompactProject;
  private readonly ready: NumberHeap[] = [];
  private readonly active: Int32Array;
  private readonly free: Float64Array;
  private readonly running: Events;
  private readonly later: Events;
  private activeCount = 0;
  private order: Int32Array = new Int32Array(0);
  private place: Int32Array = this.order;
  private waiting: Int32Array = this.order;
  private starts: Starts = new Float64Array(0);
  private nowMs = 0;

  constructor(project: CompactProject) {
    this.project = project;
    const sizes = new Int32Array(project.classes);
    for (const group of project.classOf) sizes[group] = (sizes[group] ?? 0) + 1;
    for (const size of sizes) this.ready.push(new NumberHeap(size));
    this.active = new Int32Array(project.classes);
    this.free = project.capacity.slice();
    this.running = new Events(project.jobs);
    this.later = new Events(project.jobs);
  }

  /** @param order the jobs; the first of them that fits goes first. @param place of each job in it. */
  generate(order: Int32Array, place: Int32Array): Starts {
    this.reset(order, place);
    const { jobs, predecessorCounts } = this.project;
    for (let job = 0; job < jobs; job++) if (predecessorCounts[job] === 0) this.release(job);
    this.startWhatFits();
    while (this.running.size > 0 || this.later.size > 0) {
      this.nowMs = Math.min(this.running.nextMs(), this.later.nextMs());
      while (this.running.nextMs() === this.nowMs) this.finish(this.running.pop());
      while (this.later.nextMs() === this.nowMs) this.makeReady(this.later.pop());
      this.startWhatFits();
    }
    return this.starts;
  }

  private reset(order: Int32Array, place: Int32Array): void {
    this.order = order;
    this.place = place;
    this.waiting = this.project.predecessorCounts.slice();
    this.starts = new Float64Array(this.project.jobs);
    this.free.set(this.project.capacity);
    this.activeCount = 0;
    this.nowMs = 0;
  }

  /** All that the job waited for has ended. */
  private release(job: number): void {
    const releaseMs = this.project.releases[job] ?? 0;
    if (releaseMs > this.nowMs) this.later.push(releaseMs, job);
    else this.makeReady(job);
  }

  private makeReady(job: number): void {
    const { classOf, durations, demandsFrom } = this.project;
    const group = classOf[job] ?? 0;
    if (demandsFrom[group] === demandsFrom[group + 1]) {
      this.starts[job] = this.nowMs;
      const durationMs = durations[job] ?? 0;
      this.running.push(this.nowMs + durationMs, job);
      return;
    }
    const heap = this.ready[group];
    if (!heap) return;
    if (heap.size === 0) this.active[this.activeCount++] = group;
    heap.push(this.place[job] ?? 0);
  }

  private finish(job: number): void {
    this.hold(this.project.classOf[job] ?? 0, 1);
    const { successors, successorsFrom } = this.project;
    const end = successorsFrom[job + 1] ?? 0;
    for (let edge = successorsFrom[job] ?? 0; edge < end; edge++) {
      const next = successors[edge] ?? 0;
      const left = (this.waiting[next] ?? 0) - 1;
      this.waiting[next] = left;
      if (left === 0) this.release(next);
    }
  }

  private startWhatFits(): void {
    // What takes no time is over before anything is started: it may be what a more urgent job waits for.
    while (this.running.nextMs() === this.nowMs) this.finish(this.running.pop());
    for (let at = this.firstThatFits(); at >= 0; at = this.firstThatFits()) {
      const group = this.active[at] ?? 0;
      const heap = this.ready[group];
      const job = this.order[heap?.pop() ?? 0] ?? 0;
      if (heap?.size === 0) this.active[at] = this.active[--this.activeCount] ?? 0;
      this.starts[job] = this.nowMs;
      this.hold(group, -1);
      this.running.push(this.nowMs + (this.project.durations[job] ?? 0), job);
    }
  }

  /** The place among the active classes of the one whose first job goes first of all that fit; -1: nothing fits. */
  private firstThatFits(): number {
    const { commonKind, commonUnits } = this.project;
    if (commonKind >= 0 && (this.free[commonKind] ?? 0) < commonUnits) return -1;
    let best = -1;
    let least = Infinity;
    for (let at = 0; at < this.activeCount; at++) {
      const group = this.active[at] ?? 0;
      const head = this.ready[group]?.peek() ?? Infinity;
      if (head >= least || !this.fits(group)) continue;
      best = at;
      least = head;
    }
    return best;
  }

  private fits(group: number): boolean {
    const { demandsFrom, demandKinds, demandUnits } = this.project;
    const end = demandsFrom[group + 1] ?? 0;
    for (let at = demandsFrom[group] ?? 0; at < end; at++)
      if ((demandUnits[at] ?? 0) > (this.free[demandKinds[at] ?? 0] ?? 0)) return false;
    return true;
  }

  private hold(group: number, sign: 1 | -1): void {
    const { demandsFrom, demandKinds, demandUnits } = this.project;
    const end = demandsFrom[group + 1] ?? 0;
    for (let at = demandsFrom[group] ?? 0; at < end; at++) {
      const kind = demandKinds[at] ?? 0;
      this.free[kind] = (this.free[kind] ?? 0) + sign * (demandUnits[at] ?? 0);
    }
  }
}

/** Jobs by time, the earliest first; at one time the lower number. A binary heap without allocation. */
class Events {
  size = 0;
  private readonly times: Float64Array;
  private readonly jobs: Int32Array;

  constructor(most: number) {
    this.times = new Float64Array(most);
    this.jobs = new Int32Array(most);
  }

  nextMs(): number {
    return this.size > 0 ? (this.times[0] ?? Infinity) : Infinity;
  }

  push(timeMs: number, job: number): void {
    let at = this.size++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.isBefore(timeMs, job, parent)) break;
      this.move(parent, at);
      at = parent;
    }
    this.times[at] = timeMs;
    this.jobs[at] = job;
  }

  pop(): number {
    const top = this.jobs[0] ?? 0;
    const last = --this.size;
    const timeMs = this.times[last] ?? 0;
    const job = this.jobs[last] ?? 0;
    const half = last >> 1;
    let at = 0;
    while (at < half) {
      let child = 2 * at + 1;
      const right = child + 1;
      if (right < last && this.isBefore(this.times[right] ?? 0, this.jobs[right] ?? 0, child))
        child = right;
      if (this.isBefore(timeMs, job, child)) break;
      this.move(child, at);
      at = child;
    }
    this.times[at] = timeMs;
    this.jobs[at] = job;
    return top;
  }

  private isBefore(timeMs: number, job: number, other: number): boolean {
    const otherMs = this.times[other] ?? 0;
    return timeMs < otherMs || (timeMs === otherMs && job < (this.jobs[other] ?? 0));
  }

  private move(from: number, to: number): void {
    this.times[to] = this.times[from] ?? 0;
    this.jobs[to] = this.jobs[from] ?? 0;
  }
}
