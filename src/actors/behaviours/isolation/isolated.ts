import type { Clock } from '../../../core/clock.ts';
import { errorInfo, TroupeError } from '../../../core/errors.ts';
import { toPlain } from '../../../core/plain.ts';
import type { MemoryChange } from '../../../journal/record.ts';
import { AbortWatch } from '../abort-watch.ts';
import { attemptError } from '../attempt-error.ts';
import type { AttemptPort, AttemptRequest, AttemptResult, Behaviour } from '../behaviour.ts';
import { copyMemory } from '../memory-copy.ts';
import type { Carrier, CarrierSource } from './carrier.ts';
import type { Order, Report } from './protocol.ts';

/**
 * Functions in threads or processes of their own. On abort the function is told, and its carrier ended
 * after `limits.killAfterMs`, endless loop or not. A carrier that dies (out of memory, exit, signal) is
 * TRP_ATTEMPT_LOST of class lost; an error that nobody caught inside is the attempt's own failure.
 */
export function createIsolatedBehaviour(source: CarrierSource, clock: Clock): Behaviour {
  let attempts = 0;
  return {
    async execute(request, port) {
      refuseHostFunction(request, source);
      try {
        return await new IsolatedAttempt(++attempts, { request, port, source, clock }).settle();
      } catch (thrown) {
        throw attemptError(thrown, clock.now());
      }
    },
    close: () => source.close(),
  };
}

function refuseHostFunction({ agent }: AttemptRequest, { kind }: CarrierSource): void {
  if (!agent.module?.startsWith('host:')) return;
  throw new TroupeError(
    'TRP_WORKFLOW_MODULE',
    `A function of the host cannot run in a ${kind} of its own.`,
    {
      place: agent.module,
      hint: 'Put it into a module, or set isolate: inline.',
    },
  );
}

interface AttemptParts {
  readonly request: AttemptRequest;
  readonly port: AttemptPort;
  readonly source: CarrierSource;
  readonly clock: Clock;
}

interface Settle {
  resolve(result: AttemptResult): void;
  reject(reason: unknown): void;
}

/**
 * Invariants:
 * 1. The attempt settles once its carrier is idle (ended in order) or gone (everything else).
 * 2. A carrier that was killed, or in which an error went uncaught, is never used again.
 * 3. Reports of other attempts are ignored.
 */
class IsolatedAttempt {
  private readonly id: number;
  private readonly parts: AttemptParts;
  private readonly order: Order;
  private readonly carrier: Carrier;
  private inOrder = false;

  constructor(id: number, parts: AttemptParts) {
    this.id = id;
    this.parts = parts;
    this.order = { type: 'run', request: { ...parts.request, memory: copyMemory(parts.request) } };
    this.carrier = parts.source.take(parts.request);
  }

  async settle(): Promise<AttemptResult> {
    const { request, port, source, clock } = this.parts;
    const { killAfterMs } = request.agent.limits;
    const ask = (reason: unknown): void => this.post({ type: 'abort', reason: errorInfo(reason) });
    const outcome = this.outcome();
    this.post(this.order);
    const watch = new AbortWatch(
      port,
      { ask, force: () => this.carrier.kill() },
      { clock, killAfterMs },
    );
    try {
      return await outcome;
    } catch (thrown) {
      throw watch.aborted ? watch.reason : thrown;
    } finally {
      await this.letGo(source, request);
      watch.stop();
    }
  }

  private outcome(): Promise<AttemptResult> {
    return new Promise((resolve, reject) => {
      this.carrier.listen({
        onReport: ({ id, body }) => {
          if (id === this.id) this.take(body, { resolve, reject });
        },
        onEnd: (how) => reject(this.lost(how)),
      });
    });
  }

  private take(report: Report, settle: Settle): void {
    if (report.type === 'progress') this.parts.port.progress(report.progress);
    else if (report.type === 'step') void this.recordStep(report);
    else if (report.type === 'call') void this.admitCall(report);
    else if (report.type === 'call-ended') this.endCall(report);
    else this.end(report, settle);
  }

  private end(report: Extract<Report, { type: 'result' | 'error' }>, settle: Settle): void {
    this.inOrder = report.type === 'result' || !report.broken;
    try {
      if (report.type === 'error') throw attemptError(report.error, this.parts.clock.now());
      settle.resolve(checked(report, this.parts.request.task));
    } catch (thrown) {
      settle.reject(thrown);
    }
  }

  private async recordStep({
    step,
    name,
    value,
  }: Extract<Report, { type: 'step' }>): Promise<void> {
    const { request, port, clock } = this.parts;
    try {
      await port.stepDone(name, toPlain(value, `step ${name} of task ${request.task}`));
      this.post({ type: 'step-done', step });
    } catch (thrown) {
      this.post({ type: 'step-failed', step, error: errorInfo(attemptError(thrown, clock.now())) });
    }
  }

  /** A port without a way to providers lets every call out; its ticket is 0. */
  private async admitCall({ call, wish }: Extract<Report, { type: 'call' }>): Promise<void> {
    const { port, clock } = this.parts;
    try {
      const ticket = (await port.calls?.admit(wish)) ?? 0;
      this.post({ type: 'call-admitted', call, ticket });
    } catch (thrown) {
      const error = errorInfo(attemptError(thrown, clock.now()));
      this.post({ type: 'call-refused', call, error });
    }
  }

  private endCall({ ticket, end }: Extract<Report, { type: 'call-ended' }>): void {
    this.parts.port.calls?.ended(ticket, end);
  }

  private post(body: Order): void {
    this.carrier.post({ id: this.id, body });
  }

  private async letGo(source: CarrierSource, request: AttemptRequest): Promise<void> {
    if (this.inOrder) return source.giveBack(request, this.carrier);
    this.carrier.kill();
    await this.carrier.ended;
  }

  private lost(how: string): TroupeError {
    const { request, source } = this.parts;
    const message = `The ${source.kind} of task ${request.task} ${how}`;
    return new TroupeError('TRP_ATTEMPT_LOST', message, { errorClass: 'lost' });
  }
}

/** A result from the other side, made plain: a structured clone may hold more than that. */
function checked(
  { output, changes }: Extract<Report, { type: 'result' }>,
  task: string,
): AttemptResult {
  return {
    output: toPlain(output, `output of task ${task}`),
    changes: changes.map((change): MemoryChange => {
      if ('deleted' in change) return change;
      return { key: change.key, value: toPlain(change.value, `memory key ${change.key}`) };
    }),
  };
}
