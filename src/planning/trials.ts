import { roundingMs } from './bounds.ts';
import { compactOf, turnedRound } from './compact.ts';
import type { CompactProject } from './compact.ts';
import { orderBy } from './orders.ts';
import { ParallelGenerator } from './parallel-generation.ts';
import type { Project } from './project.ts';
import { SerialGenerator } from './serial-generation.ts';
import type { Starts } from './serial-generation.ts';

/** A schedule and its length in milliseconds. Of one generated backwards, starts are counted from the end. */
export interface Trial {
  readonly starts: Starts;
  readonly makespanMs: number;
}

/** What bounds a series of trials. */
export interface TrialLimits {
  /** Schedules that may be generated. */
  readonly budget: number;
  /** No schedule is shorter: the series ends when one is as short. */
  readonly lowerBoundMs: number;
}

/** When the last job ends. */
export function makespanOf({ durations }: CompactProject, starts: Starts): number {
  let most = 0;
  for (let job = 0; job < starts.length; job++)
    most = Math.max(most, (starts[job] ?? 0) + (durations[job] ?? 0));
  return most;
}

/**
 * Generates schedules of a project from keys (ascending is first), counts them, and keeps the shortest.
 *
 * Invariants: (1) `tried` is the number of schedules generated, at most `budget` + 1 (a justification is two);
 * (2) `best` is the first of the shortest that ran forwards.
 */
export class Trials {
  readonly compact: CompactProject;
  best: Trial;
  tried = 1;
  readonly limits: TrialLimits;
  private readonly serial: SerialGenerator;
  private readonly backwards: SerialGenerator;
  private readonly parallel: ParallelGenerator;

  /** @param first a schedule to begin with: it counts as one that was tried. */
  constructor(project: Project, first: Starts, limits: TrialLimits) {
    this.compact = compactOf(project);
    this.limits = limits;
    this.serial = new SerialGenerator(this.compact);
    this.backwards = new SerialGenerator(turnedRound(project, this.compact));
    this.parallel = new ParallelGenerator(this.compact);
    this.best = this.trialOf(first);
  }

  /** Whether there is budget left for so many more, and anything to be gained. */
  open(more = 1): boolean {
    return (
      this.tried + more <= this.limits.budget &&
      this.best.makespanMs > this.limits.lowerBoundMs + roundingMs
    );
  }

  /** Serial generation. */
  forwards(keys: ArrayLike<number>): Trial {
    const { order, place } = orderBy(keys);
    this.tried++;
    return this.keep(this.trialOf(this.serial.generate(order, place)));
  }

  /** Parallel generation; strict priorities rule before the keys. */
  dispatched(keys: ArrayLike<number>, strict?: readonly number[]): Trial {
    const { order, place } = orderBy(keys, strict);
    this.tried++;
    return this.keep(this.trialOf(this.parallel.generate(order, place)));
  }

  /** Serial generation of the project turned round: keys ascend towards its beginning. */
  backward(keys: ArrayLike<number>): Trial {
    const { order, place } = orderBy(keys);
    this.tried++;
    return this.trialOf(this.backwards.generate(order, place));
  }

  /** Counts a schedule that was made elsewhere. */
  note(starts: Starts): Trial {
    this.tried++;
    return this.keep(this.trialOf(starts));
  }

  /**
   * Pushes every job as late, then as early, as it can go: what is left of the gaps closes (double
   * justification, Valls, Ballestin and Quintanilla 2005). Two more schedules.
   */
  justified(trial: Trial): Trial {
    if (!this.open(2)) return trial;
    const early = this.forwards(this.flipped(this.backward(this.flipped(trial))));
    return early.makespanMs <= trial.makespanMs ? early : trial;
  }

  /** When each job would start if time ran the other way. */
  flipped({ starts, makespanMs }: Trial): Float64Array {
    const { durations } = this.compact;
    return starts.map((start, job) => makespanMs - (start + (durations[job] ?? 0)));
  }

  private trialOf(starts: Starts): Trial {
    return { starts, makespanMs: makespanOf(this.compact, starts) };
  }

  private keep(trial: Trial): Trial {
    if (trial.makespanMs < this.best.makespanMs) this.best = trial;
    return trial;
  }
}
