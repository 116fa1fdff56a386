/** The window over which providers count, in milliseconds. */
export const rateWindowMs = 60_000;

/** What was taken of a rate; the meter alone looks inside. */
export interface Taken {
  /** First and last time of the entries that are kept as one. */
  readonly since: number;
  until: number;
  amount: number;
}

/** Entries closer together than this are kept as one, which expires with its last: memory stays bounded. */
const grainMs = rateWindowMs / 600;

/** Expired entries before the list is cut. */
const mostExpired = 1024;

/**
 * Counts what was used within the last minute, so that a limit holds in any minute whatever, not only in
 * those that begin on the minute: a sliding-window log, coarse in time and exact in amounts. Memory and
 * work are bounded by the number of grains in a window. Times are monotonic milliseconds.
 *
 * Invariants:
 * 1. `used` is the sum of the amounts of the entries that have not expired.
 * 2. An entry counts for at least one window after the last amount that was added to it.
 * 3. Of amounts that are not corrected upwards, no window of that length holds more than the limit that
 *    was given with each {@link RateMeter.admissibleAt} that was obeyed.
 */
export class RateMeter {
  private entries: Taken[] = [];
  private first = 0;
  private used = 0;

  /** What counts now. */
  usedAt(now: number): number {
    this.expire(now);
    return this.used;
  }

  /** The earliest time at which `amount` more stays within `limit`; Infinity: not even an empty window has room. */
  admissibleAt(amount: number, limit: number, now: number): number {
    if (limit === Infinity) return now;
    if (amount > limit) return Infinity;
    this.expire(now);
    let excess = this.used + amount - limit;
    for (let index = this.first; excess > 0; index++) {
      const entry = this.entries[index];
      if (!entry) return now;
      excess -= entry.amount;
      if (excess <= 0) return entry.until + rateWindowMs;
    }
    return now;
  }

  /** Counts an amount from now on. */
  take(amount: number, now: number): Taken {
    this.expire(now);
    this.used += amount;
    const last = this.entries.length > this.first ? this.entries.at(-1) : undefined;
    if (last && now - last.since < grainMs) {
      last.amount += amount;
      last.until = Math.max(last.until, now);
      return last;
    }
    const entry = { since: now, until: now, amount };
    this.entries.push(entry);
    return entry;
  }

  /** What was taken turns out to be more or less by `difference`; one that has expired is over. */
  correct(taken: Taken, difference: number, now: number): void {
    this.expire(now);
    if (taken.until + rateWindowMs <= now) return;
    const change = Math.max(-taken.amount, difference);
    taken.amount += change;
    this.used += change;
  }

  private expire(now: number): void {
    const { entries } = this;
    for (let entry = entries[this.first]; entry; entry = entries[this.first]) {
      if (entry.until + rateWindowMs > now) break;
      this.used -= entry.amount;
      this.first++;
    }
    if (this.first === entries.length) this.used = this.first = entries.length = 0;
    else if (this.first > mostExpired) {
      this.entries = entries.slice(this.first);
      this.first = 0;
    }
  }
}
