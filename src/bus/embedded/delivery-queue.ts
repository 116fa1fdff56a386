/** Runs something later, off the caller's stack. Given by the runtime: `setImmediate`. */
export type Schedule = (fn: () => void) => void;

/** Deliveries in one turn of the event loop before others get theirs. */
const turnLimit = 1_024;

/**
 * First in, first out, drained off the stack of those who push.
 *
 * Invariants:
 * 1. Jobs run in the order of the pushes, one at a time, never inside `push`.
 * 2. While jobs wait, exactly one drain is scheduled or running.
 * 3. A job that throws does not keep the next from running.
 */
export class DeliveryQueue {
  private readonly schedule: Schedule;
  private readonly onError: (error: unknown) => void;
  private jobs: (() => void)[] = [];
  private next = 0;
  private scheduled = false;

  constructor(schedule: Schedule, onError: (error: unknown) => void) {
    this.schedule = schedule;
    this.onError = onError;
  }

  push(job: () => void): void {
    this.jobs.push(job);
    this.arrange();
  }

  private arrange(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    this.schedule(this.drain);
  }

  private readonly drain = (): void => {
    const end = this.next + turnLimit;
    for (; this.next < end && this.next < this.jobs.length; this.next++) this.runNext();
    this.scheduled = false;
    this.forgetDone();
    if (this.jobs.length > 0) this.arrange();
  };

  private runNext(): void {
    try {
      this.jobs[this.next]?.();
    } catch (error) {
      this.onError(error);
    }
  }

  /** Frees what has run: at once when nothing waits, else when it is the greater part (amortised O(1)). */
  private forgetDone(): void {
    if (this.next < this.jobs.length && this.next * 2 < this.jobs.length) return;
    this.jobs = this.jobs.slice(this.next);
    this.next = 0;
  }
}
