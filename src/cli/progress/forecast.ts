/** When a plan has a task start and finish, in milliseconds from the run's start. */
export interface PlannedTask {
  readonly id: string;
  readonly startMs: number;
  readonly finishMs: number;
}

/** How a run stands, as far as a forecast asks. */
export interface RunPace {
  /** Ids of the tasks that have not ended. */
  readonly unfinished: Iterable<string>;
  /** How long a task has been running; undefined: it is not. */
  readonly ranMs: (task: string) => number | undefined;
  /** Since the run, or the following of it, began. */
  readonly elapsedMs: number;
}

/**
 * How long a run will still take, by its plan and its pace. Two things bound it: the longest chain that is
 * left by the plan, and the work that is left at the parallelism reached so far. Both are scaled by how long
 * tasks took against their plan, so a run that is ahead or behind, or a plan that had to guess, corrects itself.
 */
export class Forecast {
  private readonly planned = new Map<string, PlannedTask>();
  private readonly makespanMs: number;
  private readonly isGuess: boolean;
  private tookMs = 0;
  private tookByPlanMs = 0;

  /** @param isGuess the plan has no estimates to go by: nothing is told before a task has ended */
  constructor(tasks: readonly PlannedTask[], isGuess = false) {
    for (const task of tasks) this.planned.set(task.id, task);
    this.makespanMs = tasks.reduce((most, { finishMs }) => Math.max(most, finishMs), 0);
    this.isGuess = isGuess;
  }

  /** Takes in how long a task took in the end. */
  observe(task: string, tookMs: number): void {
    const planned = this.planned.get(task);
    if (!planned) return;
    this.tookMs += tookMs;
    this.tookByPlanMs += planned.finishMs - planned.startMs;
  }

  /** Milliseconds to the end; undefined when there is nothing to tell it by. */
  remainingMs({ elapsedMs, ranMs, unfinished }: RunPace): number | undefined {
    const hasPace = this.tookByPlanMs > 0 && elapsedMs > 0;
    if (this.makespanMs === 0 || (this.isGuess && !hasPace)) return undefined;
    const scale = hasPace ? this.tookMs / this.tookByPlanMs : 1;
    let chainMs = 0;
    let workMs = 0;
    for (const task of unfinished) {
      const left = this.leftOf(task, ranMs(task) ?? 0, scale);
      chainMs = Math.max(chainMs, left.taskMs + left.afterMs);
      workMs += left.taskMs;
    }
    const parallelism = hasPace ? Math.max(1, this.tookMs / elapsedMs) : Number.POSITIVE_INFINITY;
    return Math.max(chainMs, workMs / parallelism);
  }

  /** What is left of a task, and of the plan after it, at the run's pace. */
  private leftOf(
    task: string,
    ranMs: number,
    scale: number,
  ): { readonly taskMs: number; readonly afterMs: number } {
    const planned = this.planned.get(task);
    if (!planned) return { taskMs: 0, afterMs: 0 };
    const { finishMs, startMs } = planned;
    return {
      taskMs: Math.max(0, (finishMs - startMs) * scale - ranMs),
      afterMs: (this.makespanMs - finishMs) * scale,
    };
  }
}
