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

/** Follows one attempt's abort; must be stopped when the attempt has settled. Makes no signal where it can. */
export class AbortWatch {
  private readonly port: AttemptPort;
  private readonly steps: AbortSteps;
  private readonly timing: AbortTiming;
  private abort: { readonly reason: unknown } | undefined;
  private timer: TimerHandle;
  private onSignal: (() => void) | undefined;

  constructor(port: AttemptPort, steps: AbortSteps, timing: AbortTiming) {
    this.port = port;
    this.steps = steps;
    this.timing = timing;
    if (port.onAbort) port.onAbort((reason) => this.begin(reason));
    else this.watchSignal(port.signal());
  }

  get aborted(): boolean {
    return this.abort !== undefined;
  }

  /** Why, once aborted. */
  get reason(): unknown {
    return this.abort?.reason;
  }

  /** Forgets the attempt and the timer; idempotent. */
  stop(): void {
    if (this.port.onAbort) this.port.onAbort(undefined);
    else if (this.onSignal) this.port.signal().removeEventListener('abort', this.onSignal);
    if (this.timer !== undefined) this.timing.clock.clearTimeout(this.timer);
    this.timer = undefined;
  }

  private watchSignal(signal: AbortSignal): void {
    if (signal.aborted) return this.begin(signal.reason);
    this.onSignal = () => this.begin(signal.reason);
    signal.addEventListener('abort', this.onSignal, { once: true });
  }

  private begin(reason: unknown): void {
    const { clock, killAfterMs } = this.timing;
    this.abort = { reason };
    this.timer = clock.setTimeout(() => this.steps.force(reason), killAfterMs);
    this.steps.ask(reason);
  }
}
