import type { Workflow } from '../workflow/model.ts';
import { findConflicts } from './conflicts.ts';
import type { Conflict } from './conflicts.ts';
import { criticalPath } from './critical-path.ts';
import type { CriticalPath } from './critical-path.ts';
import { assumptionsOf } from './assumptions.ts';
import { adviceFor } from './advice.ts';
import type { Advice } from './advice.ts';
import { dependenciesOf } from './dependencies.ts';
import type { Dependencies } from './dependencies.ts';
import type { PlainRule } from './dispatch-schedule.ts';
import type { DurationOptions } from './durations.ts';
import type { Finding } from './finding.ts';
import { findingsIn } from './findings.ts';
import { buildGraph } from './graph.ts';
import { executionGroups } from './groups.ts';
import { explainPairs } from './reasons.ts';
import type { Reason } from './reasons.ts';
import { predict } from './schedule.ts';
import type { Schedule } from './schedule.ts';

/** How a plan is made. */
export interface PlanOptions extends DurationOptions {
  /** Same seed, same plan. Default 1. */
  readonly seed?: number;
  /** Schedules that may be tried. Default 4,000; fewer where a workflow has more than 150 jobs. */
  readonly budget?: number;
  /** Follow a plain rule instead of searching. */
  readonly rule?: PlainRule | undefined;
}

/** A task in a plan. Milliseconds from the run's start. */
export interface PlannedTask {
  readonly id: string;
  readonly start_ms: number;
  readonly finish_ms: number;
  /** How much later it could start if only dependencies counted. */
  readonly slack_ms: number;
  readonly critical: boolean;
}

/** A start time that bounds a plan. */
export interface StartBound {
  readonly task: string;
  /** Milliseconds from the run's start. */
  readonly not_before_ms: number;
}

/** The computed schedule of a workflow, as data. */
export interface Plan {
  readonly workflow: string;
  readonly makespan_ms: number;
  /** No schedule under these limits can be shorter. */
  readonly lower_bound_ms: number;
  /** How much longer the plan is than that bound at most, in percent; 0: it is proven to be the best. */
  readonly gap_percent: number;
  /** The makespan with unlimited resources: the length of the critical path. */
  readonly critical_path_ms: number;
  readonly critical_path: readonly string[];
  readonly groups: readonly {
    readonly id: string;
    readonly tasks: readonly string[];
    readonly declared: readonly string[];
  }[];
  /** In document order. */
  readonly tasks: readonly PlannedTask[];
  readonly conflicts: readonly Conflict[];
  /** Conflicts that are not listed; null: not counted, there are too many tasks. */
  readonly conflicts_omitted: number | null;
  readonly reasons: readonly Reason[];
  /** Pairs that are decided but not listed; null: not counted, there are too many tasks. */
  readonly reasons_omitted: number | null;
  /** What keeps the run from being shorter: `critical_path`, or the resource kind that is waited for most. */
  readonly bottleneck: string;
  /** The task at the head of the critical path, where nothing but its `not_before` keeps it from an earlier start; else null. */
  readonly start_bound: StartBound | null;
  /** How long tasks whose inputs are there wait for units of each kind, summed over tasks. */
  readonly waits_ms: { readonly [kind: string]: number };
  /** Share of the units of each kind that is in use, 0..1, over the whole run. */
  readonly utilisation: { readonly [kind: string]: number };
  readonly dependencies: Dependencies;
  /** What the author may not have meant: contradictions, times that will pass, needless waits, shared files. */
  readonly findings: readonly Finding[];
  /** The best single need to drop and the best single limit to raise; none where nothing helps. */
  readonly advice: readonly Advice[];
  /** What the plan takes for granted. */
  readonly assumptions: readonly string[];
  /** Schedules that were tried. */
  readonly tried: number;
}

/**
 * Plans a workflow: order, parallel groups, critical path and slack, predicted times under its limits, and
 * what is parallel or not and why. Pure and deterministic.
 * @throws TroupeError TRP_WORKFLOW_CYCLE, TRP_WORKFLOW_UNKNOWN_REF.
 */
export function planWorkflow(workflow: Workflow, options: PlanOptions = {}): Plan {
  const graph = buildGraph(workflow);
  const path = criticalPath(graph, options);
  const schedule = predict(workflow, { ...options, graph });
  const planned = { graph, schedule, options };
  const findings = findingsIn(planned);
  const conflicts = findConflicts(graph);
  const reasons = explainPairs(graph, conflicts.listed);
  return {
    workflow: workflow.name,
    makespan_ms: schedule.makespanMs,
    lower_bound_ms: schedule.lowerBoundMs,
    gap_percent: gapOf(schedule),
    critical_path_ms: path.makespanMs,
    critical_path: path.path,
    groups: executionGroups(graph),
    tasks: plannedTasks(schedule, path),
    conflicts: conflicts.listed,
    conflicts_omitted: conflicts.omitted,
    reasons: reasons.listed,
    reasons_omitted: reasons.omitted,
    bottleneck: schedule.bottleneck,
    start_bound: startBound(path),
    waits_ms: schedule.waitsMs,
    utilisation: schedule.utilisation,
    dependencies: dependenciesOf(graph, findings),
    findings,
    advice: adviceFor(planned),
    assumptions: assumptionsOf(workflow, options),
    tried: schedule.tried,
  };
}

function gapOf({ makespanMs, lowerBoundMs }: Schedule): number {
  const percent = lowerBoundMs > 0 ? 100 * (makespanMs / lowerBoundMs - 1) : 0;
  return Math.max(0, Math.round(percent * 100) / 100);
}

/** What comes first on the critical path has nothing before it: what it waits for is its start time. */
function startBound({ path: [task = ''], timings }: CriticalPath): StartBound | null {
  const not_before_ms = timings.get(task)?.earliestStartMs ?? 0;
  return not_before_ms > 0 ? { task, not_before_ms } : null;
}

function plannedTasks(schedule: Schedule, path: CriticalPath): PlannedTask[] {
  const critical = new Set(path.path);
  return schedule.tasks.map(({ id, startMs, finishMs }) => {
    const slack_ms = path.timings.get(id)?.slackMs ?? 0;
    return { id, start_ms: startMs, finish_ms: finishMs, slack_ms, critical: critical.has(id) };
  });
}
