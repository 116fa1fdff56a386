import { lockKind } from '../workflow/model.ts';
import type { TaskSpec, Workflow } from '../workflow/model.ts';
import { durationOf, memberCount } from './durations.ts';
import type { Plan, PlannedTask } from './plan.ts';
import { capacityOf, demandOfAll } from './project.ts';

/** So many units are in use from one time to the next. */
export interface LaneStep {
  readonly from_ms: number;
  readonly to_ms: number;
  readonly units: number;
}

/** The use of one resource kind over a plan. */
export interface Lane {
  readonly resource: string;
  readonly capacity: number;
  readonly steps: readonly LaneStep[];
}

/**
 * How much of each lock and of each kind that tasks compete for is in use when, the busiest first. Members of a
 * split task count as spread evenly.
 */
export function lanesOf(workflow: Workflow, plan: Plan): Lane[] {
  const tasks = new Map(workflow.tasks.map((task) => [task.id, task]));
  const holders = plan.tasks.flatMap((planned) => {
    const task = tasks.get(planned.id);
    return task && planned.finish_ms > planned.start_ms
      ? [{ planned, held: demandOfAll(workflow, task), share: shareOf(task, planned) }]
      : [];
  });
  const times = [
    ...new Set(holders.flatMap(({ planned }) => [planned.start_ms, planned.finish_ms])),
  ].sort((a, b) => a - b);
  return kindsIn(workflow, plan).map(({ resource, capacity }) => ({
    resource,
    capacity,
    steps: stepsOf(
      times,
      holders.flatMap(({ planned, held, share }) => {
        const units = (held[resource] ?? 0) * share;
        return units > 0 ? [{ ...planned, units: Math.min(units, capacity) }] : [];
      }),
    ),
  }));
}

/** Locks are told even where one task alone takes them: others outside the plan may. */
function kindsIn(workflow: Workflow, plan: Plan): Pick<Lane, 'resource' | 'capacity'>[] {
  const contested = new Set(plan.dependencies.resource.map(({ resource }) => resource));
  return Object.entries(plan.utilisation)
    .filter(([kind, share]) => contested.has(kind) || (kind.startsWith(lockPrefix) && share > 0))
    .sort(([, one], [, other]) => other - one)
    .map(([resource]) => ({ resource, capacity: capacityOf(workflow, resource) }));
}

const lockPrefix = lockKind('');

/** Which part of a task's members run at one time on average. */
function shareOf(task: TaskSpec, { start_ms, finish_ms }: PlannedTask): number {
  const members = memberCount(task.expand) ?? 1;
  if (members <= 1) return 1;
  return Math.min(1, Math.max(1 / members, durationOf(task) / (finish_ms - start_ms)));
}

function stepsOf(
  times: readonly number[],
  holders: readonly (PlannedTask & { readonly units: number })[],
): LaneStep[] {
  const changes = new Map<number, number>();
  const change = (at: number, units: number): unknown =>
    changes.set(at, (changes.get(at) ?? 0) + units);
  for (const { start_ms, finish_ms, units } of holders) {
    change(start_ms, units);
    change(finish_ms, -units);
  }
  const steps: LaneStep[] = [];
  let units = 0;
  for (const [at, from_ms] of times.entries()) {
    units += changes.get(from_ms) ?? 0;
    const to_ms = times[at + 1];
    if (to_ms !== undefined && units > 1e-9) steps.push({ from_ms, to_ms, units });
  }
  return steps;
}
