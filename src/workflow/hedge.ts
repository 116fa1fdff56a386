/** When a further attempt is begun beside one that takes long. */
export interface HedgeSpec {
  /** Undefined: after the time that 95 of 100 attempts of the agent take, once ten of them have succeeded. */
  readonly afterMs: number | undefined;
  /** Further attempts beside one attempt, one after another. */
  readonly max: number;
  /** Share of the attempts that may be hedged, above 0 and up to 1; undefined: all. */
  readonly maxShare: number | undefined;
}
