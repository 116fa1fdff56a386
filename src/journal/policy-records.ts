import type { Spend } from '../policies/budget.ts';

/** A breaker was open when a task was about to ask for its permits, or had them. */
export interface BreakerDecided {
  readonly type: 'breaker.decided';
  readonly task: string;
  /** `agent:`, `provider:`, `model:`, `tool:` or `pool:` and a name. */
  readonly breaker: string;
  /** It waits, goes to another agent, or has failed. */
  readonly decision: 'wait' | 'redistribute' | 'fail';
  /** When the breaker lets calls try, wall milliseconds; null: it was half open, with as many as may try. */
  readonly until: number | null;
  /** The agent that it goes to. */
  readonly to?: string;
}

/** A further attempt at the same work was begun beside one that takes long. It counts against no retry policy. */
export interface HedgeStarted {
  readonly type: 'hedge.started';
  readonly task: string;
  readonly attempt: number;
  /** The attempt that takes long. */
  readonly of: number;
}

/** It is decided what became of a further attempt: it won, lost, or failed before the other one had ended. */
export interface HedgeEnded {
  readonly type: 'hedge.ended';
  readonly task: string;
  readonly attempt: number;
  readonly of: number;
  readonly result: 'won' | 'lost' | 'failed';
  /** What the attempt that did not win had spent by then; absent: nothing. */
  readonly wasted?: Spend;
}
