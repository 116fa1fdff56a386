import type { Project } from './project.ts';
import { windowBound } from './window-bound.ts';

/** Below this many milliseconds, two sums of durations are equal but for rounding. */
export const roundingMs = 1e-6;

/** What no schedule of a project can go below, in milliseconds. */
export interface LowerBound {
  readonly ms: number;
  /** The length of the critical path alone, times that tasks have to wait for included. */
  readonly pathMs: number;
}

/** Jobs on a kind beyond which only all of them together are looked at, not every part of them. */
const maxSubsetJobs = 2000;

/**
 * The longest of: the critical path; per kind of resource and for every part of its jobs that start late and
 * end early, the least time before them, their work over the capacity, and the least time after them; and, for
 * few jobs, what must be done within windows of time (see {@link windowBound}).
 */
export function lowerBound(project: Project): LowerBound {
  const times = { heads: headsOf(project), tails: tailsOf(project) };
  const pathMs = times.heads.reduce(
    (most, head, job) => Math.max(most, head + (times.tails[job] ?? 0)),
    0,
  );
  const perKind = loadsOf(project, times).map((load, kind) =>
    loadBound(load, project.capacity[kind] ?? 1),
  );
  const ms = perKind.reduce((most, bound) => Math.max(most, bound), pathMs);
  const longest = Math.max(ms, windowBound(project, { ...times, pathMs }));
  return { ms: roundedUp(longest, gridOf(project)), pathMs };
}

/** Jobs pushed to the left start at sums of durations and releases: so does the end lie on their common grid. */
function gridOf({ durations, releases }: Project): number {
  let grid = 0;
  for (const list of [durations, releases]) {
    for (const ms of list) {
      if (!Number.isSafeInteger(ms)) return 0;
      grid = commonDivisor(ms, grid);
    }
  }
  return grid;
}

function commonDivisor(one: number, other: number): number {
  let [a, b] = [one, other];
  while (b > 0) [a, b] = [b, a % b];
  return a;
}

function roundedUp(ms: number, grid: number): number {
  return grid > 0 ? Math.ceil(ms / grid - roundingMs) * grid : ms;
}

/** Longest paths from the project's start to each job's, and from there to the end, in milliseconds. */
export interface JobTimes {
  readonly heads: Float64Array;
  readonly tails: Float64Array;
}

/** One job on one kind. */
interface Load {
  /** Units times milliseconds. */
  readonly work: number;
  readonly head: number;
  /** From its end to that of the project. */
  readonly after: number;
}

function loadsOf(project: Project, { heads, tails }: JobTimes): Load[][] {
  const loads = project.kinds.map((): Load[] => []);
  project.demands.forEach((demand, job) => {
    const durationMs = project.durations[job] ?? 0;
    if (durationMs === 0) return;
    const after = (tails[job] ?? 0) - durationMs;
    for (const { kind, units } of demand)
      loads[kind]?.push({ work: units * durationMs, head: heads[job] ?? 0, after });
  });
  return loads;
}

function loadBound(loads: readonly Load[], capacity: number): number {
  if (loads.length === 0) return 0;
  if (loads.length > maxSubsetJobs) return wholeBound(loads, capacity);
  const byHead = [...loads].sort((a, b) => b.head - a.head);
  const byAfter = loads.map((load) => load).sort((a, b) => b.after - a.after);
  const rankOf = new Map(byAfter.map((load, rank) => [load, rank]));
  const workAt = new Float64Array(loads.length);
  let most = 0;
  for (const [at, load] of byHead.entries()) {
    workAt[rankOf.get(load) ?? 0] = load.work;
    if (byHead[at + 1]?.head === load.head) continue;
    most = Math.max(most, load.head + longestRest(byAfter, workAt, capacity));
  }
  return most;
}

/** Over all thresholds of the time after: the work of the jobs above it over the capacity, and the threshold. */
function longestRest(byAfter: readonly Load[], workAt: Float64Array, capacity: number): number {
  let work = 0;
  let most = 0;
  for (let rank = 0; rank < byAfter.length; rank++) {
    const own = workAt[rank] ?? 0;
    if (own === 0) continue;
    work += own;
    most = Math.max(most, work / capacity + (byAfter[rank]?.after ?? 0));
  }
  return most;
}

function wholeBound(loads: readonly Load[], capacity: number): number {
  let [work, head, after] = [0, Infinity, Infinity];
  for (const load of loads) {
    work += load.work;
    head = Math.min(head, load.head);
    after = Math.min(after, load.after);
  }
  return head + work / capacity + after;
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
  const heads = Float64Array.from(project.releases);
  for (const job of project.order) {
    const finish = (heads[job] ?? 0) + (project.durations[job] ?? 0);
    for (const next of project.successors[job] ?? [])
      heads[next] = Math.max(heads[next] ?? 0, finish);
  }
  return heads;
}
