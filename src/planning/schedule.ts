import { lowerBound, roundingMs, tailsOf } from './bounds.ts';
import { criticalPath } from './critical-path.ts';
import type { DurationOptions } from './durations.ts';
import { compactOf } from './compact.ts';
import { buildGraph, idOf } from './graph.ts';
import type { TaskGraph } from './graph.ts';
import { orderBy } from './orders.ts';
import { ParallelGenerator } from './parallel-generation.ts';
import { effectivePriorities } from './priorities.ts';
import { projectOf } from './project.ts';
import type { Project } from './project.ts';
import { search } from './search.ts';
import type { Starts } from './serial-generation.ts';
import { makespanOf } from './trials.ts';
import { waitsFor } from './waits.ts';

/** How a schedule is predicted. */
export interface PredictOptions extends DurationOptions {
  /** Schedules that may be tried. Default 4,000; fewer where a workflow has more than 150 jobs. */
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
  /** What keeps the run from being shorter: `critical_path`, or the resource kind that is waited for most. */
  readonly bottleneck: string;
  /** How long tasks whose inputs are there wait for units of each kind, in milliseconds, summed over tasks. */
  readonly waitsMs: { readonly [kind: string]: number };
  /** How many schedules were generated. */
  readonly tried: number;
}

/** Schedules that are tried by default for workflows of up to some hundred jobs. */
const fullBudget = 4000;

/** Above this many jobs fewer are tried, as one schedule costs more than in proportion. */
const fullBudgetJobs = 150;

/** Schedules that are tried in any case up to 2,000 jobs; above, in proportion less. */
const leastBudget = 64;
const leastBudgetJobs = 2000;

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
  const waitsMs = waitsFor(project, found.starts);
  return {
    tasks: scheduledTasks(graph, project, found.starts),
    makespanMs: found.makespanMs,
    dispatchMs: makespanOf(compactOf(project), first),
    lowerBoundMs: bound.ms,
    bottleneck: bottleneckOf(waitsMs, found.makespanMs > bound.pathMs + roundingMs),
    waitsMs,
    tried: found.tried,
  };
}

/** Schedules to try for so many jobs: what keeps planning well under a second. */
export function budgetFor(jobs: number): number {
  const scale = fullBudgetJobs / Math.max(jobs, fullBudgetJobs);
  const least = (leastBudget * leastBudgetJobs) / Math.max(jobs, leastBudgetJobs);
  return Math.max(1, Math.floor(Math.max(fullBudget * scale * scale, least)));
}

/** What the governor does when every task takes as long as estimated. */
function dispatchSchedule(graph: TaskGraph, project: Project, options: DurationOptions): Starts {
  const priorities = effectivePriorities(graph.workflow, criticalPath(graph, options));
  const perJob = project.nodeOf.map((node) => priorities.get(idOf(graph, node)) ?? 0);
  const keys = tailsOf(project).map((tail) => -tail);
  const { order, place } = orderBy(keys, perJob);
  return new ParallelGenerator(compactOf(project)).generate(order, place);
}

/** Priorities that the document sets, where they differ; else nothing binds the search. */
function strictPriorities(graph: TaskGraph, project: Project): readonly number[] | undefined {
  const distinct = new Set(graph.workflow.tasks.map((task) => task.priority));
  const binding = distinct.size > 1 && graph.workflow.tasks.some((task) => task.prioritySet);
  return binding ? project.nodeOf.map((node) => graph.nodes[node]?.task?.priority ?? 0) : undefined;
}

/** While the run is as long as its critical path, waits for resources cost nothing. */
function bottleneckOf(waitsMs: { readonly [kind: string]: number }, beyondPath: boolean): string {
  const [worst] = Object.entries(waitsMs).sort(([, one], [, other]) => other - one);
  return beyondPath && worst ? worst[0] : 'critical_path';
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
