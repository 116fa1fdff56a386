/** What a pending timer is known by. Opaque: only the clock that made it can cancel it. */
export type TimerHandle = unknown;

/**
 * The only source of time. Everything above core takes a Clock, so that a run under the simulated
 * clock is the same program as a run on the real one.
 */
export interface Clock {
  /** Wall time in milliseconds since the epoch. May jump; use it for records, never to measure. */
  now(): number;
  /** Milliseconds from an arbitrary origin; never goes back. */
  monotonic(): number;
  /** Calls `fn` once after `delayMs` (0 or more). */
  setTimeout(fn: () => void, delayMs: number): TimerHandle;
  /** Cancels a pending timer; does nothing when it has fired or was cancelled. */
  clearTimeout(handle: TimerHandle): void;
}

/** Longest delay that Node's own timers accept; a longer one fires at once there, so it is taken in legs. */
const maxNodeDelayMs = 2 ** 31 - 1;

class SystemTimer {
  private current: NodeJS.Timeout | undefined;

  constructor(fn: () => void, delayMs: number) {
    this.arm(fn, delayMs);
  }

  cancel(): void {
    clearTimeout(this.current);
  }

  private arm(fn: () => void, remainingMs: number): void {
    const legMs = Math.min(remainingMs, maxNodeDelayMs);
    this.current = setTimeout(() => {
      if (remainingMs > legMs) this.arm(fn, remainingMs - legMs);
      else fn();
    }, legMs);
  }
}

/** The real clock of this process. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimeout: (fn, delayMs) => new SystemTimer(fn, Math.max(0, delayMs)),
  clearTimeout: (handle) => {
    if (handle instanceof SystemTimer) handle.cancel();
  },
};
