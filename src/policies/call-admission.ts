import type { Random } from '../core/random.ts';
import { ageKey } from './aging-queue.ts';
import { CallLane } from './call-lane.ts';
import type { CallLimits, LaneUse, RateShare, WaitingCall } from './call-lane.ts';
import { SharedPause } from './shared-pause.ts';

export type { CallLimits, RateShare } from './call-lane.ts';

/** Limits of a provider, and of its models. */
export interface ProviderLimits extends CallLimits {
  readonly models?: { readonly [model: string]: CallLimits } | undefined;
}

/** A wish to call. */
export interface CallWish {
  /** 1..10, higher first; raised by one for every period waited. */
  readonly priority: number;
  /** Its limits count besides those of the provider; undefined: none. */
  readonly model?: string | undefined;
  /** Input and output together, as far as known. Default 0. */
  readonly tokens?: number | undefined;
}

/** A call between its wish and its end. Only the admission looks inside. */
export interface Call<Owner> extends WaitingCall {
  readonly owner: Owner;
  readonly lane: CallLane | undefined;
  /** What it has taken; undefined: it has not gone out. */
  use: { readonly provider: LaneUse; readonly model: LaneUse | undefined; at: number } | undefined;
}

/** How a call ended. */
export interface CallResult {
  /** Tokens that it used; undefined: as many as were thought. */
  readonly tokens?: number | undefined;
  /**
   * `ok`: it went through; `limited`: refused for the rate (429); `overloaded`: refused for load (503, 529);
   * `failed`: anything else.
   */
  readonly end: 'ok' | 'limited' | 'overloaded' | 'failed';
  /** What the provider asks for after a refusal, in milliseconds; undefined: it has not said. */
  readonly retryAfterMs?: number | undefined;
  /** Limits that it names, per minute. */
  readonly announced?: {
    readonly requests?: number | undefined;
    readonly tokens?: number | undefined;
  };
}

/** Whether calls may go out: now, or only when a limit has room, or not before a pause is over. */
export type GateState = 'open' | 'throttled' | 'paused';

/** As many calls at one time as there may be. */
const unbounded = { min: Infinity };

/** Waiting time that raises a priority by one, in milliseconds: as in the governor. */
const agePeriodMs = 30_000;

/**
 * Which calls to a provider may go out, and when: rates in any minute, calls at one time, and a pause for all
 * after one was refused. A call waits behind those that come before it (priority, raised with the wait, then
 * arrival); only calls of a model whose own limit is used up let others pass. Times are monotonic milliseconds.
 * Asking, admitting and ending cost O(log n) in the calls that wait, times the models with limits.
 *
 * Invariants:
 * 1. A call waits in one lane, or has gone out, or is over; what it took is given back once.
 * 2. No window of a minute holds more requests than the least of the limits in force, and no more tokens than
 *    that, as far as they were known when the calls went out.
 */
export class CallAdmission<Owner> {
  private readonly provider: CallLane;
  private readonly others = new CallLane({ concurrency: unbounded });
  private readonly models = new Map<string, CallLane>();
  private readonly pause: SharedPause;
  private limits: ProviderLimits;
  private sequence = 0;
  private waitingCalls = 0;
  private wake = Infinity;

  constructor(limits: ProviderLimits, random: Random) {
    this.limits = limits;
    this.provider = new CallLane(limits);
    this.pause = new SharedPause(random);
  }

  get waiting(): number {
    return this.waitingCalls;
  }

  get inFlight(): number {
    return this.provider.concurrency.inFlight;
  }

  /** Calls that may be under way at one time, as it stands. */
  get concurrency(): number {
    return this.provider.concurrency.limit;
  }

  get pausedUntil(): number {
    return this.pause.endsAt;
  }

  /** Changes the limits; what is under way goes on. */
  setLimits(limits: ProviderLimits): void {
    this.limits = limits;
    this.provider.bind(limits);
    for (const [name, lane] of this.models) lane.bind(this.limitsOf(name));
  }

  /** What of the limits this process may use; the rest is for others. */
  setShare(share: RateShare): void {
    this.provider.setShare(share);
  }

  /** What was used within the last minute. */
  usedAt(now: number): RateShare {
    return this.provider.usedAt(now);
  }

  /** Tokens that a call may have at most; Infinity: any number. */
  mostTokens(model?: string): number {
    return Math.min(this.provider.tokenLimit, this.laneOf(model).tokenLimit);
  }

