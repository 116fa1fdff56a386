/** What a run has had to do with one provider; milliseconds. */
export interface ProviderCounts {
  /** Calls that went out, those that were refused included. */
  calls: number;
  refused: number;
  /** Time by which refusals of this run's calls have held the provider's calls back. */
  pausedMs: number;
  /** Time that calls waited before they went out or gave up, summed over calls. */
  waitMs: number;
}

/** Counts by provider, of one run while this process carries it; they are not journaled. */
export class ProviderTally {
  private readonly counts = new Map<string, ProviderCounts>();

  /** The counts of a provider, made when first asked for; whoever asks may count on. */
  of(provider: string): ProviderCounts {
    const known = this.counts.get(provider);
    if (known) return known;
    const made = { calls: 0, refused: 0, pausedMs: 0, waitMs: 0 };
    this.counts.set(provider, made);
    return made;
  }

  /** In the order in which they were first called. */
  entries(): readonly (readonly [string, Readonly<ProviderCounts>])[] {
    return [...this.counts];
  }
}
