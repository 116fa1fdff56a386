import type { BarrierDecision } from '../../policies/barrier.ts';

/** What the run's own turn still has to do; `pump` works it off, so that no cascade ever nests. */
export interface Agenda {
  /** Tasks that may start. */
  readonly ready: string[];
  /** Tasks whose end is in the journal. */
  readonly ended: string[];
  /** Tasks that have an output and checkers. */
  readonly completed: string[];
  /** Members whose result is to be merged. */
  readonly contributed: { readonly group: string; readonly member: string }[];
  /** What supervisors of groups have decided. */
  readonly decided: { readonly group: string; readonly decision: BarrierDecision }[];
  /** Groups whose end is in the journal. */
  readonly joined: string[];
  /** Tasks whose permits have come. */
  readonly granted: string[];
}

/** Puts ids on a list of the agenda; there may be more of them than a call takes arguments. */
export function enqueue(list: string[], ids: Iterable<string>): void {
  for (const id of ids) list.push(id);
}

/** Nothing to do. */
export function emptyAgenda(): Agenda {
  return {
    ready: [],
    ended: [],
    completed: [],
    contributed: [],
    decided: [],
    joined: [],
    granted: [],
  };
}
