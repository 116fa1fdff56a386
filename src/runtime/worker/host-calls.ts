import type { GateCall, ProviderGate } from '../../actors/provider-gate.ts';
import type { CallEnd, CallPort, ProviderCall, Usage } from '../../actors/behaviours/behaviour.ts';
import type { Clock } from '../../core/clock.ts';
import { TroupeError } from '../../core/errors.ts';
import { addSpend, isSpend, noSpend } from '../../policies/budget.ts';
import type { Spend } from '../../policies/budget.ts';
import { announcedLimit, retryAfterMs } from '../../policies/retry-after.ts';

/** What the calls of one attempt need of their host. */
export interface HostCallsOptions {
  readonly clock: Clock;
  readonly priority: number;
  gate(call: ProviderCall): ProviderGate;
  /** Something more was spent; `total` is everything so far. */
  spent(total: Spend): void;
}

interface OpenCall {
  readonly gate: ProviderGate;
  call: GateCall | undefined;
  refuse: ((reason: TroupeError) => void) | undefined;
}

/**
 * The calls to providers of one attempt on a worker host: by the gates of this host, whose limits are shared with
 * others over the bus.
 *
 * Invariants: a call is in `open` from its wish to its end; after `close` none waits or holds a place.
 */
export class HostCalls implements CallPort {
  private readonly options: HostCallsOptions;
  private readonly open = new Map<number, OpenCall>();
  private readonly total = noSpend();
  private tickets = 0;
  private closedBy: TroupeError | undefined;

  constructor(options: HostCallsOptions) {
    this.options = options;
  }

  /** Everything spent so far; undefined: nothing. */
  get spending(): Spend | undefined {
    return isSpend(this.total) ? { ...this.total } : undefined;
  }

  async admit(wish: ProviderCall): Promise<number> {
    if (this.closedBy) throw this.closedBy;
    const gate = this.options.gate(wish);
    const ticket = ++this.tickets;
    const open: OpenCall = { gate, call: undefined, refuse: undefined };
    this.open.set(ticket, open);
    const { priority } = this.options;
    const { model, tokens = 0 } = wish;
    await new Promise<void>((resolve, reject) => {
      open.refuse = reject;
      try {
        open.call = gate.enter({ priority, model, tokens }, () => {
          open.refuse = undefined;
          resolve();
        });
      } catch (error) {
        this.open.delete(ticket);
        reject(error as Error);
      }
    });
    return ticket;
  }

  ended(ticket: number, { end, usage, headers, ...wait }: CallEnd): void {
    if (usage) this.spent(usage);
    const open = this.open.get(ticket);
    if (!open?.call) return;
    this.open.delete(ticket);
    const tokens = usage && (usage.input_tokens ?? 0) + (usage.output_tokens ?? 0);
    open.gate.leave(open.call, {
      end,
      tokens,
      retryAfterMs: retryAfterMs({ ...wait, headers }, this.options.clock.now()),
      announced: {
        requests: announcedLimit(headers, 'requests'),
        tokens: announcedLimit(headers, 'tokens'),
      },
    });
  }

  refused(call: ProviderCall, afterMs: number | undefined): void {
    if (!this.closedBy) this.options.gate(call).refused(afterMs);
  }

  spent(usage: Usage): void {
    const before = JSON.stringify(this.total);
    addSpend(this.total, usage);
    if (JSON.stringify(this.total) !== before) this.options.spent({ ...this.total });
  }

  close(): void {
    const reason = new TroupeError('TRP_ATTEMPT_CANCELLED', 'The attempt has ended.', {
      errorClass: 'cancelled',
    });
    this.closedBy = reason;
    for (const { gate, call, refuse } of this.open.values()) {
      refuse?.(reason);
      if (call && refuse) gate.withdraw(call);
      else if (call) gate.leave(call, { end: 'failed' });
    }
    this.open.clear();
  }
}
