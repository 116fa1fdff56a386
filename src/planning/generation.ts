import { Heap } from '../core/heap.ts';
import { unitTolerance } from './project.ts';
import type { Project } from './project.ts';
import { Timeline } from './timeline.ts';
import { indegrees } from './topological.ts';

/** Start of every job by number, in milliseconds from the run's start. */
export type Starts = Float64Array;

/** A total order of the jobs: the position of each; the lower goes first. */
export type Positions = Int32Array;

/** When the last job ends. */
export function makespanOf(project: Project, starts: Starts): number {
  return starts.reduce(
    (most, start, job) => Math.max(most, start + (project.durations[job] ?? 0)),
    0,
  );
}

/**
 * Parallel schedule generation (Kelley 1963): goes from finish to finish and starts, in order of position,
 * every ready job that fits; one that does not fit holds up nobody. It never leaves idle what could work,
 * as the governor does. A heap per demand class, so that a wide front costs O(log n) per job.
 */
export function parallelSchedule(project: Project, positions: Positions): Starts {
  const run = new ParallelRun(project, positions);
  run.toEnd();
  return run.starts;
}

/**
 * Serial schedule generation (Kelley 1963): takes jobs one by one, each the eligible one of lowest position,
 * and puts it at the earliest time at which its units are free. Some order leads to an optimal schedule.
 */
export function serialSchedule(project: Project, positions: Positions): Starts {
  const starts: Starts = new Float64Array(positions.length);
  const earliest = new Float64Array(positions.length);
  const waiting = indegrees(project.successors);
  const timeline = new Timeline(project.capacity);
  const eligible = byPosition(positions);
  waiting.forEach((count, job) => {
    if (count === 0) eligible.push(job);
  });
  for (let job = eligible.pop(); job !== undefined; job = eligible.pop()) {
    const durationMs = project.durations[job] ?? 0;
    const start = timeline.place(project.demands[job] ?? [], earliest[job] ?? 0, durationMs);
    starts[job] = start;
    for (const next of project.successors[job] ?? []) {
      earliest[next] = Math.max(earliest[next] ?? 0, start + durationMs);
      waiting[next] = (waiting[next] ?? 0) - 1;
      if (waiting[next] === 0) eligible.push(next);
    }
  }
  return starts;
}

function byPosition(positions: Positions): Heap<number> {
  return new Heap((a, b) => (positions[a] ?? 0) < (positions[b] ?? 0));
}

interface Finish {
  readonly atMs: number;
  readonly job: number;
}

class ParallelRun {
  readonly starts: Starts;
  private readonly project: Project;
  private readonly positions: Positions;
  private readonly free: number[];
  private readonly waiting: Int32Array;
  private readonly readyByClass: Heap<number>[] = [];
  /** The classes with ready jobs, by the position of their first; a class is in it at most once. */
  private readonly classes: Heap<Heap<number>>;
  private readonly running = new Heap<Finish>(
    (a, b) => a.atMs < b.atMs || (a.atMs === b.atMs && a.job < b.job),
  );
  private nowMs = 0;

  constructor(project: Project, positions: Positions) {
    this.project = project;
    this.positions = positions;
    this.starts = new Float64Array(positions.length);
    this.free = [...project.capacity];
    this.waiting = indegrees(project.successors);
    this.classes = new Heap((a, b) => this.headPosition(a) < this.headPosition(b));
  }

  toEnd(): void {
    this.waiting.forEach((count, job) => {
      if (count === 0) this.makeReady(job);
    });
    this.startWhatFits();
    for (let next = this.running.peek(); next; next = this.running.peek()) {
      this.nowMs = next.atMs;
      for (let done = next; done && done.atMs === this.nowMs; done = this.running.peek() as Finish)
        this.finish(done.job);
      this.startWhatFits();
    }
  }

  private headPosition(ready: Heap<number>): number {
    return this.positions[ready.peek() ?? -1] ?? Infinity;
  }

  private makeReady(job: number): void {
    const number = this.project.demandClass[job] ?? 0;
    const ready = (this.readyByClass[number] ??= byPosition(this.positions));
    ready.push(job);
  }

  private finish(job: number): void {
    this.running.pop();
    for (const { kind, units } of this.project.demands[job] ?? [])
      this.free[kind] = (this.free[kind] ?? 0) + units;
    for (const next of this.project.successors[job] ?? []) {
      this.waiting[next] = (this.waiting[next] ?? 0) - 1;
      if (this.waiting[next] === 0) this.makeReady(next);
    }
  }

  private startWhatFits(): void {
    for (const ready of this.readyByClass) if (ready && ready.size > 0) this.classes.push(ready);
    for (let ready = this.classes.pop(); ready; ready = this.classes.pop()) {
      const job = ready.peek();
      if (job === undefined || !this.fits(job)) continue;
      ready.pop();
      this.start(job);
      if (ready.size > 0) this.classes.push(ready);
    }
  }

  private fits(job: number): boolean {
    return (this.project.demands[job] ?? []).every(
      ({ kind, units }) => units <= (this.free[kind] ?? 0) + unitTolerance,
    );
  }

  private start(job: number): void {
    this.starts[job] = this.nowMs;
    for (const { kind, units } of this.project.demands[job] ?? [])
      this.free[kind] = (this.free[kind] ?? 0) - units;
    this.running.push({ atMs: this.nowMs + (this.project.durations[job] ?? 0), job });
  }
}
