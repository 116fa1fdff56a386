import { callWindow } from './call-window.ts';
import type { CallWindow } from './call-window.ts';
import type { BreakerRule } from '../workflow/breaker.ts';

/** Closed lets every call through, open none, half open a few. */
export type BreakerState = 'closed' | 'open' | 'half_open';

/** A call that was let through; give it back with its result. */
export interface BreakerPermit {
  /** Number of the state in which it was let through. */
  readonly turn: number;
  readonly at: number;
}

/** How a call ended: `withdrawn` says nothing of whoever was called. */
export interface BreakerResult {
  readonly end: 'succeeded' | 'failed' | 'withdrawn';
  /** How long whoever refused wants to be left alone, milliseconds. */
  readonly retryAfterMs?: number | undefined;
}

/** The longest that a Retry-After may hold a breaker open. */
const maxRetryAfterMs = 3_600_000;

/**
 * A circuit breaker (Nygard, Release It!, 2007; parameters of resilience4j). Times are milliseconds of any clock
 * that does not go back. A half-open breaker decides as soon as the results that are still out cannot change it.
 *
 * Invariants:
 * 1. Open lets nothing through; half open at most `halfOpenCalls` calls that have not been withdrawn.
 * 2. It goes from closed to open, from open to half open, and from there to closed or open; `trip` opens it anywhere.
 * 3. The result of a call that was let through in an earlier state changes no count.
 */
export class Breaker {
  private rule: BreakerRule;
  private state: BreakerState = 'closed';
  /** Counts states, so that results of earlier ones are known by it. */
  private turn = 0;
  private window: CallWindow;
  private openUntil = -Infinity;
  /** Half open: calls let through and not withdrawn, and what came of them. */
  private let = 0;
  private failed = 0;
  private slow = 0;
  private done = 0;

  constructor(rule: BreakerRule) {
    this.rule = rule;
    this.window = callWindow(rule.window);
  }

  /** The state now. An open one that has waited long enough is half open. */
  stateAt(now: number): BreakerState {
    if (this.state === 'open' && now >= this.openUntil) this.halfOpen();
    return this.state;
  }

  /** When an open breaker lets calls try; undefined: it is not open. */
  get reopensAt(): number | undefined {
    return this.state === 'open' ? this.openUntil : undefined;
  }

  /** Whether a call would be let through now. */
  allows(now: number): boolean {
    const state = this.stateAt(now);
    return state === 'closed' || (state === 'half_open' && this.let < this.rule.halfOpenCalls);
  }

  /** Lets a call through; undefined: it does not. */
  ask(now: number): BreakerPermit | undefined {
    if (!this.allows(now)) return undefined;
    if (this.state === 'half_open') this.let++;
    return { turn: this.turn, at: now };
  }

  /** A call that was let through has ended. */
  report(permit: BreakerPermit, { end, retryAfterMs = 0 }: BreakerResult, now: number): void {
    const isOfNow = permit.turn === this.turn;
    if (isOfNow && end === 'withdrawn' && this.state === 'half_open') this.let--;
    if (isOfNow && end !== 'withdrawn') this.count(end === 'failed', now - permit.at, now);
    if (end === 'failed' && this.state === 'open') this.lengthen(now, retryAfterMs);
  }

  /** Opens it, whatever the rates are; one that is open stays so from now on as long as a fresh one. */
  trip(now: number): void {
    this.stateAt(now);
    this.open(now);
  }

  /** Another rule from now on. Results so far are kept where the window is the same. */
  setRule(rule: BreakerRule): void {
    const isSame = JSON.stringify(rule.window) === JSON.stringify(this.rule.window);
    if (!isSame) this.window = callWindow(rule.window);
    this.rule = rule;
  }

  private count(failed: boolean, durationMs: number, now: number): void {
    const { slowCallMs = Infinity } = this.rule;
    const slow = durationMs >= slowCallMs;
    if (this.state === 'half_open') return this.countTry(failed, slow, now);
    this.window.note({ failed, slow, durationMs }, now);
    const { calls, failed: failures, slow: slowCalls } = this.window.sums(now);
    if (calls < this.rule.minimumCalls) return;
    if (this.isTooMuch(failures, slowCalls, calls)) this.open(now);
  }

  private countTry(failed: boolean, slow: boolean, now: number): void {
    const calls = this.rule.halfOpenCalls;
    this.done++;
    if (failed) this.failed++;
    if (slow) this.slow++;
    const left = Math.max(0, calls - this.done);
    if (this.isTooMuch(this.failed, this.slow, calls)) this.open(now);
    else if (!this.isTooMuch(this.failed + left, this.slow + left, calls)) this.close();
  }

  private isTooMuch(failed: number, slow: number, calls: number): boolean {
    const { failureRate, slowCallRate, slowCallMs } = this.rule;
    const isTooSlow = slowCallMs !== undefined && slow >= slowCallRate * calls;
    return failed >= failureRate * calls || isTooSlow;
  }

  private lengthen(now: number, byMs: number): void {
    this.openUntil = Math.max(this.openUntil, now + Math.min(maxRetryAfterMs, byMs));
  }

  private open(now: number): void {
    this.enter('open');
    this.openUntil = now + this.rule.waitMs;
  }

  private halfOpen(): void {
    this.enter('half_open');
    this.let = 0;
    this.failed = 0;
    this.slow = 0;
    this.done = 0;
  }

  private close(): void {
    this.enter('closed');
  }

  private enter(state: BreakerState): void {
    this.state = state;
    this.turn++;
    this.window.clear();
  }
}
