import { lowerBound, roundingMs } from './bounds.ts';
import { dispatchSchedule, ruleSchedule } from './dispatch-schedule.ts';
import type { PlainRule } from './dispatch-schedule.ts';
import type { DurationOptions } from './durations.ts';
import { buildGraph } from './graph.ts';
import type { TaskGraph } from './graph.ts';
import { isStrict } from './priorities.ts';
import { projectOf } from './project.ts';
import type { Project } from './project.ts';
import { search } from './search.ts';
import type { Starts } from './serial-generation.ts';
import { waitsFor } from './waits.ts';

/** How a schedule is predicted. */
export interface PredictOptions extends DurationOptions {
  /** Schedules that may be tried. Default 4,000; fewer where a workflow has more than 150 jobs. */
  readonly budget?: number;
  /** Same seed, same schedule. Default 1. */
  readonly seed?: number;
  /** Follow a plain rule instead of searching. */
  readonly rule?: PlainRule | undefined;
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
  /** Share of the units of each limited kind that is in use, 0..1, over the whole run. */
  readonly utilisation: { readonly [kind: string]: number };
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
  const first = options.rule
    ? ruleSchedule(project, options.rule)
    : dispatchSchedule(graph, project, options);
  const found = search(project, first.starts, {
    budget: options.rule ? 1 : (options.budget ?? budgetFor(project.durations.length)),
    seed: options.seed ?? 1,
    lowerBoundMs: bound.ms,
    strictPriorities: strictPriorities(graph, project),
  });
  const waitsMs = waitsFor(project, found.starts);
  return {
    tasks: scheduledTasks(graph, project, found.starts),
    makespanMs: found.makespanMs,
    dispatchMs: first.makespanMs,
    lowerBoundMs: bound.ms,
    bottleneck: bottleneckOf(waitsMs, found.makespanMs > bound.pathMs + roundingMs),
    waitsMs,
    utilisation: utilisationOf(project, found.makespanMs),
    tried: found.tried,
  };
}

/** Schedules to try for so many jobs: what keeps planning well under a second. */
function budgetFor(jobs: number): number {
  const scale = fullBudgetJobs / Math.max(jobs, fullBudgetJobs);
  const least = (leastBudget * leastBudgetJobs) / Math.max(jobs, leastBudgetJobs);
  return Math.max(1, Math.floor(Math.max(fullBudget * scale * scale, least)));
}

/** Priorities that the document sets, where they differ; else nothing binds the search. */
function strictPriorities(graph: TaskGraph, project: Project): readonly number[] | undefined {
  return isStrict(graph.workflow)
    ? project.nodeOf.map((node) => graph.nodes[node]?.task?.priority ?? 0)
    : undefined;
}

function utilisationOf(
  { kinds, capacity, demands, durations }: Project,
  makespanMs: number,
): { readonly [kind: string]: number } {
  const work = kinds.map(() => 0);
  demands.forEach((demand, job) => {
    for (const { kind, units } of demand)
      work[kind] = (work[kind] ?? 0) + units * (durations[job] ?? 0);
  });
  const share = (units: number, kind: number): number =>
    makespanMs === 0 ? 0 : units / ((capacity[kind] ?? 1) * makespanMs);
  return Object.fromEntries(work.map((units, kind) => [kinds[kind] ?? '', share(units, kind)]));
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
