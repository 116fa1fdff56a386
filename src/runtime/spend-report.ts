/** What was used; cost is in whatever unit the calls report it. */
export interface SpendReport extends AmountReport {
  readonly by_agent: { readonly [agent: string]: AmountReport };
  /** Caps that were reached. */
  readonly exhausted: readonly CapReport[];
}

/** Amounts that were used. */
export interface AmountReport {
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cost: number;
}

/** A cap of a budget that was reached; the run's own has no agent. */
export interface CapReport {
  readonly cap: 'tokens' | 'cost' | 'time';
  readonly agent: string | null;
}
