import type { TaskGraph } from './graph.ts';
import type { PredictOptions, Schedule } from './schedule.ts';

/**
 * Something about a workflow that its author may not have meant. `contradiction`: the document says two things that
 * exclude each other; `late`: a time that is set will pass; `needless_wait`: a wait that nothing is gained by;
 * `file_conflict`: two tasks that may run together touch one file; `unannounced_read`: a task reads what another
 * writes, and nothing says which comes first.
 */
export type FindingKind =
  | 'contradiction'
  | 'late'
  | 'needless_wait'
  | 'file_conflict'
  | 'unannounced_read';

/** One finding. */
export interface Finding {
  readonly kind: FindingKind;
  readonly tasks: readonly string[];
  /** One sentence for people. */
  readonly detail: string;
  /** True: so it will be, whatever the order; false: by estimates. */
  readonly certain: boolean;
  /** What the run would be shorter by without it, in milliseconds; null: it was not asked. */
  readonly saves_ms: number | null;
}

/** What findings are looked for in. */
export interface Planned {
  readonly graph: TaskGraph;
  readonly schedule: Schedule;
  readonly options: PredictOptions;
}
