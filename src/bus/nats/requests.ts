import type { Msg } from 'nats';
import type { Clock } from '../../core/clock.ts';
import { Deadlines } from '../../core/deadlines.ts';
import type { Deadline } from '../../core/deadlines.ts';
import { TroupeError } from '../../core/errors.ts';
import { deniedError } from './client-errors.ts';

interface Waiting {
  readonly subject: string;
  /** What had been published when the request went out: an answer confirms all of it. */
  readonly mark: number;
  readonly deadline: Deadline;
  readonly resolve: (answer: Msg) => void;
  readonly reject: (error: unknown) => void;
}

/** A request that is about to go out. */
export interface OpenRequest {
  readonly subject: string;
  readonly timeoutMs: number;
  readonly mark: number;
}

/**
 * Requests that wait for their answers, over one inbox: the last token of an answer's subject names its request. The
 * client's own `request` makes a timer and an error stack for each, which costs three quarters of its speed.
 *
 * Invariants:
 * 1. A request is settled once; a second answer, or one that comes too late, does nothing.
 * 2. What waits here has a deadline in the heap, and the other way round.
 */
export class Requests {
  /** To be subscribed to. */
  readonly pattern: string;
  private readonly prefix: string;
  private readonly clock: Clock;
  private readonly deadlines: Deadlines;
  private readonly waiting = new Map<string, Waiting>();
  private issued = 0;

  /** @param inbox subject that nobody else has: `_INBOX.<unique>`. */
  constructor(clock: Clock, inbox: string) {
    this.clock = clock;
    this.deadlines = new Deadlines(clock);
    this.prefix = `${inbox}.`;
    this.pattern = `${inbox}.>`;
  }

  get size(): number {
    return this.waiting.size;
  }

  /** Where the answer is to go; the promise settles with the answer, or rejects by then. */
  open({ subject, timeoutMs, mark }: OpenRequest): {
    readonly reply: string;
    answer: Promise<Msg>;
  } {
    const id = (++this.issued).toString(36);
    const answer = new Promise<Msg>((resolve, reject) => {
      const deadline = this.deadlines.at(this.clock.now() + timeoutMs, () =>
        this.expire(id, subject, timeoutMs),
      );
      this.waiting.set(id, { subject, mark, deadline, resolve, reject });
    });
    return { reply: this.prefix + id, answer };
  }

  /** Hands an answer to its request. Returns the request's mark; 0 when nobody waits for it. */
  answer(message: Msg): number {
    const waiting = this.take(message.subject.slice(this.prefix.length));
    if (!waiting) return 0;
    if (saysNobodyListens(message)) waiting.reject(noResponders(waiting.subject));
    else waiting.resolve(message);
    return waiting.mark;
  }

  /** The request could not be sent. */
  abandon(reply: string, error: unknown): void {
    this.take(reply.slice(this.prefix.length))?.reject(error);
  }

  /** The server does not let this user publish on the subject. False: nobody waits there. */
  deny(subject: string): boolean {
    const denied = [...this.waiting].filter(([, waiting]) => waiting.subject === subject);
    for (const [id] of denied) this.take(id)?.reject(deniedError('publish on', subject));
    return denied.length > 0;
  }

  rejectAll(error: (subject: string) => unknown): void {
    for (const [id, { subject }] of this.waiting) this.take(id)?.reject(error(subject));
  }

  private expire(id: string, subject: string, timeoutMs: number): void {
    const message = `Nobody answered on ${subject} within ${timeoutMs} ms.`;
    this.take(id)?.reject(new TroupeError('TRP_BUS_TIMEOUT', message, { errorClass: 'timeout' }));
  }

  private take(id: string): Waiting | undefined {
    const waiting = this.waiting.get(id);
    if (!waiting) return undefined;
    this.waiting.delete(id);
    waiting.deadline.cancel();
    return waiting;
  }
}

/** The server answers for those who are not there: no payload and the status 503. */
function saysNobodyListens(message: Msg): boolean {
  return message.data.length === 0 && message.headers?.code === 503;
}

function noResponders(subject: string): TroupeError {
  return new TroupeError('TRP_BUS_NO_RESPONDERS', `Nobody listens on ${subject}.`, {
    errorClass: 'transient',
  });
}
