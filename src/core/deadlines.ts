import type { Clock, TimerHandle } from './clock.ts';
import { Heap } from './heap.ts';

/** One absolute deadline; `cancel()` is idempotent and O(1). */
export interface Deadline {
  cancel(): void;
}

interface Entry extends Deadline {
  readonly due: number;
  readonly sequence: number;
  fire: (() => void) | undefined;
}

/**
 * All deadlines of one root in one heap behind one clock timer, so that ten thousand pending timeouts
 * cost nothing to those who have none. Due times are absolute, in the clock's wall milliseconds.
 */
export class Deadlines {
  private readonly entries = new Heap<Entry>(
    (a, b) => a.due < b.due || (a.due === b.due && a.sequence < b.sequence),
  );
  private readonly clock: Clock;
  private timer: TimerHandle;
  private timerDue = Infinity;
  private sequence = 0;
  private cancelled = 0;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** Deadlines that have neither fired nor been cancelled. */
  get pending(): number {
    return this.entries.size - this.cancelled;
  }

  /** Calls `fire` once when the clock reaches `dueMs`; at the next timer turn if that has passed. */
  at(dueMs: number, fire: () => void): Deadline {
    const entry: Entry = {
      due: dueMs,
      sequence: this.sequence++,
      fire,
      cancel: () => {
        if (!entry.fire) return;
        entry.fire = undefined;
        this.cancelled++;
        this.sweep();
      },
    };
    this.entries.push(entry);
    this.arm();
    return entry;
  }

  /** Drops every pending deadline. */
  stop(): void {
    while (this.entries.pop()) continue;
    this.cancelled = 0;
    this.clock.clearTimeout(this.timer);
    this.timerDue = Infinity;
  }

  /** Forgets cancelled entries: at once at the top, and all of them when they are the majority (amortised O(1)). */
  private sweep(): void {
    if (this.cancelled * 2 > this.entries.size) this.compact();
    while (this.entries.size > 0 && !this.entries.peek()?.fire) {
      this.entries.pop();
      this.cancelled--;
    }
    this.arm();
  }

  private compact(): void {
    const live: Entry[] = [];
    for (let entry = this.entries.pop(); entry; entry = this.entries.pop()) {
      if (entry.fire) live.push(entry);
    }
    for (const entry of live) this.entries.push(entry);
    this.cancelled = 0;
  }

  private arm(): void {
    const due = this.entries.peek()?.due ?? Infinity;
    if (due === this.timerDue) return;
    if (this.timerDue !== Infinity) this.clock.clearTimeout(this.timer);
    this.timerDue = due;
    if (due === Infinity) return;
    this.timer = this.clock.setTimeout(() => this.fireDue(), Math.max(0, due - this.clock.now()));
  }

  private fireDue(): void {
    this.timerDue = Infinity;
    const now = this.clock.now();
    for (let next = this.entries.peek(); next && next.due <= now; next = this.entries.peek()) {
      this.entries.pop();
      const { fire } = next;
      next.fire = undefined;
      if (fire) fire();
      else this.cancelled--;
    }
    this.sweep();
  }
}
