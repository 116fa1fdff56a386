/** Bounds of a {@link ConcurrencyLimit}. */
export interface ConcurrencyBounds {
  /** Calls at one time to begin with. Default: 16, or `max` if that is less. */
  readonly initial?: number | undefined;
  /** Never fewer. Default 1. */
  readonly min?: number | undefined;
  /** Never more. Default: no bound. */
  readonly max?: number | undefined;
  /** A call that takes longer, in milliseconds, is a sign that there are too many. Default: none is. */
  readonly slowAfterMs?: number | undefined;
}

/** How a call ended, as far as load is concerned: `other` says nothing about it. */
export type CallVerdict = 'ok' | 'overloaded' | 'other';

const defaultInitial = 16;
/** Factors of the decrease, when the provider refuses and when it only slows down. */
const refusedFactor = 0.5;
const slowFactor = 0.9;

/**
 * How many calls may be under way at one time: additive increase by one for as many successes as there are
 * places, while the places are used; multiplicative decrease at a refusal, or when a call was slow. Calls that
 * began before the last decrease tell of the same overload and decrease nothing. (AIMD: Chiu and Jain, 1989.)
 *
 * Invariants:
 * 1. `floor <= limit <= ceiling`.
 * 2. `inFlight` is the number of calls that began and have not ended.
 */
export class ConcurrencyLimit {
  inFlight = 0;
  private places: number;
  private bounds: ConcurrencyBounds;
  private decreasedAt = -Infinity;

  constructor(bounds: ConcurrencyBounds = {}) {
    this.bounds = bounds;
    const { initial = defaultInitial, max = Infinity } = bounds;
    this.places = this.bounded(Math.min(initial, max));
  }

  /** Calls that may be under way. */
  get limit(): number {
    return Math.floor(this.places);
  }

  get isFull(): boolean {
    return this.inFlight >= this.limit;
  }

  /** New bounds; what is under way goes on. */
  bind(bounds: ConcurrencyBounds): void {
    this.bounds = bounds;
    const { initial = defaultInitial } = bounds;
    const isUnproved = this.decreasedAt === -Infinity;
    this.places = this.bounded(isUnproved ? Math.max(initial, this.places) : this.places);
  }

  begin(): void {
    this.inFlight++;
  }

  /** A call has ended that began at `startedAt`; times are monotonic. */
  end(verdict: CallVerdict, startedAt: number, now: number): void {
    const wasUsed = this.inFlight * 2 >= this.limit;
    const peak = this.inFlight--;
    const isSlow = now - startedAt > (this.bounds.slowAfterMs ?? Infinity);
    if (verdict === 'other') return;
    if (verdict === 'ok' && !isSlow) {
      if (wasUsed) this.places = this.bounded(this.places + 1 / this.places);
      return;
    }
    if (startedAt < this.decreasedAt) return;
    this.decreasedAt = now;
    const factor = verdict === 'overloaded' ? refusedFactor : slowFactor;
    this.places = this.bounded(Math.min(this.places, peak) * factor);
  }

  private bounded(places: number): number {
    const { min = 1, max = Infinity } = this.bounds;
    return Math.max(1, Math.min(min, max), Math.min(max, places));
  }
}