  request(owner: Owner, { priority, model, tokens = 0 }: CallWish, now: number): Call<Owner> {
    const lane = this.laneOf(model);
    const key = ageKey(now, priority, agePeriodMs);
    const sequence = this.sequence++;
    const call: Call<Owner> = {
      owner,
      lane,
      tokens,
      key,
      sequence,
      withdrawn: false,
      use: undefined,
    };
    lane.push(call);
    this.waitingCalls++;
    return call;
  }

  /** Takes a waiting call back; does nothing to one that has gone out. */
  withdraw(call: Call<Owner>): void {
    if (call.use || call.withdrawn) return;
    call.withdrawn = true;
    this.waitingCalls--;
  }

  /** The calls that go out now, in order. */
  admit(now: number): Call<Owner>[] {
    const admitted: Call<Owner>[] = [];
    this.wake = Infinity;
    for (let call = this.next(now); call; call = this.next(now)) {
      const lane = call.lane as CallLane;
      lane.pop();
      this.waitingCalls--;
      this.pause.went();
      const provider = this.provider.begin(call.tokens, now);
      call.use = { provider, model: lane.begin(call.tokens, now), at: now };
      admitted.push(call);
    }
    return admitted;
  }

  /** When to ask again if nothing else happens: after {@link CallAdmission.admit}; Infinity: need not be. */
  get wakeAt(): number {
    return this.wake;
  }

  stateAt(now: number): GateState {
    if (now < this.pause.endsAt) return 'paused';
    return this.waitingCalls > 0 ? 'throttled' : 'open';
  }

  /** A call that went out has ended. True: the pause was prolonged. */
  end(call: Call<Owner>, result: CallResult, now: number): boolean {
    const { use, lane } = call;
    if (!use || call.withdrawn) return false;
    call.withdrawn = true;
    const tokens = result.tokens === undefined ? 0 : result.tokens - call.tokens;
    const verdict = verdicts[result.end];
    const end = { verdict, tokens, startedAt: use.at, now };
    this.provider.end(use.provider, end);
    if (lane && use.model) lane.end(use.model, end);
    const { requests, tokens: announcedTokens } = result.announced ?? {};
    this.provider.announce(requests, announcedTokens);
    if (result.end === 'ok') this.pause.passed();
    if (result.end === 'limited')
      (lane === this.others ? this.provider : lane)?.refused(result.retryAfterMs, use.at, now);
    if (verdict !== 'overloaded') return false;
    return this.pause.refused(result.retryAfterMs, now);
  }

  /** A call that goes on was refused. True: the pause was prolonged. */
  refused(afterMs: number | undefined, now: number): boolean {
    return this.pause.refused(afterMs, now);
  }

  /** Another process was told to leave the provider alone. */
  heardOfPause(until: number, now: number): void {
    this.pause.heard(until, now);
  }

  /** The call that goes out now, if any; else notes when to look again. */
  private next(now: number): Call<Owner> | undefined {
    if (this.waitingCalls === 0) return undefined;
    const { concurrency } = this.provider;
    if (concurrency.isFull) return undefined;
    const resumesAt = this.pause.nextAt(concurrency.limit);
    if (resumesAt > now) return this.later(resumesAt);
    const call = this.firstOfLanes(now);
    if (!call) return undefined;
    const at = this.provider.admissibleAt(call.tokens, now);
    return at > now ? this.later(at) : call;
  }

  /** The first of the calls whose model has room. */
  private firstOfLanes(now: number): Call<Owner> | undefined {
    let first: Call<Owner> | undefined;
    for (const lane of [this.others, ...this.models.values()]) {
      const head = lane.head() as Call<Owner> | undefined;
      if (!head || lane.concurrency.isFull) continue;
      const at = lane.admissibleAt(head.tokens, now);
      if (at > now) this.later(at);
      else if (!first || isBefore(head, first)) first = head;
    }
    return first;
  }

  private later(at: number): undefined {
    this.wake = Math.min(this.wake, at);
    return undefined;
  }

  private laneOf(model: string | undefined): CallLane {
    if (model === undefined || !Object.hasOwn(this.limits.models ?? {}, model)) return this.others;
    const known = this.models.get(model);
    if (known) return known;
    const lane = new CallLane(this.limitsOf(model));
    this.models.set(model, lane);
    return lane;
  }

  /** Without bounds of its own, a model may use all that the provider has. */
  private limitsOf(model: string): CallLimits {
    const limits = this.limits.models?.[model] ?? {};
    return { concurrency: unbounded, ...limits };
  }
}

const verdicts = {
  ok: 'ok',
  limited: 'overloaded',
  overloaded: 'overloaded',
  failed: 'other',
} as const;

function isBefore(a: WaitingCall, b: WaitingCall): boolean {
  return a.key < b.key || (a.key === b.key && a.sequence < b.sequence);
}
