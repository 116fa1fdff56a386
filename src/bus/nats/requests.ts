import type { Msg } from 'nats';
import type { Clock } from '../../core/clock.ts';
import { TroupeError } from '../../core/errors.ts';
import { deniedError } from './client-errors.ts';
import { WaitingLine } from './waiting-line.ts';
import type { Waiter } from './waiting-line.ts';

/** A request that is about to go out. */
export interface OpenRequest {
  readonly subject: string;
  readonly timeoutMs: number;
  /** What had been published when the request went out: an answer confirms all of it. */
  readonly mark: number;
}

/** Who is told how a request ended. What `resolve` throws goes to `reject`. */
export interface Settler {
  resolve(answer: Msg): void;
  reject(error: unknown): void;
}

/** One request; an object of its own shape and no closures, for there may be fifty thousand in a second. */
class Waiting implements Waiter {
  readonly id: string;
  readonly request: OpenRequest;
  readonly line: WaitingLine;
  readonly settler: Settler;
  dueMs = 0;
  before: Waiter | undefined = undefined;
  after: Waiter | undefined = undefined;
  private readonly owner: Requests;

  constructor(owner: Requests, { id, request, line, settler }: WaitingParts) {
    this.owner = owner;
    this.id = id;
    this.request = request;
    this.line = line;
    this.settler = settler;
  }

  expire(): void {
    this.owner.expire(this);
  }
}

interface WaitingParts {
  readonly id: string;
  readonly request: OpenRequest;
  readonly line: WaitingLine;
  readonly settler: Settler;
}

/**
 * Requests that wait for their answers, over one inbox: the last token of an answer's subject names its request. The
 * client's own `request` makes a timer and an error stack for each, which costs three quarters of its speed.
 *
 * Invariants:
 * 1. A request is settled once; a second answer, or one that comes too late, does nothing.
 * 2. What waits here stands in the line of those that wait as long, and the other way round.
 */
export class Requests {
  /** To be subscribed to. */
  readonly pattern: string;
  private readonly prefix: string;
  private readonly clock: Clock;
  private readonly waiting = new Map<string, Waiting>();
  /** By time-out in milliseconds. */
  private readonly lines = new Map<number, WaitingLine>();
  private issued = 0;

  /** @param inbox subject that nobody else has: `_INBOX.<unique>`. */
  constructor(clock: Clock, inbox: string) {
    this.clock = clock;
    this.prefix = `${inbox}.`;
    this.pattern = `${inbox}.>`;
  }

  get size(): number {
    return this.waiting.size;
  }

  /** Returns where the answer is to go; the settler hears of it, or of a failure in time. */
  open(request: OpenRequest, settler: Settler): string {
    const id = (++this.issued).toString(36);
    const line = this.lineOf(Math.ceil(request.timeoutMs));
    const waiting = new Waiting(this, { id, request, line, settler });
    this.waiting.set(id, waiting);
    line.join(waiting);
    return this.prefix + id;
  }

  /** Hands an answer to its request. Returns the request's mark; 0 when nobody waits for it. */
  answer(message: Msg): number {
    const waiting = this.take(message.subject.slice(this.prefix.length));
    if (!waiting) return 0;
    const { settler, request } = waiting;
    if (saysNobodyListens(message)) settler.reject(noResponders(request.subject));
    else settle(settler, message);
    return request.mark;
  }

  /** The request could not be sent. */
  abandon(reply: string, error: unknown): void {
    this.take(reply.slice(this.prefix.length))?.settler.reject(error);
  }

  /** The server does not let this user publish on the subjects. Returns those that nobody waits for. */
  deny(subjects: ReadonlySet<string>): ReadonlySet<string> {
    const unasked = new Set(subjects);
    for (const [id, { request }] of this.waiting) {
      const { subject } = request;
      if (!subjects.has(subject)) continue;
      unasked.delete(subject);
      this.take(id)?.settler.reject(deniedError('publish on', subject));
    }
    return unasked;
  }

  rejectAll(error: (subject: string) => unknown): void {
    for (const [id, { request }] of this.waiting)
      this.take(id)?.settler.reject(error(request.subject));
    for (const line of this.lines.values()) line.stop();
    this.lines.clear();
  }

  /** Its time is over, and it has left its line. */
  expire({ id, request: { subject, timeoutMs }, settler }: Waiting): void {
    this.waiting.delete(id);
    const message = `Nobody answered on ${subject} within ${timeoutMs} ms.`;
    settler.reject(new TroupeError('TRP_BUS_TIMEOUT', message, { errorClass: 'timeout' }));
  }

  private take(id: string): Waiting | undefined {
    const waiting = this.waiting.get(id);
    if (!waiting) return undefined;
    this.waiting.delete(id);
    waiting.line.leave(waiting);
    return waiting;
  }

  private lineOf(waitMs: number): WaitingLine {
    const known = this.lines.get(waitMs);
    if (known) return known;
    const onEmpty = (): void => void this.lines.delete(waitMs);
    const line = new WaitingLine({ clock: this.clock, waitMs, onEmpty });
    this.lines.set(waitMs, line);
    return line;
  }
}

function settle(settler: Settler, answer: Msg): void {
  try {
    settler.resolve(answer);
  } catch (error) {
    settler.reject(error);
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
