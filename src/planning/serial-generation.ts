import type { CompactProject } from './compact.ts';
import { NumberHeap } from './number-heap.ts';
import { Timeline } from './timeline.ts';

/** Start of every job by number, in milliseconds from the run's start. */
export type Starts = Float64Array;

/**
 * Serial schedule generation (Kelley 1963): takes jobs one by one, each the eligible one that stands first in
 * the order, and puts it at the earliest time at which its units are free. Some order leads to an optimal
 * schedule. O(log n) and a scan of the timeline per job.
 */
export class SerialGenerator {
  private readonly project: CompactProject;
  private readonly timeline: Timeline;
  private readonly eligible: NumberHeap;
  private readonly earliest: Float64Array;
  private readonly waiting: Int32Array;

  constructor(project: CompactProject) {
    this.project = project;
    this.timeline = new Timeline(project);
    this.eligible = new NumberHeap(project.jobs);
    this.earliest = new Float64Array(project.jobs);
    this.waiting = new Int32Array(project.jobs);
  }

  /** @param order the jobs; the first of them that is eligible goes first. @param place of each job in it. */
  generate(order: Int32Array, place: Int32Array): Starts {
    const { jobs, durations, classOf } = this.project;
    const starts = new Float64Array(jobs);
    this.timeline.clear();
    this.earliest.set(this.project.releases);
    this.waiting.set(this.project.predecessorCounts);
    for (let job = 0; job < jobs; job++)
      if (this.waiting[job] === 0) this.eligible.push(place[job] ?? 0);
    for (let at = this.eligible.pop(); at >= 0; at = this.eligible.pop()) {
      const job = order[at] ?? 0;
      const durationMs = durations[job] ?? 0;
      const start = this.timeline.put(classOf[job] ?? 0, this.earliest[job] ?? 0, durationMs);
      starts[job] = start;
      this.release(job, start + durationMs, place);
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
}
