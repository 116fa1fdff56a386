import { TroupeError } from '../../core/errors.js';
import { addSpend, isSpend, noSpend } from '../../policies/budget.js';
import { announcedLimit, retryAfterMs } from '../../policies/retry-after.js';
/**
 * The calls to providers of one attempt on a worker host: by the gates of this host, whose limits are shared with
 * others over the bus.
 *
 * Invariants: a call is in `open` from its wish to its end; after `close` none waits or holds a place.
 */
export class HostCalls {
  options;
  open = new Map();
  total = noSpend();
  tickets = 0;
  closedBy;
  constructor(options) {
    this.options = options;
  }
  /** Everything spent so far; undefined: nothing. */
  get spending() {
    return isSpend(this.total) ? { ...this.total } : undefined;
  }
  async admit(wish) {
    if (this.closedBy) throw this.closedBy;
    const gate = this.options.gate(wish);
    const ticket = ++this.tickets;
    const open = { gate, call: undefined, refuse: undefined };
    this.open.set(ticket, open);
    const { priority } = this.options;
    const { model, tokens = 0 } = wish;
    await new Promise((resolve, reject) => {
      open.refuse = reject;
      try {
        open.call = gate.enter({ priority, model, tokens }, () => {
          open.refuse = undefined;
          resolve();
        });
      } catch (error) {
        this.open.delete(ticket);
        reject(error);
      }
    });
    return ticket;
  }
  ended(ticket, { end, usage, headers, ...wait }) {
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
  refused(call, afterMs) {
    if (!this.closedBy) this.options.gate(call).refused(afterMs);
  }
  spent(usage) {
    const before = JSON.stringify(this.total);
    addSpend(this.total, usage);
    if (JSON.stringify(this.total) !== before) this.options.spent({ ...this.total });
  }
  close() {
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
