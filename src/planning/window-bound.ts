import type { Project } from './project.ts';

/** Above this many jobs on one kind the windows are too many to be looked at. */
const maxWindowJobs = 128;

/** When jobs can lie if the project takes as long as its critical path. */
interface Times {
  readonly heads: Float64Array;
  readonly tails: Float64Array;
  readonly pathMs: number;
}

/** A job as windows see it. */
interface Slab {
  readonly units: number;
  readonly durationMs: number;
  readonly earliestMs: number;
  readonly latestMs: number;
}

/**
 * What must be done within a window of time if the project took no longer than its critical path, wherever
 * its jobs lie, can be more than the capacity has room for: the project takes longer by at least what is over
 * (Fernandez and Bussell 1973). In milliseconds; 0 for a project of too many jobs.
 */
export function windowBound(project: Project, times: Times): number {
  return project.kinds.reduce((most, _, kind) => {
    const slabs = slabsOn(project, kind, times);
    if (slabs.length > maxWindowJobs) return most;
    return Math.max(most, times.pathMs + longestExcess(slabs, project.capacity[kind] ?? Infinity));
  }, 0);
}

function slabsOn(project: Project, kind: number, { heads, tails, pathMs }: Times): Slab[] {
  return project.demands.flatMap((demand, job): Slab[] => {
    const units = demand.find((entry) => entry.kind === kind)?.units ?? 0;
    const durationMs = project.durations[job] ?? 0;
    if (units * durationMs === 0) return [];
    const earliestMs = heads[job] ?? 0;
    return [{ units, durationMs, earliestMs, latestMs: pathMs - (tails[job] ?? 0) }];
  });
}

function longestExcess(slabs: readonly Slab[], capacity: number): number {
  const begins = new Set(slabs.flatMap(({ earliestMs, latestMs }) => [earliestMs, latestMs]));
  const ends = new Set(
    slabs.flatMap((slab) =>
      [slab.earliestMs, slab.latestMs].map((start) => start + slab.durationMs),
    ),
  );
  let most = 0;
  for (const fromMs of begins) {
    for (const toMs of ends) {
      if (toMs <= fromMs) continue;
      const excess = workWithin(slabs, fromMs, toMs) / capacity - (toMs - fromMs);
      most = Math.max(most, excess);
    }
  }
  return most;
}

function workWithin(slabs: readonly Slab[], fromMs: number, toMs: number): number {
  let work = 0;
  for (const { units, durationMs, earliestMs, latestMs } of slabs) {
    const early = Math.min(toMs, earliestMs + durationMs) - Math.max(fromMs, earliestMs);
    if (early <= 0) continue;
    const late = Math.min(toMs, latestMs + durationMs) - Math.max(fromMs, latestMs);
    if (late > 0) work += units * Math.min(early, late);
  }
  return work;
}
