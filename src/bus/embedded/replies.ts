import type { Clock, TimerHandle } from '../../core/clock.ts';
import { TroupeError } from '../../core/errors.ts';
import type { Plain } from '../../core/plain.ts';

interface Waiting {
  readonly resolve: (reply: Plain) => void;
  readonly reject: (error: TroupeError) => void;
  readonly timer: TimerHandle;
}

/**
 * Requests that wait for their answer, by the number of their private inbox.
 *
 * Invariant: a request is settled once; answering again, or too late, does nothing.
 */
export class Replies {
  private readonly clock: Clock;
  private readonly waiting = new Map<number, Waiting>();
  private issued = 0;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** Opens an inbox for one answer. */
  open(
    subject: string,
    timeoutMs: number,
  ): { readonly inbox: number; readonly reply: Promise<Plain> } {
    const inbox = ++this.issued;
    const reply = new Promise<Plain>((resolve, reject) => {
      const timer = this.clock.setTimeout(() => this.expire(inbox, subject, timeoutMs), timeoutMs);
      this.waiting.set(inbox, { resolve, reject, timer });
    });
    return { inbox, reply };
  }

  answer(inbox: number, payload: Plain): void {
    this.take(inbox)?.resolve(payload);
  }

  rejectAll(error: TroupeError): void {
    for (const inbox of this.waiting.keys()) this.take(inbox)?.reject(error);
  }

  private expire(inbox: number, subject: string, timeoutMs: number): void {
    const message = `Nobody answered on ${subject} within ${timeoutMs} ms.`;
    this.take(inbox)?.reject(
      new TroupeError('TRP_BUS_TIMEOUT', message, { errorClass: 'timeout' }),
    );
  }

  private take(inbox: number): Waiting | undefined {
    const waiting = this.waiting.get(inbox);
    if (!waiting) return undefined;
    this.waiting.delete(inbox);
    this.clock.clearTimeout(waiting.timer);
    return waiting;
  }
}
