import type { RollingPlan } from '../../src/planning/rolling-plan.ts';
import type { Workflow } from '../../src/workflow/model.ts';
import type { ScheduledTask } from '../../src/planning/schedule.ts';

/** What came of a run that was dispatched by a plan. */
export interface Dispatched {
  readonly tasks: readonly ScheduledTask[];
  readonly makespanMs: number;
  /** How often the plan was looked at again without anything having happened. */
  readonly looksAgain: number;
}

/**
 * Carries a workflow of plain tasks out by a rolling plan, with durations of its own: the smallest runtime that
 * there can be. It gives what the plan tells its units at once, and does not check whether there are any.
 */
export function dispatchBy(
  plan: RollingPlan,
  workflow: Workflow,
  durations: ReadonlyMap<string, number>,
): Dispatched {
  const left = new Map(workflow.tasks.map(({ id, needs }) => [id, needs.length]));
  const running = new Map<string, { readonly startMs: number; readonly finishMs: number }>();
  const done: ScheduledTask[] = [];
  let nowMs = 0;
  let againAtMs: number | undefined;
  let looksAgain = 0;
  for (const [id, count] of left) if (count === 0) plan.ready(id);
  while (done.length < workflow.tasks.length) {
    for (let due = plan.due(nowMs); due; due = plan.due(nowMs)) {
      againAtMs = due.againAtMs;
      for (const id of due.tasks) {
        running.set(id, { startMs: nowMs, finishMs: nowMs + (durations.get(id) ?? 0) });
        plan.started(id, nowMs);
      }
    }
    const nextMs = Math.min(...[...running.values()].map(({ finishMs }) => finishMs));
    if (nextMs === Infinity) throw new Error(`nothing runs at ${nowMs}, ${done.length} are done`);
    if (againAtMs !== undefined && againAtMs < nextMs) {
      if (looksAgain++ > 100_000) throw new Error(`looked again and again at ${nowMs}`);
      nowMs = againAtMs;
      plan.lookAgain();
      continue;
    }
    nowMs = nextMs;
    const over = [...running].filter(([, { finishMs }]) => finishMs === nowMs);
    for (const [id, { startMs, finishMs }] of over) {
      running.delete(id);
      done.push({ id, startMs, finishMs });
      plan.left(id, nowMs);
      plan.ended(id);
      for (const task of workflow.tasks) {
        if (!task.needs.some(({ on }) => on === id)) continue;
        left.set(task.id, (left.get(task.id) ?? 0) - 1);
        if (left.get(task.id) === 0) plan.ready(task.id);
      }
    }
  }
  const byId = new Map(done.map((task) => [task.id, task]));
  const tasks = workflow.tasks.flatMap(({ id }) => byId.get(id) ?? []);
  return { tasks, makespanMs: nowMs, looksAgain };
}
