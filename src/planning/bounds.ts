import type { Project } from './project.ts';

/** Below this many milliseconds, two sums of durations are equal but for rounding. */
export const roundingMs = 1e-6;

/** What no schedule of a project can go below, in milliseconds. */
export interface LowerBound {
  readonly ms: number;
  /** The length of the critical path alone. */
  readonly pathMs: number;
}

/**
 * The longer of the critical path and, per kind of resource, the work on it over its capacity, between the
 * least time before any of that work and the least time after it.
 */
export function lowerBound(project: Project): LowerBound {
  const tails = tailsOf(project);
  const pathMs = tails.reduce((most, tail) => Math.max(most, tail), 0);
  const perKind = loadsOf(project, tails).map(({ work, head, tail }, kind) =>
    work > 0 ? head + work / (project.capacity[kind] ?? 1) + tail : 0,
  );
  return { ms: perKind.reduce((most, ms) => Math.max(most, ms), pathMs), pathMs };
}

interface Load {
  /** Units times milliseconds. */
  work: number;
  head: number;
  tail: number;
}

function loadsOf(project: Project, tails: Float64Array): Load[] {
  const heads = headsOf(project);
  const loads = project.kinds.map((): Load => ({ work: 0, head: Infinity, tail: Infinity }));
  project.demands.forEach((demand, job) => {
    const durationMs = project.durations[job] ?? 0;
    if (durationMs === 0) return;
    for (const { kind, units } of demand) {
      const load = loads[kind];
      if (!load) continue;
      load.work += units * durationMs;
      load.head = Math.min(load.head, heads[job] ?? 0);
      load.tail = Math.min(load.tail, (tails[job] ?? 0) - durationMs);
    }
  });
  return loads;
}

/** Longest path from each job's start to the end of the project, in milliseconds. */
export function tailsOf(project: Project): Float64Array {
  const tails = new Float64Array(project.durations.length);
  for (let place = project.order.length - 1; place >= 0; place--) {
    const job = project.order[place] ?? 0;
    for (const next of project.successors[job] ?? [])
      tails[job] = Math.max(tails[job] ?? 0, tails[next] ?? 0);
    tails[job] = (tails[job] ?? 0) + (project.durations[job] ?? 0);
  }
  return tails;
}

/** Longest path from the project's start to each job's, in milliseconds: the earliest that it can start. */
function headsOf(project: Project): Float64Array {
  const heads = new Float64Array(project.durations.length);
  for (const job of project.order) {
    const finish = (heads[job] ?? 0) + (project.durations[job] ?? 0);
    for (const next of project.successors[job] ?? [])
      heads[next] = Math.max(heads[next] ?? 0, finish);
  }
  return heads;
}
