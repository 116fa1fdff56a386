import { seededRandom } from '../core/random.ts';
import { tailsOf } from './bounds.ts';
import { isScarce } from './compact.ts';
import { multifitSchedules } from './multifit.ts';
import { regretSampler } from './orders.ts';
import { searchPopulations } from './populations.ts';
import type { Project } from './project.ts';
import type { Starts } from './serial-generation.ts';
import { Trials } from './trials.ts';
import type { Trial, TrialLimits } from './trials.ts';

/** What bounds and seeds a search for a short schedule. */
export interface SearchOptions extends TrialLimits {
  readonly seed: number;
  /** Priority of each job that dispatch has to follow before all else; undefined: none, the search is free. */
  readonly strictPriorities: readonly number[] | undefined;
}

/** The best schedule found, and how many were generated. */
export interface Found {
  readonly starts: Starts;
  readonly makespanMs: number;
  readonly tried: number;
}

/**
 * Improves a first schedule within a budget: packs what is independent, takes good rules, justifies, and then
 * lets two populations breed. Ends early at the lower bound. The same seed gives the same schedule; the
 * result is never longer than the first.
 */
export function search(project: Project, first: Starts, options: SearchOptions): Found {
  const trials = new Trials(project, first, options);
  // Without anything scarce, the first schedule starts everything as early as can be.
  if (isScarce(trials.compact)) {
    if (options.strictPriorities) sampleWithin(project, trials, options);
    else searchFreely(project, trials, options);
  }
  return { ...trials.best, tried: trials.tried };
}

/** Priorities rule the dispatch, so only orders within one priority are drawn, and nothing is justified. */
function sampleWithin(
  project: Project,
  trials: Trials,
  { seed, strictPriorities }: SearchOptions,
): void {
  const draw = regretSampler(urgencyOf(project), seededRandom(seed));
  while (trials.open()) trials.dispatched(draw(), strictPriorities);
}

function searchFreely(project: Project, trials: Trials, options: SearchOptions): void {
  packIndependent(project, trials, options);
  const founders: Trial[] = [trials.justified(trials.best)];
  for (const keys of rulesOf(project)) {
    if (trials.open()) founders.push(trials.justified(trials.dispatched(keys)));
    if (trials.open()) founders.push(trials.justified(trials.forwards(keys)));
  }
  const random = seededRandom(options.seed);
  const draw = regretSampler(urgencyOf(project), random);
  searchPopulations(trials, founders, { random, draw });
}

function packIndependent(project: Project, trials: Trials, options: SearchOptions): void {
  if (!trials.open()) return;
  const tries = options.budget - trials.tried;
  const bounds = { lowMs: options.lowerBoundMs, highMs: trials.best.makespanMs };
  for (const starts of multifitSchedules(project, { ...bounds, tries })) trials.note(starts);
}

/** Earliest of the latest finishes first, and of the latest starts: rules that do well on many projects. */
function rulesOf(project: Project): Float64Array[] {
  const tails = tailsOf(project);
  const latestFinish = tails.map((tail, job) => (project.durations[job] ?? 0) - tail);
  return [latestFinish, tails.map((tail) => -tail)];
}

/** The longer the path from the middle of a job to the end, the sooner it should start. */
function urgencyOf(project: Project): Float64Array {
  return tailsOf(project).map((tail, job) => tail - (project.durations[job] ?? 0) / 2);
}
