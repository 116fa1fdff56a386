/** A refusal of a call that left so soon after a pause, in milliseconds, or within the length of that pause, is a repeated one. */
const soonMs = 5_000;

/** Longest time between two calls. */
const longestGapMs = 30_000;

/** A gap that has become shorter than this is none any more. */
const leastGapMs = 10;

/** Each refusal makes the gap longer by this at least. */
const slower = 1.15;

/** Time without a refusal before a pace is tried a little faster: as long as it took to be refused, within these bounds. */
const leastHoldMs = 2_000;
const longestHoldMs = 30_000;

/** From one step to the next: this part of that time. Each quiet step doubles the next one. */
const stepPart = 0.25;
const firstStep = 0.05;

/** A pace that nobody waited for within this time tells nothing any more. */
const forgetMs = 600_000;

/** A refusal for the rate. */
export interface RateRefusal {
  /** When the call went out. */
  readonly startedAt: number;
  /** What the provider asks for, in milliseconds. */
  readonly waitMs: number;
  readonly now: number;
}

/** The calls between two refusals: how many went through, and the time that the provider wants for so many. */
interface Stretch {
  readonly from: number;
  readonly spanMs: number;
  readonly leastGapMs: number;
  accepted: number;
}

/**
 * The pace of calls to a provider of which no rate is known. The pause after a refusal is all that one refusal
 * asks for. Only when calls are refused again soon after it, a gap between calls is learnt: the time from the
 * first call after the pause to the end of the wait that is asked for now, divided by the calls that went
 * through; if none did, twice the last gap or wait, halved by each success. After a quiet time it shrinks by
 * growing steps, within seconds where waits are short. (AIMD as in TCP, with a slow start: Jacobson, 1988.)
 * Times are monotonic milliseconds.
 *
 * Invariants:
 * 1. One refusal alone never spaces calls.
 * 2. The gap is 0 (none) or at most 30 s: calls never stop for longer without a pause that was asked for.
 */
export class LearntPace {
  private gapMs = 0;
  private isGuess = false;
  private wentAt = -Infinity;
  private wantedAt = -Infinity;
  private resumedAt: number | undefined;
  private accepted = 0;
  private refusedAt = -Infinity;
  private waitMs = 0;
  private last: Stretch | undefined;
  private quietFrom = 0;
  private stepMs = leastHoldMs;
  private share = firstStep;

  /** When a call that waits may go out. */
  nextAt(now: number): number {
    if (this.gapMs === 0) return now;
    if (now - Math.max(this.wantedAt, this.wentAt, this.refusedAt) > forgetMs) this.forget();
    this.wantedAt = now;
    if (this.wentAt + this.gapMs > now && now >= this.quietFrom) this.faster(now);
    return this.gapMs === 0 ? now : Math.max(now, this.wentAt + this.gapMs);
  }

  /** A call goes out. */
  went(now: number): void {
    this.wentAt = now;
    this.resumedAt ??= now;
  }

  /** A call went through that had gone out at `startedAt`. */
  passed(startedAt: number): void {
    if (startedAt > this.refusedAt) {
      this.accepted++;
      if (this.isGuess) this.shorten(this.gapMs / 2);
    } else if (this.last && startedAt >= this.last.from && this.gapMs > 0) {
      // It was under way when another was refused: the provider had room for it as well.
      this.last.accepted++;
      this.measure(this.last);
    }
  }

  /** A call was refused. */
  refused({ startedAt, waitMs, now }: RateRefusal): void {
    // Those that were under way when the first was refused are the same refusal.
    if (startedAt <= this.refusedAt) return;
    const isRepeated = startedAt <= this.refusedAt + this.waitMs + Math.max(soonMs, this.waitMs);
    if (isRepeated || this.gapMs > 0) this.slow(waitMs, now);
    else this.last = undefined;
    this.refusedAt = now;
    this.waitMs = waitMs;
    this.accepted = 0;
    this.resumedAt = undefined;
  }

  private slow(waitMs: number, now: number): void {
    const from = this.resumedAt ?? now;
    const spanMs = now + waitMs - from;
    const guessMs = Math.max(this.gapMs, waitMs) * 2;
    const leastMs = this.gapMs * slower;
    this.last = { from, spanMs, leastGapMs: leastMs, accepted: this.accepted };
    this.gapMs = Math.max(leastGapMs, Math.min(longestGapMs, guessMs));
    this.measure(this.last);
    const holdMs = Math.max(leastHoldMs, Math.min(longestHoldMs, spanMs));
    this.quietFrom = now + waitMs + holdMs;
    this.stepMs = holdMs * stepPart;
    this.share = firstStep;
  }

  private measure({ accepted, spanMs, leastGapMs: leastMs }: Stretch): void {
    this.isGuess = accepted === 0;
    if (this.isGuess) return;
    this.gapMs = Math.max(leastGapMs, Math.min(longestGapMs, Math.max(leastMs, spanMs / accepted)));
  }

  private faster(now: number): void {
    this.shorten(this.gapMs / (1 + this.share));
    this.share = Math.min(1, this.share * 2);
    this.quietFrom = now + this.stepMs;
  }

  private shorten(gapMs: number): void {
    this.gapMs = gapMs;
    if (gapMs < leastGapMs) this.forget();
  }

  private forget(): void {
    this.gapMs = 0;
    this.isGuess = false;
  }
}
