import type { Clock, TimerHandle } from '../../core/clock.ts';
import type { AttemptPort } from './behaviour.ts';

/** What happens to an attempt that is no longer wanted: first asked, then ended. */
export interface AbortSteps {
  /** The runtime wants the end: ask politely. */
  ask(reason: unknown): void;
  /** The time for a polite end is over. */
  force(reason: unknown): void;
}

/** How long lies between the two, and by whose clock. */
export interface AbortTiming {
  readonly clock: Clock;
  /** From asking to forcing, in milliseconds. */
  readonly killAfterMs: number;
}

/** Follows the signal of one attempt; must be stopped when the attempt has settled. Makes the signal. */
export class AbortWatch {
  private readonly signal: AbortSignal;
  private readonly steps: AbortSteps;
  private readonly timing: AbortTiming;
  private timer: TimerHandle;
  private readonly onAbort = (): void => this.begin();

  constructor(port: AttemptPort, steps: AbortSteps, timing: AbortTiming) {
    this.signal = port.signal();
    this.steps = steps;
    this.timing = timing;
    if (this.signal.aborted) this.begin();
    else this.signal.addEventListener('abort', this.onAbort, { once: true });
  }

  get aborted(): boolean {
    return this.signal.aborted;
  }

  /** The signal's reason, once aborted. */
  get reason(): unknown {
    return this.signal.reason;
  }

  /** Forgets the signal and the timer; idempotent. */
  stop(): void {
    this.signal.removeEventListener('abort', this.onAbort);
    if (this.timer !== undefined) this.timing.clock.clearTimeout(this.timer);
    this.timer = undefined;
  }

  private begin(): void {
    const { clock, killAfterMs } = this.timing;
    this.timer = clock.setTimeout(() => this.steps.force(this.signal.reason), killAfterMs);
    this.steps.ask(this.signal.reason);
  }
}
