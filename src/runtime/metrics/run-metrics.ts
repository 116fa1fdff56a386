import type { Bottleneck } from './bottleneck.ts';

/** What running in parallel brought. Milliseconds; the time that a run lay still before a resume does not count. */
export interface RunMetrics {
  readonly wall_ms: number;
  /** Sum of the times of all attempts, without backoff: the most that the tasks would take one after another. */
  readonly sequential_ms: number;
  /** Longest chain of executed tasks, each with all of its attempts. */
  readonly critical_path_ms: number;
  readonly critical_path: readonly string[];
  /** `sequential_ms` over wall time: how many tasks were running at one time on average. */
  readonly speedup: number;
  /** Speed-up over the most tasks that were running at one time; 1 is ideal. */
  readonly parallel_efficiency: number;
  /** The most tasks that were running at one time. */
  readonly peak_tasks: number;
  /**
   * Time in which tasks had their inputs, before their first dispatch, while others held what they lacked (places,
   * units, locks), summed over tasks. Neither start-up nor what a plan held back with permits free.
   */
  readonly queue_wait_ms: number;
  /** The part of it in which others held a lock that the task wanted. */
  readonly lock_wait_ms: number;
  /** Time that members that were done waited for the release of their group, summed over members. */
  readonly barrier_wait_ms: number;
  /** Share of each limited kind that was in use, weighted by time, 0..1; of a lock, of the time in which anybody held it. */
  readonly utilisation: { readonly [kind: string]: number };
  readonly bottleneck: Bottleneck;
}

/** What the run has changed about itself, and how it stands now; `troupe show RUN --records` tells why. */
export interface AdaptationReport {
  /** Without what the run chose when it began. */
  readonly changes: number;
  /** Attempts at one time; null: what the document says. */
  readonly concurrency: number | null;
  /** Members at one time of groups that were narrowed. */
  readonly group_sizes: { readonly [group: string]: number };
  /** Timeouts are so many times those of the document. */
  readonly timeout_factor: number;
  /** How many times as long as planned the tasks of an agent take, where waiting tasks are ordered by it. */
  readonly paces: { readonly [agent: string]: number };
}
