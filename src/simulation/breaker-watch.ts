import type { BreakerState } from '../policies/breaker.ts';

/** What may follow each state. */
const following: { readonly [state in BreakerState]: readonly BreakerState[] } = {
  closed: ['open'],
  open: ['half_open'],
  half_open: ['closed', 'open'],
};

/** Follows the breakers of one process, as each run that asks them is told. */
export class BreakerWatch {
  private readonly states = new Map<string, BreakerState>();
  private readonly illegal: (detail: string) => void;

  /** @param illegal called with a state that may not follow the one before */
  constructor(illegal: (detail: string) => void) {
    this.illegal = illegal;
  }

  /** @param run who was told; a run that comes later is told of no past */
  changed(run: string, breaker: string, state: BreakerState): void {
    const id = `${run} ${breaker}`;
    const before = this.states.get(id);
    this.states.set(id, state);
    if (before !== undefined && !following[before].includes(state))
      this.illegal(`breaker ${breaker} went from ${before} to ${state}`);
  }
}
