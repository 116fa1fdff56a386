/** How long tasks of an agent have taken, in milliseconds per task of medium complexity. */
export interface AgentTimes {
  /** Tasks that were measured. */
  readonly count: number;
  /** Mean in which later tasks weigh more. */
  readonly meanMs: number;
  /** Nine of ten take no longer, as far as was seen. */
  readonly p90Ms: number;
}

/** What earlier runs of a workflow have shown, by agent. */
export interface DurationHistory {
  readonly [agent: string]: AgentTimes;
}
