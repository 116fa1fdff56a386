import { rateWindowMs } from './rate-limit.ts';

/** Refusals in a row for which the wait that the provider asks for is believed; as many again halve the belief. */
const trustedRefusals = 5;

/** Time without a refusal before a lowered rate is tried a little higher, in milliseconds. */
const holdMs = 60_000;

/** Time from one such step to the next. */
const stepMs = 15_000;

/** First step: this part of the ceiling, else of the rate itself. Each quiet step doubles the next one. */
const firstStep = 0.05;

/**
 * The rate that a provider really allows, per minute, as far as its answers tell. A refusal lowers it to what
 * was accepted within the last minute, but not below half a call in the time that the provider asks to wait, as
 * long as that proves to be true; after a quiet time it grows again by steps while it is the limit that
 * calls wait for: additive increase with growing steps. A provider that halves its limit and doubles it again
 * is followed within a few minutes. Starts as not known: Infinity.
 *
 * Invariant: the rate is at least 1 and at most what the provider announces, if it announces anything.
 */
export class LearntRate {
  private rate = Infinity;
  private announced = Infinity;
  private quietFrom = 0;
  private share = firstStep;
  private inVain = 0;

  /** Calls per minute. */
  get limit(): number {
    return Math.max(1, Math.min(Math.floor(this.rate), this.announced));
  }

  /** What the provider has named, per minute; Infinity: nothing. */
  get ceiling(): number {
    return this.announced;
  }

  /**
   * A call was refused for its rate.
   * @param accepted calls of the last minute that were not
   * @param waitMs what the provider asks for
   */
  refused(accepted: number, waitMs: number, now: number): void {
    const doubts = Math.floor(this.inVain++ / trustedRefusals);
    const asked = rateWindowMs / Math.max(1, waitMs) / 2 ** (1 + doubts);
    this.rate = Math.max(1, Math.min(this.rate, Math.max(accepted, asked)));
    this.quietFrom = now + holdMs;
    this.share = firstStep;
  }

  /** A call went through. */
  passed(): void {
    this.inVain = 0;
  }

  /** The provider has named its limit; what is not above 0 is no limit. */
  announce(limit: number | undefined): void {
    if (limit !== undefined && limit > 0) this.announced = limit;
  }

  /** Calls wait for this rate. @param ceiling what is allowed in any case; Infinity: not known. */
  wanted(ceiling: number, now: number): void {
    if (this.rate === Infinity || now < this.quietFrom) return;
    const basis = ceiling === Infinity ? this.rate : ceiling;
    this.rate = Math.min(ceiling, this.rate + Math.max(1, basis * this.share));
    this.share = Math.min(1, this.share * 2);
    this.quietFrom = now + stepMs;
    if (this.rate === ceiling) this.rate = Infinity;
  }
}
