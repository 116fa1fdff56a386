/** When a plan has a task start and finish, in milliseconds from the run's start. */
export interface PlannedTask {
  readonly id: string;
  readonly startMs: number;
  readonly finishMs: number;
}

/** A task with an attempt under way. */
export interface TaskPace {
  readonly ranMs: number;
  /** How much of it is done by its own word, 0..1; null: it does not tell. */
  readonly fraction: number | null;
}

/** How a run stands, as far as a forecast asks. */
export interface RunPace {
  /** Ids of the tasks that have not ended. */
  readonly unfinished: Iterable<string>;
  /** Undefined: the task does not run. */
  readonly running: (task: string) => TaskPace | undefined;
  /** Since the run, or the following of it, began. */
  readonly elapsedMs: number;
}

/** A forecast is told as long as fewer than this share of the unfinished tasks defy it. */
const toleratedShare = 0.1;

/**
 * How long a run will still take, by its plan and its pace. Two things bound it: the longest chain that is
 * left by the plan, and the work that is left at the parallelism reached so far. Both are scaled by how long
 * tasks took against their plan, so a run that is ahead or behind, or a plan that had to guess, corrects itself.
 * A running task that tells what fraction of it is done goes by that; one that does not and has overrun its
 * time can take any time more, and then nothing is told unless it is one of many.
 */
export class Forecast {
  private readonly planned = new Map<string, PlannedTask>();
  private readonly makespanMs: number;
  private readonly isGuess: boolean;
  private tookMs = 0;
  private tookByPlanMs = 0;

  /** @param isGuess the plan has no estimates to go by: nothing is told before tasks have told or ended */
  constructor(tasks: readonly PlannedTask[], isGuess = false) {
    for (const task of tasks) this.planned.set(task.id, task);
    this.makespanMs = tasks.reduce((most, { finishMs }) => Math.max(most, finishMs), 0);
    this.isGuess = isGuess;
  }

  /** Takes in how long a task took in the end. */
  observe(task: string, tookMs: number): void {
    const planned = this.planOf(task);
    if (!planned) return;
    this.tookMs += tookMs;
    this.tookByPlanMs += planned.finishMs - planned.startMs;
  }

  /** Milliseconds to the end; undefined when there is nothing to tell it by. */
  remainingMs(pace: RunPace): number | undefined {
    const unfinished = withoutExpanded(pace.unfinished);
    if (unfinished.length === 0) return 0;
    const measured = this.measure(unfinished, pace);
    const hasPace = measured.byPlanMs > 0 && pace.elapsedMs > 0;
    if (this.makespanMs === 0 || (this.isGuess && !hasPace)) return undefined;
    const scale = hasPace ? measured.tookMs / measured.byPlanMs : 1;
    const left = unfinished.map((task) => this.leftOf(task, pace.running(task), scale));
    const unknown = left.filter(({ isUnknown }) => isUnknown).length;
    if (unknown > 0 && unknown >= unfinished.length * toleratedShare) return undefined;
    const workMs = left.reduce((sum, { taskMs }) => sum + taskMs, 0);
    const chainMs = left.reduce((most, { afterMs, taskMs }) => Math.max(most, taskMs + afterMs), 0);
    const parallelism = hasPace ? Math.max(1, measured.doneMs / pace.elapsedMs) : Infinity;
    const remainingMs = Math.max(chainMs, workMs / parallelism);
    return remainingMs > 0 ? remainingMs : undefined;
  }

  /** What tasks took, or will take by their own word, against their plan; and the time that went into tasks so far. */
  private measure(
    unfinished: readonly string[],
    { running }: RunPace,
  ): { readonly tookMs: number; readonly byPlanMs: number; readonly doneMs: number } {
    let { tookMs } = this;
    let byPlanMs = this.tookByPlanMs;
    let doneMs = tookMs;
    for (const task of unfinished) {
      const at = running(task);
      const planned = this.planOf(task);
      if (!at || !planned) continue;
      doneMs += at.ranMs;
      if (at.fraction === null || at.fraction <= 0) continue;
      tookMs += at.ranMs / at.fraction;
      byPlanMs += planned.finishMs - planned.startMs;
    }
    return { tookMs, byPlanMs, doneMs };
  }

  /** What is left of a task, and of the plan after it, at the run's pace. */
  private leftOf(task: string, at: TaskPace | undefined, scale: number): Left {
    const planned = this.planOf(task);
    const afterMs = planned ? (this.makespanMs - planned.finishMs) * scale : 0;
    const fraction = at?.fraction ?? 0;
    if (at && fraction > 0)
      return { taskMs: (at.ranMs / fraction) * (1 - fraction), afterMs, isUnknown: false };
    const plannedMs = planned ? (planned.finishMs - planned.startMs) * scale : 0;
    const ranMs = at?.ranMs ?? 0;
    return {
      taskMs: Math.max(0, plannedMs - ranMs),
      afterMs,
      isUnknown: at !== undefined && ranMs >= plannedMs,
    };
  }

  /** A member of an expanded task goes by the plan of that task. */
  private planOf(task: string): PlannedTask | undefined {
    return this.planned.get(task) ?? this.planned.get(expandedOf(task) ?? '');
  }
}

interface Left {
  readonly taskMs: number;
  readonly afterMs: number;
  readonly isUnknown: boolean;
}

/** The task that a member such as `task[3]` belongs to. */
function expandedOf(task: string): string | undefined {
  return /^(.+)\[[^\]]*\]$/.exec(task)?.[1];
}

/** The tasks that work themselves: one that was expanded is as far as its members are. */
function withoutExpanded(unfinished: Iterable<string>): readonly string[] {
  const tasks = [...unfinished];
  const expanded = new Set(tasks.map(expandedOf));
  return tasks.filter((task) => !expanded.has(task));
}
