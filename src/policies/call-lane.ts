import { Heap } from '../core/heap.ts';
import type { CallVerdict, ConcurrencyBounds } from './concurrency-limit.ts';
import { ConcurrencyLimit } from './concurrency-limit.ts';
import { LearntPace } from './learnt-pace.ts';
import { LearntRate } from './learnt-rate.ts';
import { RateMeter } from './rate-limit.ts';
import type { Taken } from './rate-limit.ts';

/** What a provider, or one of its models, allows; undefined: no limit. */
export interface CallLimits {
  readonly requestsPerMinute?: number | undefined;
  /** Input and output together. */
  readonly tokensPerMinute?: number | undefined;
  readonly concurrency?: ConcurrencyBounds | undefined;
}

/** What a process may use of limits that it shares with others, per minute; Infinity: all. */
export interface RateShare {
  readonly requests: number;
  readonly tokens: number;
}

/** A call that waits. */
export interface WaitingCall {
  readonly tokens: number;
  /** Smaller goes first; see ageKey. */
  readonly key: number;
  readonly sequence: number;
  withdrawn: boolean;
}

/** What one call has taken of a lane. */
export interface LaneUse {
  readonly requests: Taken;
  readonly tokens: Taken;
}

/** What a provider that says nothing about waiting is taken to mean. */
const usualWaitMs = 1_000;

const wholeShare: RateShare = { requests: Infinity, tokens: Infinity };

/**
 * The limits of one provider, or of one of its models, and what is used of them. Times are monotonic milliseconds.
 *
 * Invariants:
 * 1. What a call takes is counted from the moment that it goes out; tokens are corrected when it has ended.
 * 2. A request is never given back: a provider counts those that it refuses as well.
 */
export class CallLane {
  readonly concurrency: ConcurrencyLimit;
  private limits: CallLimits;
  private share = wholeShare;
  private readonly requests = new RateMeter();
  private readonly refusals = new RateMeter();
  private readonly tokens = new RateMeter();
  private readonly learnt = new LearntRate();
  private readonly pace = new LearntPace();
  private announcedTokens = Infinity;
  private readonly calls = new Heap<WaitingCall>(
    (a, b) => a.key < b.key || (a.key === b.key && a.sequence < b.sequence),
  );

  constructor(limits: CallLimits) {
    this.limits = limits;
    this.concurrency = new ConcurrencyLimit(limits.concurrency);
  }

  bind(limits: CallLimits): void {
    this.limits = limits;
    this.concurrency.bind(limits.concurrency ?? {});
  }

  setShare(share: RateShare): void {
    this.share = share;
  }

  push(call: WaitingCall): void {
    this.calls.push(call);
  }

  pop(): void {
    this.calls.pop();
  }

  /** The call that comes first. */
  head(): WaitingCall | undefined {
    for (let call = this.calls.peek(); call; call = this.calls.peek()) {
      if (!call.withdrawn) return call;
      this.calls.pop();
    }
    return undefined;
  }

  /** Tokens per minute that are not shared with anybody: more than this can never go out at one time. */
  get tokenLimit(): number {
    return Math.min(this.limits.tokensPerMinute ?? Infinity, this.announcedTokens);
  }

  /**
   * When a call of so many tokens stays within the rates; Infinity: not before something changes. One that waited
   * while the provider named a limit below its tokens goes out into an empty minute: it would wait for ever.
   */
  admissibleAt(tokens: number, now: number): number {
    const most = Math.min(this.tokenLimit, this.share.tokens);
    const amount = Math.min(tokens, this.tokenLimit);
    return Math.max(this.requestAt(now), this.tokens.admissibleAt(amount, most, now));
  }

  private requestAt(now: number): number {
    if (!this.isRateKnown) return this.pace.nextAt(now);
    const { requestsPerMinute = Infinity } = this.limits;
    const declared = Math.min(requestsPerMinute, this.share.requests);
    let requestAt = this.requests.admissibleAt(1, Math.min(declared, this.learnt.limit), now);
    if (requestAt > now && this.learnt.limit < declared) {
      this.learnt.wanted(requestsPerMinute, now);
      requestAt = this.requests.admissibleAt(1, Math.min(declared, this.learnt.limit), now);
    }
    return requestAt;
  }

  /** Somebody has named a rate of requests: the document, the process, or the provider itself. */
  private get isRateKnown(): boolean {
    const { requestsPerMinute = Infinity } = this.limits;
    return Math.min(requestsPerMinute, this.share.requests, this.learnt.ceiling) < Infinity;
  }

  begin(tokens: number, now: number): LaneUse {
    this.concurrency.begin();
    this.pace.went(now);
    return { requests: this.requests.take(1, now), tokens: this.tokens.take(tokens, now) };
  }

  /** A call has ended; `tokens`: how many more it used than was thought. */
  end(use: LaneUse, end: { verdict: CallVerdict; tokens: number; startedAt: number; now: number }) {
    this.concurrency.end(end.verdict, end.startedAt, end.now);
    if (end.verdict === 'ok') {
      this.learnt.passed();
      this.pace.passed(end.startedAt);
    }
    if (end.tokens !== 0) this.tokens.correct(use.tokens, end.tokens, end.now);
  }

  /** The provider has refused a call for its rate that had gone out at `startedAt`. */
  refused(waitMs: number | undefined, startedAt: number, now: number): void {
    const askedMs = waitMs ?? usualWaitMs;
    this.refusals.take(1, now);
    this.pace.refused({ startedAt, waitMs: askedMs, now });
    // A window of a minute is only believed in where somebody has named one.
    if (!this.isRateKnown) return;
    const accepted = this.requests.usedAt(now) - this.refusals.usedAt(now);
    this.learnt.refused(accepted, askedMs, now);
  }

  /** The provider has named its limits. */
  announce(requests: number | undefined, tokens: number | undefined): void {
    this.learnt.announce(requests);
    if (tokens !== undefined) this.announcedTokens = tokens;
  }

  /** What was used within the last minute. */
  usedAt(now: number): RateShare {
    return { requests: this.requests.usedAt(now), tokens: this.tokens.usedAt(now) };
  }
}
