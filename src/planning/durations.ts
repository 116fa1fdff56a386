import type { AgentTimes, DurationHistory } from './duration-history.ts';
import type { ExpandSpec, StartTime, TaskSpec } from '../workflow/model.ts';

/** How plans take time for tasks that declare none, and from when they count. */
export interface DurationOptions {
  /** For a task of medium complexity of which nothing is known, in milliseconds. Default 60 s. */
  readonly defaultMs?: number;
  /** Durations by task id, in milliseconds, that win over all others. */
  readonly measured?: ReadonlyMap<string, number>;
  /** For tasks without an estimate. */
  readonly history?: DurationHistory | undefined;
  /** When the run starts, in milliseconds of the Unix epoch; undefined: dates in `not_before` are over. */
  readonly startsAtMs?: number | undefined;
}

/** What plans assume for a task of which nothing is known: one minute. */
const defaultDurationMs = 60_000;

/** The complexity of a task that says none. */
const mediumComplexity = 2;

/** How many times the work of a medium task this one is. */
export function weightOf({ complexity }: Pick<TaskSpec, 'complexity'>): number {
  return (complexity ?? mediumComplexity) / mediumComplexity;
}

/** Whether a plan knows more about a task's duration than the default. */
export function hasKnownDuration(task: TaskSpec, options: DurationOptions = {}): boolean {
  if (task.estimate || task.complexity !== undefined) return true;
  return options.measured?.has(task.id) === true || timesOf(task, options) !== undefined;
}

/**
 * The planned duration of a task, in milliseconds: what was measured, else the middle of its estimate, else the mean of
 * its agent by its complexity, else the default by its complexity.
 */
export function durationOf(task: TaskSpec, options: DurationOptions = {}): number {
  const known = options.measured?.get(task.id) ?? task.estimate?.midMs;
  if (known !== undefined) return Math.max(0, known);
  const mediumMs = timesOf(task, options)?.meanMs ?? options.defaultMs ?? defaultDurationMs;
  return Math.max(0, mediumMs * weightOf(task));
}

/** Whether earlier runs have shown what the task's agent takes. */
export function hasHistory(task: TaskSpec, options: DurationOptions): boolean {
  return timesOf(task, options) !== undefined;
}

function timesOf({ agent }: TaskSpec, { history }: DurationOptions): AgentTimes | undefined {
  return history && Object.hasOwn(history, agent) ? history[agent] : undefined;
}

/** How long after the run's start a task may start at the earliest, in milliseconds. */
export function releaseOf(
  { notBefore }: { readonly notBefore?: StartTime | undefined },
  { startsAtMs }: DurationOptions = {},
): number {
  if (!notBefore) return 0;
  if ('afterMs' in notBefore) return notBefore.afterMs;
  return startsAtMs === undefined ? 0 : Math.max(0, notBefore.atMs - startsAtMs);
}

/** How many members a task has as far as the document tells; undefined: known only at run time. */
export function memberCount(expand: ExpandSpec | undefined): number | undefined {
  if (!expand) return 1;
  if (expand.kind === 'aspects') return expand.aspects.length;
  const items = Array.isArray(expand.of) ? expand.of.length : undefined;
  if (expand.kind === 'for_each') return items;
  if (expand.count !== undefined) return expand.count;
  return items !== undefined && expand.size ? Math.ceil(items / expand.size) : undefined;
}
