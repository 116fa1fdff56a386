import type { Random } from '../core/random.ts';

/** Wait after the first refusal that does not say how long, and the longest; each further one doubles it. */
const firstPauseMs = 1_000;
const longestGuessMs = 60_000;

/** Longest wait that a provider can ask for. */
const longestPauseMs = 3_600_000;

/** Share of a pause by which its end is spread, and the longest spread. */
const spread = 0.1;
const longestSpreadMs = 2_000;

/**
 * A pause of all calls to a provider after one was refused. Its end is random within a small spread, so that
 * processes do not come back together; and those that come back in one process are spread as well.
 * Times are monotonic milliseconds.
 *
 * Invariants:
 * 1. A pause never ends before the time that the provider asked for, up to an hour.
 * 2. A later refusal never shortens it.
 */
export class SharedPause {
  private until = -Infinity;
  private spreadMs = 0;
  private guesses = 0;
  private resumed = 0;
  private readonly random: Random;

  constructor(random: Random) {
    this.random = random;
  }

  /** When calls may go out again. */
  get endsAt(): number {
    return this.until;
  }

  /**
   * A call was refused.
   * @param afterMs how long the provider wants to be left alone; undefined: it has not said.
   * @returns whether the pause was prolonged.
   */
  refused(afterMs: number | undefined, now: number): boolean {
    // Refusals of calls that were under way when the pause began are the same refusal.
    if (afterMs === undefined && now < this.until) return false;
    const askedMs = Math.min(afterMs ?? this.guess(), longestPauseMs);
    return this.hold(now + askedMs, Math.min(longestSpreadMs, askedMs * spread));
  }

  /** Another process was told to wait until `until`. */
  heard(until: number, now: number): boolean {
    const askedMs = Math.min(until - now, longestPauseMs);
    return askedMs > 0 && this.hold(now + askedMs, Math.min(longestSpreadMs, askedMs * spread));
  }

  /** A call went through: the next guess is a short one again. */
  passed(): void {
    this.guesses = 0;
  }

  /** When the next call may go out, of at most `places` at one time: one by one at first. */
  nextAt(places: number): number {
    if (this.resumed >= places) return this.until;
    return this.until + (this.spreadMs * this.resumed) / places;
  }

  /** A call goes out. */
  went(): void {
    if (this.resumed < Infinity) this.resumed++;
  }

  private hold(asked: number, spreadMs: number): boolean {
    if (asked <= this.until) return false;
    this.until = asked + spreadMs * this.random();
    this.spreadMs = spreadMs;
    this.resumed = 0;
    return true;
  }

  private guess(): number {
    const cappedMs = Math.min(longestGuessMs, firstPauseMs * 2 ** Math.min(this.guesses++, 10));
    return cappedMs * (0.5 + this.random() / 2);
  }
}
