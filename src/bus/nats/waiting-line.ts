import type { Clock, TimerHandle } from '../../core/clock.ts';

/** Somebody who waits. The links are the line's. */
export interface Waiter {
  /** When the waiting is over, in monotonic milliseconds; set by the line. */
  dueMs: number;
  before: Waiter | undefined;
  after: Waiter | undefined;
  /** Called once when the time is over; by then the waiter has left the line. */
  expire(): void;
}

/** What a {@link WaitingLine} is made of. */
export interface WaitingLineOptions {
  readonly clock: Clock;
  readonly waitMs: number;
  /** Called when nobody waits any more and no timer runs. */
  readonly onEmpty: () => void;
}

/**
 * Those who wait equally long. Who comes first is due first, so that to come and to leave cost a few assignments and
 * one timer serves all; it is set for whoever is first, and left alone when he leaves early.
 *
 * Invariants:
 * 1. From `first` on, `after` leads through everybody who waits, in the order of `dueMs`.
 * 2. While anybody waits a timer runs that ends no later than he is due.
 */
export class WaitingLine {
  private readonly options: WaitingLineOptions;
  private first: Waiter | undefined;
  private last: Waiter | undefined;
  private timer: TimerHandle;
  private ticking = false;

  constructor(options: WaitingLineOptions) {
    this.options = options;
  }

  join(waiter: Waiter): void {
    const { clock, waitMs } = this.options;
    waiter.dueMs = clock.monotonic() + waitMs;
    waiter.before = this.last;
    if (this.last) this.last.after = waiter;
    else this.first = waiter;
    this.last = waiter;
    if (!this.ticking) this.tick(waitMs);
  }

  leave(waiter: Waiter): void {
    const { before, after } = waiter;
    if (before) before.after = after;
    else this.first = after;
    if (after) after.before = before;
    else this.last = before;
    waiter.before = undefined;
    waiter.after = undefined;
  }

  /** Ends the timer. Nobody may wait then. */
  stop(): void {
    this.options.clock.clearTimeout(this.timer);
    this.ticking = false;
  }

  private tick(delayMs: number): void {
    this.ticking = true;
    if (delayMs !== Infinity)
      this.timer = this.options.clock.setTimeout(() => this.look(), Math.ceil(delayMs));
  }

  private look(): void {
    const { clock, onEmpty } = this.options;
    const now = clock.monotonic();
    while (this.first && this.first.dueMs <= now) {
      const { first } = this;
      this.leave(first);
      first.expire();
    }
    this.ticking = false;
    if (this.first) this.tick(this.first.dueMs - now);
    else onEmpty();
  }
}
