import type { Clock, TimerHandle } from './clock.ts';
import { Heap } from './heap.ts';

interface PendingTimer {
  readonly due: number;
  readonly sequence: number;
  fn: (() => void) | undefined;
}

/**
 * A clock whose time moves only when it is told to. Timers fire in order of due time, and in order of
 * creation where due times are equal, so one program gives one history.
 */
export class SimulatedClock implements Clock {
  private readonly pending = new Heap<PendingTimer>(
    (a, b) => a.due < b.due || (a.due === b.due && a.sequence < b.sequence),
  );
  private readonly originMs: number;
  private elapsedMs = 0;
  private sequence = 0;

  /** @param originMs wall time at the start, in milliseconds since the epoch; default 0. */
  constructor(originMs = 0) {
    this.originMs = originMs;
  }

  now(): number {
    return this.originMs + this.elapsedMs;
  }

  monotonic(): number {
    return this.elapsedMs;
  }

  setTimeout(fn: () => void, delayMs: number): TimerHandle {
    const timer = { due: this.elapsedMs + Math.max(0, delayMs), sequence: this.sequence++, fn };
    this.pending.push(timer);
    return timer;
  }

  clearTimeout(handle: TimerHandle): void {
    if (handle) (handle as PendingTimer).fn = undefined;
  }

  /** Fires the next timer and moves time to it. False when no timer is pending. */
  step(): boolean {
    for (let timer = this.pending.pop(); timer; timer = this.pending.pop()) {
      const { fn, due } = timer;
      if (!fn) continue;
      timer.fn = undefined;
      this.elapsedMs = Math.max(this.elapsedMs, due);
      fn();
      return true;
    }
    return false;
  }

  /**
   * Fires timers until `done()` holds or none is left, letting promises settle between them.
   * @returns whether `done()` held at the end.
   */
  async runUntil(done: () => boolean): Promise<boolean> {
    await settled();
    while (!done()) {
      if (!this.step()) return false;
      await settled();
    }
    return true;
  }
}

/** One turn of the event loop: every promise that can settle without time passing has settled. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
