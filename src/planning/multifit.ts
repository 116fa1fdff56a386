import type { Starts } from './serial-generation.ts';
import type { Project } from './project.ts';

/** Bisections after which the bound of the bins is fine enough (Coffman, Garey and Johnson use 7). */
const bisections = 8;

/** Between which makespans to look, and how often. */
export interface PackingBounds {
  readonly lowMs: number;
  readonly highMs: number;
  readonly tries: number;
}

/**
 * MULTIFIT (Coffman, Garey and Johnson 1978) for projects that are nothing but independent jobs of equal
 * demand, where longest-first alone can miss by a third: looks, by bisection, for the least time within
 * which first-fit-decreasing packs the jobs onto the workers that the capacity allows.
 * @returns the schedules it tried that fit; none when the project is of another form.
 */
export function multifitSchedules(project: Project, within: PackingBounds): Starts[] {
  const workers = equalWorkers(project);
  if (workers < 1 || !Number.isFinite(workers)) return [];
  const longestFirst = project.durations.map((_, job) => job);
  longestFirst.sort((a, b) => (project.durations[b] ?? 0) - (project.durations[a] ?? 0) || a - b);
  const found: Starts[] = [];
  const rounds = Math.min(bisections, within.tries);
  let [low, high] = [within.lowMs, within.highMs];
  for (let round = 0; round < rounds && low < high; round++) {
    // The first try is at the bound itself: where it fits, it is the best there is.
    const limitMs = round === 0 ? low : (low + high) / 2;
    const starts = firstFit(project, longestFirst, { workers, limitMs });
    if (starts) {
      found.push(starts);
      high = limitMs;
    } else low = limitMs;
  }
  return found;
}

/** How many of the jobs fit at one time; 0 when they differ in demand or depend on each other. */
function equalWorkers(project: Project): number {
  if (project.successors.some((nexts) => nexts.length > 0)) return 0;
  if (project.releases.some((releaseMs) => releaseMs > 0)) return 0;
  if (project.demandClass.some((number) => number !== project.demandClass[0])) return 0;
  const shares = (project.demands[0] ?? []).map(({ kind, units }) =>
    Math.floor((project.capacity[kind] ?? 0) / units),
  );
  return Math.min(...shares);
}

function firstFit(
  project: Project,
  jobs: readonly number[],
  { workers, limitMs }: { readonly workers: number; readonly limitMs: number },
): Starts | undefined {
  const busyMs = new Float64Array(Math.min(workers, jobs.length));
  const starts = new Float64Array(jobs.length);
  for (const job of jobs) {
    const durationMs = project.durations[job] ?? 0;
    const worker = busyMs.findIndex((busy) => busy + durationMs <= limitMs);
    if (worker < 0) return undefined;
    starts[job] = busyMs[worker] ?? 0;
    busyMs[worker] = (busyMs[worker] ?? 0) + durationMs;
  }
  return starts;
}
