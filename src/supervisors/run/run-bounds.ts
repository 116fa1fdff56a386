/** How large one run may grow in this process. */
export interface RunBounds {
  /** Records of its journal; then nothing new is begun. Default 5,000,000. */
  readonly journalRecords?: number | undefined;
  /** Bytes of its records as JSON, measured only where this is set; then nothing new is begun. Default: no bound. */
  readonly journalBytes?: number | undefined;
  /** Members that one task may be split into; more fail the task. Default 1,000,000. */
  readonly members?: number | undefined;
  /** Changes to its memory that others propose and that wait for an answer; more are refused. Default 10,000. */
  readonly proposals?: number | undefined;
}

/** The bounds of a run that nobody has said anything of. */
export const defaultBounds = {
  journalRecords: 5_000_000,
  journalBytes: Infinity,
  members: 1_000_000,
  proposals: 10_000,
} as const;
