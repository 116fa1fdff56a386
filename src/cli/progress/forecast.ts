/** When a plan has a task start and finish, in milliseconds from the run's start. */
export interface PlannedTask {
  readonly id: string;
  readonly startMs: number;
  readonly finishMs: number;
}

/**
 * How long a run will still take, by its plan. A task that waits has the plan's time from its start to the
 * end before it; one that runs has that less what it has run, but never less than what follows it. The
 * longest of these is the answer, so a run that is ahead of or behind its plan corrects the forecast.
 */
export class Forecast {
  private readonly startMs = new Map<string, number>();
  private readonly finishMs = new Map<string, number>();
  private readonly makespanMs: number;

  constructor(tasks: readonly PlannedTask[]) {
    for (const task of tasks) {
      this.startMs.set(task.id, task.startMs);
      this.finishMs.set(task.id, task.finishMs);
    }
    this.makespanMs = tasks.reduce((most, { finishMs }) => Math.max(most, finishMs), 0);
  }

  /**
   * Milliseconds to the end; undefined when the plan says nothing (no estimates).
   * @param unfinished ids of the tasks that have not ended
   * @param ranMs how long a task has been running; undefined: it is not
   */
  remainingMs(unfinished: Iterable<string>, ranMs: (task: string) => number | undefined): number | undefined {
    if (this.makespanMs === 0) return undefined;
    let remaining = 0;
    for (const task of unfinished) remaining = Math.max(remaining, this.afterMs(task, ranMs(task)));
    return remaining;
  }

  private afterMs(task: string, ran: number | undefined): number {
    const start = this.startMs.get(task);
    if (start === undefined) return 0;
    const following = this.makespanMs - (this.finishMs.get(task) ?? start);
    return Math.max(following, this.makespanMs - start - (ran ?? 0));
  }
}
