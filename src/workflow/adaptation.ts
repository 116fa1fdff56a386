/** What a run may change about itself while it runs. */
export const adaptationActions = ['allocation', 'group_sizes', 'timeouts', 'order'] as const;

/** See {@link adaptationActions}. */
export type AdaptationAction = (typeof adaptationActions)[number];

/** What counts as too much, or too little. A key that is undefined is not looked at. */
export interface Thresholds {
  /** How late the event loop may be, milliseconds. Default 100. */
  readonly eventLoopDelayMs: number;
  /** Share of the memory that may be in use, 0..1. Default 0.85. */
  readonly memory: number;
  /** How long nine of ten attempts may take, milliseconds. */
  readonly responseMs?: number | undefined;
  /** How many tasks may wait for a place. Default 3. */
  readonly queueDepth: number;
  /** Share of the places that should be in use while members of a narrowed group wait, 0..1. */
  readonly efficiency?: number | undefined;
}

/** How a run adapts to what is measured. */
export interface AdaptationSpec {
  /** Between two looks. Default 10 s. */
  readonly intervalMs: number;
  readonly thresholds: Thresholds;
  /** Default: all. */
  readonly actions: readonly AdaptationAction[];
  /** Attempts at one time. Default: from 1 to the concurrency of the document, else of the process. */
  readonly concurrency: { readonly min: number; readonly max: number | undefined };
  /** Timeouts grow to so many times those of the document at most; from 1. Default 2. */
  readonly maxTimeoutFactor: number;
}
