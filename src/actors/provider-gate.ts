import type { Clock, TimerHandle } from '../core/clock.ts';
import { TroupeError } from '../core/errors.ts';
import type { Random } from '../core/random.ts';
import { CallAdmission } from '../policies/call-admission.ts';
import type {
  Call,
  CallResult,
  CallWish,
  GateState,
  ProviderLimits,
  RateShare,
} from '../policies/call-admission.ts';
import { setup } from './xstate.ts';

/** Which gate the machine stands for. */
export interface ProviderGateInput {
  readonly provider: string;
  /** Whose limits are counted; empty: nobody's in particular. */
  readonly key: string;
}

/** Every message that a gate may receive. */
export type ProviderGateEvent =
  | { readonly type: 'gate.open' }
  | { readonly type: 'gate.throttled' }
  | { readonly type: 'gate.paused' }
  | { readonly type: 'gate.close' };

const gateSetup = setup({
  types: {} as {
    context: ProviderGateInput;
    events: ProviderGateEvent;
    input: ProviderGateInput;
  },
});

/**
 * The way out to one provider and key: open while every call goes out at once, throttled while calls wait for
 * a limit, paused after the provider has refused one. It decides nothing; {@link ProviderGate} counts.
 */
export const providerGateMachine = gateSetup.createMachine({
  id: 'provider_gate',
  context: ({ input }) => input,
  initial: 'open',
  on: { 'gate.close': '.closed' },
  states: {
    open: { on: { 'gate.throttled': 'throttled', 'gate.paused': 'paused' } },
    throttled: { on: { 'gate.open': 'open', 'gate.paused': 'paused' } },
    paused: { on: { 'gate.open': 'open', 'gate.throttled': 'throttled' } },
    closed: { type: 'final' },
  },
});

/** Called when a call may go out. */
type Granted = () => void;

/** A call that waits at a gate or has passed it. */
export type GateCall = Call<Granted>;

/** What a gate is made from. */
export interface ProviderGateOptions extends ProviderGateInput {
  readonly actor: { send(event: ProviderGateEvent): void };
  readonly clock: Clock;
  readonly random: Random;
  readonly limits: ProviderLimits;
}

/** Whoever shares a gate's limits with other processes. */
export interface GateWatcher {
  /** Calls wait, go out or have ended. */
  changed(): void;
  /** The provider wants to be left alone for so long. */
  paused(forMs: number): void;
}

/**
 * Where attempts ask to call a provider, and tell how the call ended. It tells the machine only of changes of
 * state. One timer, and that only while calls wait.
 *
 * Invariants:
 * 1. `granted` is called at most once for a call, and never after `withdraw`.
 * 2. After every change, whatever may go out has gone out.
 */
export class ProviderGate {
  private readonly options: ProviderGateOptions;
  private readonly admission: CallAdmission<Granted>;
  private state: GateState = 'open';
  private timer: TimerHandle;
  private timerAt = Infinity;
  private watcher: GateWatcher | undefined;
  private closed = false;

  constructor(options: ProviderGateOptions) {
    this.options = options;
    this.admission = new CallAdmission(options.limits, options.random);
  }

  get waiting(): number {
    return this.admission.waiting;
  }

  get inFlight(): number {
    return this.admission.inFlight;
  }

  /** Calls that may be under way at one time, as it stands. */
  get concurrency(): number {
    return this.admission.concurrency;
  }

  /**
   * Asks to call. `granted` is called at once, or as soon as the limits allow it.
   * @throws TroupeError TRP_WORKFLOW_UNSATISFIABLE for more tokens than a minute has
   */
  enter(wish: CallWish, granted: Granted): GateCall {
    const most = this.admission.mostTokens(wish.model);
    if ((wish.tokens ?? 0) > most) throw this.unsatisfiable(wish.tokens ?? 0, most);
    const call = this.admission.request(granted, wish, this.now());
    this.changed();
    return call;
  }

  /** Takes a waiting call back; does nothing to one that has gone out. */
  withdraw(call: GateCall): void {
    this.admission.withdraw(call);
    this.changed();
  }

  /** A call that went out has ended. Gives by how much that has prolonged the pause, in milliseconds. */
  leave(call: GateCall, result: CallResult): number {
    return this.hold((now) => this.admission.end(call, result, now));
  }

  /**
   * The provider refuses calls for a while, as one that goes on has heard; undefined: it has not said how long.
   * Gives by how much that has prolonged the pause, in milliseconds.
   */
  refused(afterMs: number | undefined): number {
    return this.hold((now) => this.admission.refused(afterMs, now));
  }

  /** How long the pause still lasts, in milliseconds; 0: there is none. */
  get pausedForMs(): number {
    return Math.max(0, this.admission.pausedUntil - this.now());
  }

  setLimits(limits: ProviderLimits): void {
    this.admission.setLimits(limits);
    this.changed();
  }

  /** The part of the limits that is this process's own for now. */
  setShare(share: RateShare): void {
    this.admission.setShare(share);
    this.changed();
  }

  /** Another process was told to leave the provider alone for so long. */
  heardOfPause(forMs: number): void {
    const now = this.now();
    this.admission.heardOfPause(now + forMs, now);
    this.changed();
  }

  /** Requests and tokens of the last minute. */
  used(): RateShare {
    return this.admission.usedAt(this.now());
  }

  watch(watcher: GateWatcher): void {
    this.watcher = watcher;
  }

  /** Lets nothing out any more; whoever waits is to be told by others. */
  close(): void {
    this.closed = true;
    this.disarm();
    this.options.actor.send({ type: 'gate.close' });
  }

  private hold(isPauseAt: (now: number) => boolean): number {
    const now = this.now();
    const before = Math.max(now, this.admission.pausedUntil);
    const isPause = isPauseAt(now);
    this.changed();
    if (!isPause) return 0;
    const { pausedUntil } = this.admission;
    this.watcher?.paused(pausedUntil - now);
    return Math.max(0, pausedUntil - before);
  }

  private changed(): void {
    if (this.closed) return;
    const now = this.now();
    for (const { owner } of this.admission.admit(now)) owner();
    this.arm(now);
    this.tell(this.admission.stateAt(now));
    this.watcher?.changed();
  }

  private arm(now: number): void {
    const at = this.admission.waiting > 0 ? this.admission.wakeAt : Infinity;
    if (at === this.timerAt) return;
    this.disarm();
    if (at === Infinity) return;
    this.timerAt = at;
    // A timer may fire a little early: it is set anew then.
    const delayMs = Math.max(1, Math.ceil(at - now));
    this.timer = this.options.clock.setTimeout(() => {
      this.timerAt = Infinity;
      this.changed();
    }, delayMs);
  }

  private disarm(): void {
    if (this.timerAt !== Infinity) this.options.clock.clearTimeout(this.timer);
    this.timerAt = Infinity;
  }

  private tell(state: GateState): void {
    if (state === this.state) return;
    this.state = state;
    this.options.actor.send({ type: `gate.${state}` });
  }

  private now(): number {
    return this.options.clock.monotonic();
  }

  private unsatisfiable(tokens: number, most: number): TroupeError {
    const { provider } = this.options;
    return new TroupeError(
      'TRP_WORKFLOW_UNSATISFIABLE',
      `A call of ${tokens} tokens can never go out: ${provider} allows ${most} per minute.`,
      { place: provider },
    );
  }
}
