import type {
  AttemptRequest,
  CallEnd,
  CallPort,
  OutboundCall,
  ProviderCall,
  Usage,
} from '../../actors/behaviours/behaviour.ts';
import type { GateCall, ProviderGate } from '../../actors/provider-gate.ts';
import { TroupeError } from '../../core/errors.ts';
import { addSpend, isSpend, noSpend } from '../../policies/budget.ts';
import type { Spend } from '../../policies/budget.ts';
import type { CallResult } from '../../policies/call-admission.ts';
import { announcedLimit, retryAfterMs } from '../../policies/retry-after.ts';
import { pauseClock, resumeClock } from './attempt-clock.ts';
import { budgetError } from './budget.ts';
import { breakersOf, callRefusal, callResult, passAll, shutOf } from './call-breakers.ts';
import type { CallPassage } from './call-breakers.ts';
import type { RunBreaker } from './breaker-port.ts';
import type { RunCore } from './core.ts';
import type { ProviderCounts } from './provider-tally.ts';

interface OpenCall {
  readonly provider: string;
  readonly gate: ProviderGate;
  call: GateCall | undefined;
  /** Set while it waits. */
  refuse: ((reason: TroupeError) => void) | undefined;
}

/**
 * The calls of one attempt to providers, wherever it runs. The attempt keeps its permits while it waits: what
 * it waits for is held by calls under way, which wait for nothing.
 *
 * Invariants:
 * 1. A call is in `open` from its wish until it has ended or was refused.
 * 2. After `close`, no call of this attempt waits or holds a place, and none is let out.
 * 3. The attempt's clock stands still exactly while one of its calls waits.
 */
export class AttemptCalls implements CallPort {
  private readonly core: RunCore;
  private readonly request: AttemptRequest;
  private readonly open = new Map<number, OpenCall>();
  /** What breakers have let through, by ticket. */
  private readonly passages = new Map<number, CallPassage>();
  /** Calls that wait for a breaker. */
  private readonly blocked = new Set<(reason: TroupeError) => void>();
  private tickets = 0;
  private waiting = 0;
  private refusal: TroupeError | undefined;
  private closed = false;
  readonly total: Spend = noSpend();

  constructor(core: RunCore, request: AttemptRequest) {
    this.core = core;
    this.request = request;
  }

  async admit(call: OutboundCall): Promise<number> {
    const breakers = breakersOf(this.core, call);
    const ticket = ++this.tickets;
    this.check();
    if (breakers.length === 0) {
      if ('provider' in call) await this.enterGate(ticket, call);
      return ticket;
    }
    for (;;) {
      await this.untilAllowed(breakers);
      this.check();
      if ('provider' in call) await this.enterGate(ticket, call);
      const passage = passAll(breakers);
      if (passage) {
        this.passages.set(ticket, passage);
        return ticket;
      }
      this.leaveGate(ticket);
    }
  }

  ended(ticket: number, end: CallEnd): void {
    // Before the next call is let out: it may be one that the budget has no more for.
    if (end.usage) this.spent(end.usage);
    this.passages.get(ticket)?.over(callResult(end, this.refusal, this.core.services.clock.now()));
    this.passages.delete(ticket);
    const open = this.open.get(ticket);
    if (!open?.call) return;
    this.open.delete(ticket);
    const isRefusal = end.end === 'limited' || end.end === 'overloaded';
    if (isRefusal) this.countsOf(open.provider).refused++;
    this.paused(open.provider, open.gate, open.gate.leave(open.call, this.resultOf(end)));
  }

  refused(call: ProviderCall, afterMs: number | undefined): void {
    if (this.refusal) return;
    const gate = this.core.services.providers.gate(this.core.run, call);
    this.paused(call.provider, gate, gate.refused(afterMs));
  }

  spent(usage: Usage): void {
    const { task, attempt, agent } = this.request;
    const spend = noSpend();
    addSpend(spend, usage);
    if (!isSpend(spend)) return;
    addSpend(this.total, spend);
    this.core.self.send({ type: 'spend.reported', task, attempt, agent: agent.id, spend });
  }

  /** No call of this attempt is let out any more; those that wait are refused. Those under way go on. */
  refuse(reason: TroupeError): void {
    this.refusal ??= reason;
    const blocked = [...this.blocked];
    for (const refuse of blocked) refuse(reason);
    for (const [ticket, { refuse }] of this.open) {
      if (!refuse) continue;
      this.open.delete(ticket);
      refuse(reason);
    }
  }

