import { lowerBound } from './bounds.ts';
import { compactOf, isScarce } from './compact.ts';
import { dispatchSchedule } from './dispatch-schedule.ts';
import type { DurationOptions } from './durations.ts';
import type { TaskGraph } from './graph.ts';
import { isPlannable } from './plannable.ts';
import { projectOf } from './project.ts';
import { RollingPlan } from './rolling-plan.ts';
import { search } from './search.ts';

/** How the plan of a run is made. */
export interface RollingOptions extends DurationOptions {
  /** Default 1. */
  readonly seed?: number;
  /** Schedules that may be tried. Default: what is cheap beside the run, see {@link dispatchBudget}. */
  readonly budget?: number;
}

/** Jobs times schedules that a run of some seconds is worth: some hundredths of a second, a tenth in a cold process. */
const usualPlacements = 60_000;

/** One placement for every so many milliseconds of the run at most, up to the most. */
const msPerPlacement = 1;
const mostPlacements = 400_000;

/**
 * Schedules to try before a run: more where it takes minutes, and never more than there are orders of its jobs, so
 * that a handful of tasks starts at once.
 * @param makespanMs what the plain rule reaches.
 */
function dispatchBudget(jobs: number, makespanMs: number): number {
  const placements = Math.min(
    mostPlacements,
    Math.max(usualPlacements, makespanMs / msPerPlacement),
  );
  return Math.max(1, Math.min(ordersOf(jobs), Math.floor(placements / Math.max(1, jobs))));
}

/** The factorial; beyond ten jobs no budget reaches it. */
function ordersOf(jobs: number): number {
  let orders = 1;
  for (let count = 2; count <= Math.min(jobs, 10); count++) orders *= count;
  return orders;
}

/** Makes the plan that a run is dispatched by; {@link rollingPlan}, where it is loaded. */
export type Planner = typeof rollingPlan;

/**
 * A plan to dispatch by; undefined where it is of no use: nothing is scarce, the durations are guesses, tasks
 * are split at run time, the document's priorities rule, or there are too many tasks. Deterministic.
 */
export function rollingPlan(
  graph: TaskGraph,
  options: RollingOptions = {},
): RollingPlan | undefined {
  if (!isPlannable(graph.workflow, options)) return undefined;
  const project = projectOf(graph, options);
  const compact = compactOf(project);
  if (!isScarce(compact)) return undefined;
  const first = dispatchSchedule(graph, project, options);
  const { ms: lowerBoundMs } = lowerBound(project);
  const found = search(project, first.starts, {
    budget: options.budget ?? dispatchBudget(compact.jobs, first.makespanMs),
    seed: options.seed ?? 1,
    lowerBoundMs,
    strictPriorities: undefined,
  });
  return new RollingPlan({ graph, project, compact, starts: found.starts });
}
