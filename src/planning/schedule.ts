import { criticalPath } from './critical-path.ts';
import type { DurationOptions } from './durations.ts';
import { makespanOf, parallelSchedule } from './generation.ts';
import type { Starts } from './generation.ts';
import { buildGraph, idOf } from './graph.ts';
import type { TaskGraph } from './graph.ts';
import { effectivePriorities } from './priorities.ts';
import { projectOf } from './project.ts';
import type { Project } from './project.ts';
import { positionsBy, search, tailsOf } from './search.ts';

/** How a schedule is predicted. */
export interface PredictOptions extends DurationOptions {
  /** Schedules that may be tried. Default 64; fewer where a workflow has more than 2,000 jobs. */
  readonly budget?: number;
  /** Same seed, same schedule. Default 1. */
  readonly seed?: number;
  /** The workflow's graph, where the caller has it already. */
  readonly graph?: TaskGraph;
}

/** When a task runs. For an expanding task: from its first member's start to its last member's end. */
export interface ScheduledTask {
  readonly id: string;
  readonly startMs: number;
  readonly finishMs: number;
}

/** A predicted run. Milliseconds from its start. */
export interface Schedule {
  /** In document order. */
  readonly tasks: readonly ScheduledTask[];
  readonly makespanMs: number;
  /** What dispatch by longest path to the end within priority reaches: the schedule that the search began with. */
  readonly dispatchMs: number;
  /** No schedule can be shorter. */
  readonly lowerBoundMs: number;
  /** What sets the lower bound: `critical_path` or the name of a resource kind. */
  readonly bottleneck: string;
  /** How many schedules were generated. */
  readonly tried: number;
}

/** Default number of schedules to try. */
export const defaultBudget = 64;

/** Up to this many jobs the whole default budget is spent; above, in proportion less. */
const fullBudgetJobs = 2000;

/**
 * Predicts when each task runs under the workflow's limits: capacity of resources, locks, the run's
 * concurrency and the agents' own. List scheduling by longest path to the end within priority, then a
 * search for better within the budget. Pure and deterministic.
 * @throws TroupeError TRP_WORKFLOW_CYCLE.
 */
export function predict(workflow: TaskGraph['workflow'], options: PredictOptions = {}): Schedule {
  const graph = options.graph ?? buildGraph(workflow);
  const project = projectOf(graph, options);
  const bound = lowerBound(project);
  const first = dispatchSchedule(graph, project, options);
  const found = search(project, first, {
    budget: options.budget ?? budgetFor(project.durations.length),
    seed: options.seed ?? 1,
    lowerBoundMs: bound.ms,
    strictPriorities: strictPriorities(graph, project),
  });
  return {
    tasks: scheduledTasks(graph, project, found.starts),
    makespanMs: found.makespanMs,
    dispatchMs: makespanOf(project, first),
    lowerBoundMs: bound.ms,
    bottleneck: bound.by,
    tried: found.tried,
  };
}

function budgetFor(jobs: number): number {
  return Math.max(1, Math.min(defaultBudget, Math.floor((defaultBudget * fullBudgetJobs) / Math.max(1, jobs))));
}

/** What the governor does when every task takes as long as estimated. */
function dispatchSchedule(graph: TaskGraph, project: Project, options: DurationOptions): Starts {
  const priorities = effectivePriorities(graph.workflow, criticalPath(graph, options));
  const perJob = project.nodeOf.map((node) => priorities.get(idOf(graph, node)) ?? 0);
  return parallelSchedule(project, positionsBy(tailsOf(project).map((tail) => -tail), perJob));
}

/** Priorities that the document sets, where they differ; else nothing binds the search. */
function strictPriorities(graph: TaskGraph, project: Project): readonly number[] | undefined {
  const distinct = new Set(graph.workflow.tasks.map((task) => task.priority));
  const binding = distinct.size > 1 && graph.workflow.tasks.some((task) => task.prioritySet);
  return binding ? project.nodeOf.map((node) => graph.nodes[node]?.task?.priority ?? 0) : undefined;
}

/**
 * The longer of the critical path and, per kind of resource, the work on it over its capacity, between the
 * least time before any of that work and the least time after it.
 */
function lowerBound(project: Project): { readonly ms: number; readonly by: string } {
  const heads = headsOf(project);
  const tails = tailsOf(project);
  const best = { ms: tails.reduce((most, tail) => Math.max(most, tail), 0), by: 'critical_path' };
  const loads = project.kinds.map(() => ({ work: 0, head: Infinity, tail: Infinity }));
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
  loads.forEach(({ work, head, tail }, kind) => {
    const ms = work > 0 ? head + work / (project.capacity[kind] ?? 1) + tail : 0;
    if (ms > best.ms) Object.assign(best, { ms, by: project.kinds[kind] });
  });
  return best;
}

function headsOf(project: Project): Float64Array {
  const heads = new Float64Array(project.durations.length);
  for (const job of project.order) {
    const finish = (heads[job] ?? 0) + (project.durations[job] ?? 0);
    for (const next of project.successors[job] ?? []) heads[next] = Math.max(heads[next] ?? 0, finish);
  }
  return heads;
}

function scheduledTasks(graph: TaskGraph, project: Project, starts: Starts): ScheduledTask[] {
  const spans = graph.workflow.tasks.map(({ id }) => ({ id, startMs: Infinity, finishMs: 0 }));
  project.nodeOf.forEach((node, job) => {
    const span = spans[node];
    if (!span) return;
    const start = starts[job] ?? 0;
    span.startMs = Math.min(span.startMs, start);
    span.finishMs = Math.max(span.finishMs, start + (project.durations[job] ?? 0));
  });
  return spans;
}
