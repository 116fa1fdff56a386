import type { ExpandSpec, TaskSpec } from '../workflow/model.ts';

/** How plans take time for tasks that declare none. */
export interface DurationOptions {
  /** For a task without an estimate, in milliseconds. Default 60 s. */
  readonly defaultMs?: number;
  /** Measured durations by task id, in milliseconds; they win over estimates. */
  readonly history?: ReadonlyMap<string, number>;
}

/** What plans assume for a task without an estimate: one minute. */
export const defaultDurationMs = 60_000;

/** The planned duration of a task, in milliseconds: history, else the middle of its estimate, else the default. */
export function durationOf(task: TaskSpec, options: DurationOptions = {}): number {
  const measured = options.history?.get(task.id);
  const ms = measured ?? task.estimate?.midMs ?? options.defaultMs ?? defaultDurationMs;
  return Math.max(0, ms);
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
