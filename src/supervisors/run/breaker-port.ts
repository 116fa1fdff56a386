import type { BreakerChange, CircuitBreaker } from '../circuit-breaker.ts';
import type { WhenOpen } from '../../workflow/breaker.ts';
import type { Workflow } from '../../workflow/model.ts';

/** A breaker that a run has asked for, and what it does while that is open. */
export interface RunBreaker {
  /** As the run calls it. */
  readonly name: string;
  readonly breaker: CircuitBreaker;
  readonly whenOpen: WhenOpen;
}

/**
 * The breakers of a process, shared by its runs. Names as a run uses them: `agent:ID`, `provider:NAME`,
 * `model:PROVIDER/NAME`, `tool:NAME`, `pool:KIND`. They live as long as the process, and begin closed.
 */
export interface Breakers {
  /** A run begins; `changed` hears of the breakers that it has asked for. */
  open(run: string, workflow: Workflow, changed: (change: BreakerChange) => void): void;
  close(run: string): void;
  /** The breaker of that name; undefined: the run's document asks for none. */
  find(run: string, name: string): RunBreaker | undefined;
  /** Opens a breaker because of what is known otherwise: all workers of a group have failed. False: there is none. */
  trip(run: string, name: string, why: string): boolean;
}
