import { setup } from '../actors/xstate.ts';
import type { Clock } from '../core/clock.ts';
import type { Deadline, Deadlines } from '../core/deadlines.ts';
import { Breaker } from '../policies/breaker.ts';
import type { BreakerPermit, BreakerResult, BreakerState } from '../policies/breaker.ts';
import type { BreakerRule } from '../workflow/breaker.ts';

/** What the machine stands for: `agent:`, `provider:`, `model:`, `tool:` or `pool:` and a name. */
export interface CircuitBreakerInput {
  readonly key: string;
}

/** Every message that a breaker's machine may receive. */
export type CircuitBreakerEvent =
  | { readonly type: 'breaker.closed' }
  | { readonly type: 'breaker.open' }
  | { readonly type: 'breaker.half_open' }
  | { readonly type: 'breaker.stop' };

const breakerSetup = setup({
  types: {} as {
    context: CircuitBreakerInput;
    events: CircuitBreakerEvent;
    input: CircuitBreakerInput;
  },
});

/**
 * The lifecycle of a circuit breaker: its states are those of its policy, which decides. {@link CircuitBreaker}
 * tells it of changes only.
 */
export const circuitBreakerMachine = breakerSetup.createMachine({
  id: 'circuit_breaker',
  context: ({ input }) => input,
  initial: 'closed',
  on: { 'breaker.stop': '.stopped' },
  states: {
    closed: { on: { 'breaker.open': 'open' } },
    open: { on: { 'breaker.half_open': 'half_open' } },
    half_open: { on: { 'breaker.open': 'open', 'breaker.closed': 'closed' } },
    stopped: { type: 'final' },
  },
});

/** A change of state, for those who watch. */
export interface BreakerChange {
  readonly key: string;
  readonly state: BreakerState;
  /** For people. */
  readonly why: string;
  /** When it lets calls try, wall milliseconds; null: it is not open. */
  readonly until: number | null;
}

/** What a breaker is made from. */
export interface CircuitBreakerOptions extends CircuitBreakerInput {
  readonly actor: { send(event: CircuitBreakerEvent): void };
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly rule: BreakerRule;
  readonly changed: (change: BreakerChange) => void;
}

/**
 * Where attempts and calls ask to be let through, and tell how they ended. One deadline, and that only while
 * somebody waits for it to let calls try again.
 *
 * Invariants:
 * 1. The machine is in the state of the policy as of the last question, result or deadline.
 * 2. Whoever waits is told each time that calls may be let through again.
 */
export class CircuitBreaker {
  readonly key: string;
  private readonly options: CircuitBreakerOptions;
  private readonly policy: Breaker;
  private readonly waiting = new Set<() => void>();
  private told: BreakerState = 'closed';
  private deadline: Deadline | undefined;
  private deadlineAt: number | undefined;

  constructor(options: CircuitBreakerOptions) {
    this.options = options;
    this.key = options.key;
    this.policy = new Breaker(options.rule);
  }

  /** The state as it stands now. */
  get state(): BreakerState {
    const state = this.policy.stateAt(this.now());
    if (state !== this.told) this.settle('its wait is over');
    return state;
  }

  /** When it lets calls try, wall milliseconds; undefined: it is not open. */
  get until(): number | undefined {
    return this.policy.reopensAt;
  }

  /** How long until it lets calls try, milliseconds; 0: it is not open. */
  get waitMs(): number {
    return Math.max(0, (this.until ?? 0) - this.now());
  }

  /** Whether a call would be let through; none is counted. */
  allows(): boolean {
    const isAllowed = this.policy.allows(this.now());
    if (this.told !== 'closed') this.settle('its wait is over');
    return isAllowed;
  }

  /** Lets a call through; undefined: not now. */
  ask(): BreakerPermit | undefined {
    const permit = this.policy.ask(this.now());
    if (this.told !== 'closed') this.settle('its wait is over');
    return permit;
  }

  /** A call that was let through has ended. */
  report(permit: BreakerPermit, result: BreakerResult): void {
    this.policy.report(permit, result, this.now());
    this.settle(
      result.end === 'succeeded' ? 'calls succeed again' : 'too many calls fail or are slow',
    );
  }

  /** Opens it, whatever the rates are. */
  trip(why: string): void {
    this.policy.trip(this.now());
    this.settle(why);
  }

  setRule(rule: BreakerRule): void {
    this.policy.setRule(rule);
  }

  /** Calls back each time that calls may be let through again, until the function that it gives is called. */
  wait(listener: () => void): () => void {
    this.waiting.add(listener);
    this.arm();
    return () => {
      this.waiting.delete(listener);
      this.arm();
    };
  }

  /** Nobody is told any more. */
  stop(): void {
    this.waiting.clear();
    this.arm();
    this.options.actor.send({ type: 'breaker.stop' });
  }

  private settle(why: string): void {
    const { actor, changed } = this.options;
    const state = this.policy.stateAt(this.now());
    if (state !== this.told) {
      // A tripped breaker may have been half open unseen; the machine takes every step.
      if (this.told === 'open' && state === 'closed') actor.send({ type: 'breaker.half_open' });
      this.told = state;
      actor.send({ type: `breaker.${state}` });
      changed({ key: this.key, state, why, until: this.until ?? null });
    }
    this.arm();
    if (this.waiting.size === 0) return;
    // Who is told may ask at once, and wait again.
    const listeners = [...this.waiting];
    for (const listener of listeners) {
      if (!this.policy.allows(this.now())) return;
      if (this.waiting.has(listener)) listener();
    }
  }

  private arm(): void {
    const at = this.waiting.size > 0 ? this.until : undefined;
    if (at === this.deadlineAt) return;
    this.deadline?.cancel();
    this.deadlineAt = at;
    this.deadline =
      at === undefined
        ? undefined
        : this.options.deadlines.at(at, () => {
            this.deadlineAt = undefined;
            this.settle('its wait is over');
          });
  }

  private now(): number {
    return this.options.clock.now();
  }
}