  /** The attempt is over. */
  close(): void {
    const { task } = this.request;
    this.closed = true;
    const why = this.refusal;
    const now = this.core.services.clock.now();
    for (const passage of this.passages.values())
      passage.over(why ? callResult({ end: 'failed' }, why, now) : { end: 'withdrawn' });
    this.passages.clear();
    this.refuse(
      new TroupeError('TRP_ATTEMPT_CANCELLED', 'The attempt has ended.', {
        place: task,
        errorClass: 'cancelled',
      }),
    );
    for (const { gate, call } of this.open.values()) if (call) gate.leave(call, { end: 'failed' });
    this.open.clear();
  }

  /** @throws TroupeError when no call of this attempt is let out any more */
  private check(): void {
    const refusal = this.refusal ?? budgetError(this.core, this.request.agent.id);
    if (refusal) throw refusal;
  }

  private enterGate(ticket: number, call: ProviderCall): Promise<void> {
    const { provider } = call;
    const gate = this.core.services.providers.gate(this.core.run, call);
    return this.enter(ticket, { provider, gate, call: undefined, refuse: undefined }, call);
  }

  /** A breaker has opened while the call waited at the gate. */
  private leaveGate(ticket: number): void {
    const open = this.open.get(ticket);
    this.open.delete(ticket);
    if (open?.call) open.gate.leave(open.call, { end: 'failed' });
  }

  private async untilAllowed(breakers: readonly RunBreaker[]): Promise<void> {
    for (let shut = shutOf(breakers); shut; shut = shutOf(breakers)) {
      if (shut.whenOpen !== 'wait') throw callRefusal(shut, this.core.services.clock.now());
      await this.untilReady(shut);
    }
  }

  private untilReady({ breaker }: RunBreaker): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        stop();
        this.blocked.delete(refuse);
        this.waits(-1);
      };
      const refuse = (reason: TroupeError): void => {
        leave();
        reject(reason);
      };
      const stop = breaker.wait(() => {
        leave();
        resolve();
      });
      this.blocked.add(refuse);
      this.waits(1);
    });
  }

  private enter(ticket: number, open: OpenCall, { model, tokens }: ProviderCall): Promise<void> {
    const { core, request } = this;
    const priority = core.priorityOf(request.task);
    const counts = this.countsOf(open.provider);
    const { clock } = core.services;
    const since = clock.monotonic();
    return new Promise((resolve, reject) => {
      const granted = (): void => {
        counts.calls++;
        counts.waitMs += clock.monotonic() - since;
        if (open.refuse) this.waits(-1);
        open.refuse = undefined;
        resolve();
      };
      this.open.set(ticket, open);
      let isGranted = false;
      try {
        open.call = open.gate.enter({ priority, model, tokens: amountOf(tokens) }, () => {
          isGranted = true;
          granted();
        });
      } catch (error) {
        this.open.delete(ticket);
        return reject(error as Error);
      }
      if (isGranted) return;
      this.waits(1);
      open.refuse = (reason) => {
        counts.waitMs += clock.monotonic() - since;
        this.waits(-1);
        if (open.call) open.gate.withdraw(open.call);
        reject(reason);
      };
    });
  }

  private countsOf(provider: string): ProviderCounts {
    return this.core.tally.of(provider);
  }

  /** Refusals that only draw a pause out a little are not told one by one. */
  private paused(provider: string, gate: ProviderGate, prolongedMs: number): void {
    if (prolongedMs <= 0) return;
    this.countsOf(provider).pausedMs += prolongedMs;
    const forMs = gate.pausedForMs;
    const { run, services } = this.core;
    if (prolongedMs * 2 >= forMs) services.paused?.(run, provider, Math.round(forMs));
  }

  private waits(change: 1 | -1): void {
    const { core, request } = this;
    const { task, attempt } = request;
    this.waiting += change;
    // A hedge has a timeout of its own, which nothing holds up.
    const live = core.live.get(task);
    if (live?.request?.attempt !== attempt) return;
    if (change === 1 && this.waiting === 1) pauseClock(core, live);
    if (this.waiting === 0 && !this.closed) resumeClock(core, task, attempt);
  }

  private resultOf({ end, usage, headers, ...wait }: CallEnd): CallResult {
    const { input_tokens: input, output_tokens: output } = usage ?? {};
    return {
      end,
      tokens:
        input === undefined && output === undefined
          ? undefined
          : amountOf(input) + amountOf(output),
      retryAfterMs: retryAfterMs({ ...wait, headers }, this.core.services.clock.now()),
      announced: {
        requests: announcedLimit(headers, 'requests'),
        tokens: announcedLimit(headers, 'tokens'),
      },
    };
  }
}

/** What a function says may be anything. */
function amountOf(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : 0;
}
