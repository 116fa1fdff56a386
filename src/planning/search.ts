import { seededRandom } from '../core/random.ts';
import type { Random } from '../core/random.ts';
import { roundingMs, tailsOf } from './bounds.ts';
import { makespanOf, parallelSchedule, serialSchedule } from './generation.ts';
import type { Positions, Starts } from './generation.ts';
import { multifitSchedules } from './multifit.ts';
import { mirrored } from './project.ts';
import type { Project } from './project.ts';

/** What bounds and seeds a search for a short schedule. */
export interface SearchOptions {
  /** Schedules that may be generated, the first included. */
  readonly budget: number;
  readonly seed: number;
  /** No schedule is shorter: the search ends when one is as short. */
  readonly lowerBoundMs: number;
  /** Priority of each job that dispatch has to follow before all else; undefined: none, the search is free. */
  readonly strictPriorities: readonly number[] | undefined;
}

/** The best schedule found, and how many were generated. */
export interface Found {
  readonly starts: Starts;
  readonly makespanMs: number;
  readonly tried: number;
}

/** Schedules kept to recombine. */
const eliteSize = 10;

/**
 * Improves a first schedule within a budget. Takes some good rules, then draws orders at random, biased
 * towards jobs that would be regretted most if they went late (Kolisch 1995, drawn by the Gumbel trick), and
 * recombines the best found; what is promising is justified to the right and to the left (Valls, Ballestin and
 * Quintanilla 2005). The same seed gives the same schedule; the result is never longer than the first.
 */
export function search(project: Project, first: Starts, options: SearchOptions): Found {
  return new Search(project, first, options).run();
}

/** Turns keys into an order: ascending; ties, and so equal draws, by number. */
export function positionsBy(keys: ArrayLike<number>, strict?: readonly number[]): Positions {
  const jobs = Array.from(keys, (_, job) => job);
  const higher = (a: number, b: number): number => (strict?.[b] ?? 0) - (strict?.[a] ?? 0);
  jobs.sort((a, b) => higher(a, b) || (keys[a] ?? 0) - (keys[b] ?? 0) || a - b);
  const positions = new Int32Array(jobs.length);
  jobs.forEach((job, position) => {
    positions[job] = position;
  });
  return positions;
}

interface Elite {
  readonly starts: Starts;
  readonly makespanMs: number;
}

class Search {
  private readonly project: Project;
  private readonly backwards: Project;
  private readonly options: SearchOptions;
  private readonly random: Random;
  private readonly tails: Float64Array;
  private readonly elites: Elite[] = [];
  private best: Elite;
  private tried = 1;

  constructor(project: Project, first: Starts, options: SearchOptions) {
    this.project = project;
    this.backwards = mirrored(project);
    this.options = options;
    this.random = seededRandom(options.seed);
    this.tails = tailsOf(project);
    this.best = { starts: first, makespanMs: makespanOf(project, first) };
    this.elites.push(this.best);
  }

  run(): Found {
    if (this.options.strictPriorities) this.sampleWithinPriorities();
    else this.searchFreely();
    return { ...this.best, tried: this.tried };
  }

  /** Priorities rule the dispatch, so only orders within one priority are drawn, and nothing is justified. */
  private sampleWithinPriorities(): void {
    while (this.open()) {
      this.keep(
        parallelSchedule(
          this.project,
          positionsBy(this.drawnKeys(), this.options.strictPriorities),
        ),
      );
      this.tried++;
    }
  }

  private searchFreely(): void {
    this.packIndependent();
    this.justify(this.best.starts);
    for (const keys of this.rules()) {
      this.generate(positionsBy(keys), parallelSchedule);
      this.generate(positionsBy(keys), serialSchedule);
    }
    for (let draw = 0; this.open(); draw++) {
      const keys = draw % drawEvery === 0 ? this.drawnKeys() : this.recombinedKeys();
      this.generate(positionsBy(keys), draw % 2 === 0 ? serialSchedule : parallelSchedule);
    }
  }

