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

/** Looks without an event beyond this number are a loop. */
const mostLooks = 100_000;

/**
 * Carries a workflow of plain tasks out by a rolling plan, with durations of its own: the smallest runtime that
 * there can be. It gives what the plan tells its units at once, and does not check whether there are any.
 * @throws an error when nothing runs any more, or the plan is looked at again and again.
 */
export function dispatchBy(
  plan: RollingPlan,
  workflow: Workflow,
  durations: ReadonlyMap<string, number>,
): Dispatched {
  return new Dispatch(plan, workflow, durations).run();
}

class Dispatch {
  private readonly plan: RollingPlan;
  private readonly workflow: Workflow;
  private readonly durations: ReadonlyMap<string, number>;
  private readonly left: Map<string, number>;
  private readonly running = new Map<string, ScheduledTask>();
  private readonly done = new Map<string, ScheduledTask>();
  private nowMs = 0;
  private againAtMs = Infinity;
  private looksAgain = 0;

  constructor(plan: RollingPlan, workflow: Workflow, durations: ReadonlyMap<string, number>) {
    this.plan = plan;
    this.workflow = workflow;
    this.durations = durations;
    this.left = new Map(workflow.tasks.map(({ id, needs }) => [id, needs.length]));
  }

  run(): Dispatched {
    for (const [id, count] of this.left) if (count === 0) this.plan.ready(id);
    while (this.done.size < this.workflow.tasks.length) {
      this.startWhatIsDue();
      this.moveOn();
    }
    const tasks = this.workflow.tasks.flatMap(({ id }) => this.done.get(id) ?? []);
    return { tasks, makespanMs: this.nowMs, looksAgain: this.looksAgain };
  }

  private startWhatIsDue(): void {
    for (let due = this.plan.due(this.nowMs); due; due = this.plan.due(this.nowMs)) {
      this.againAtMs = due.againAtMs ?? Infinity;
      for (const id of due.tasks) {
        const finishMs = this.nowMs + (this.durations.get(id) ?? 0);
        this.running.set(id, { id, startMs: this.nowMs, finishMs });
        this.plan.started(id, this.nowMs);
      }
    }
  }

  private moveOn(): void {
    const nextMs = Math.min(...[...this.running.values()].map(({ finishMs }) => finishMs));
    if (nextMs === Infinity) throw new Error(`nothing runs at ${this.nowMs}`);
    this.nowMs = Math.min(nextMs, this.againAtMs);
    if (this.againAtMs < nextMs) {
      if (this.looksAgain++ > mostLooks) throw new Error(`looked again and again at ${this.nowMs}`);
      this.plan.lookAgain();
      return;
    }
    for (const task of this.running.values()) if (task.finishMs === nextMs) this.end(task);
  }

  private end(task: ScheduledTask): void {
    this.running.delete(task.id);
    this.done.set(task.id, task);
    this.plan.left(task.id, this.nowMs);
    this.plan.ended(task.id);
    const waiters = this.workflow.tasks.filter(({ needs }) =>
      needs.some(({ on }) => on === task.id),
    );
    for (const { id } of waiters) {
      const count = (this.left.get(id) ?? 0) - 1;
      this.left.set(id, count);
      if (count === 0) this.plan.ready(id);
    }
  }
}