  private packIndependent(): void {
    if (!this.open()) return;
    const tries = this.options.budget - this.tried;
    const bounds = { lowMs: this.options.lowerBoundMs, highMs: this.best.makespanMs };
    for (const starts of multifitSchedules(this.project, { ...bounds, tries })) {
      this.keep(starts);
      this.tried++;
    }
  }

  private open(): boolean {
    return (
      this.tried < this.options.budget &&
      this.best.makespanMs > this.options.lowerBoundMs + roundingMs
    );
  }

  private generate(positions: Positions, scheme: typeof serialSchedule): void {
    if (!this.open()) return;
    const starts = scheme(this.project, positions);
    this.tried++;
    this.keep(starts);
    this.justify(starts);
  }

  /** Pushes every job as late, then as early, as it can go: what is left of the gaps closes. */
  private justify(starts: Starts): void {
    if (this.tried + 2 > this.options.budget || !this.open()) return;
    if (makespanOf(this.project, starts) > this.best.makespanMs * promising) return;
    const { durations } = this.project;
    const byFinish = positionsBy(starts.map((start, job) => -(start + (durations[job] ?? 0))));
    const late = serialSchedule(this.backwards, byFinish);
    const byLateStart = positionsBy(late.map((start, job) => -(start + (durations[job] ?? 0))));
    this.tried += 2;
    this.keep(serialSchedule(this.project, byLateStart));
  }

  private keep(starts: Starts): void {
    const elite = { starts, makespanMs: makespanOf(this.project, starts) };
    if (elite.makespanMs < this.best.makespanMs) this.best = elite;
    this.elites.push(elite);
    this.elites.sort((a, b) => a.makespanMs - b.makespanMs);
    this.elites.length = Math.min(this.elites.length, eliteSize);
  }

  /** Earliest of the latest finishes first, and of the latest starts: rules that do well on many projects. */
  private rules(): ArrayLike<number>[] {
    const { durations } = this.project;
    const latestStart = this.tails.map((tail) => -tail);
    const latestFinish = this.tails.map((tail, job) => (durations[job] ?? 0) - tail);
    return [latestFinish, latestStart];
  }

  /**
   * Keys whose ascending order picks, at each choice, job j with a probability in proportion to its regret
   * to the power of the bias: log-weights plus Gumbel noise, sorted (Yellott 1977).
   */
  private drawnKeys(): Float64Array {
    const { durations } = this.project;
    const urgency = this.tails.map((tail, job) => tail - (durations[job] ?? 0) / 2);
    const least = urgency.reduce((a, b) => Math.min(a, b), Infinity);
    const most = urgency.reduce((a, b) => Math.max(a, b), -Infinity);
    const unit = Math.max(most - least, Number.MIN_VALUE) / regretUnits;
    const bias = this.random() * maxBias;
    return urgency.map((value) => -(bias * Math.log((value - least) / unit + 1) + this.gumbel()));
  }

  private gumbel(): number {
    return -Math.log(-Math.log(Math.max(this.random(), Number.MIN_VALUE)) + Number.MIN_VALUE);
  }

  /** The starts of one good schedule up to a time, of another after it, and everything a little shaken. */
  private recombinedKeys(): Float64Array {
    const one = this.pick();
    const other = this.pick();
    const cutMs = this.random() * one.makespanMs;
    const shakeMs = this.random() * this.best.makespanMs * shakeShare;
    return one.starts.map((start, job) => {
      const shake = (this.random() - 0.5) * shakeMs;
      return start < cutMs ? start + shake : one.makespanMs + (other.starts[job] ?? 0) + shake;
    });
  }

  private pick(): Elite {
    const at = Math.floor(this.random() ** 2 * this.elites.length);
    return this.elites[at] ?? this.best;
  }
}

/** The exponent of the regret is drawn up to this: 0 is blind, large is the plain rule. */
const maxBias = 3;

/** How many times the regret of the least urgent job the most urgent one has. */
const regretUnits = 10;

/** Every so many draws, one is from scratch; the others recombine. */
const drawEvery = 4;

/** Schedules up to this many times as long as the best are worth the two more that a justification costs. */
const promising = 1.1;

/** How far the shaken start of a job moves at most, as a share of the makespan. */
const shakeShare = 0.4;
