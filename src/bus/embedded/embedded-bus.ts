import type { Clock } from '../../core/clock.ts';
import { TroupeError } from '../../core/errors.ts';
import type { Plain } from '../../core/plain.ts';
import type { BlobStore } from '../blob-store.ts';
import type {
  Bus,
  BusMessage,
  BusState,
  PublishOptions,
  RequestOptions,
  SubscribeOptions,
  Subscription,
} from '../bus.ts';
import type { EventLog } from '../event-log.ts';
import { checkHeaders } from '../headers.ts';
import type { Headers } from '../headers.ts';
import type { KeyBucket } from '../key-bucket.ts';
import { checkedPayload, maxPayloadBytes } from '../payload.ts';
import { checkPattern, checkQueue, checkSubject } from '../subject-grammar.ts';
import type { WorkQueue } from '../work-queue.ts';
import { DeliveryQueue } from './delivery-queue.ts';
import type { Schedule } from './delivery-queue.ts';
import { Replies } from './replies.ts';
import { anybody, Subscribers } from './subscribers.ts';
import type { QueueGroup, Receivers, Subscriber } from './subscribers.ts';

/** How an embedded bus is made. */
export interface EmbeddedBusOptions {
  /** For the timeouts of requests. */
  readonly clock: Clock;
  /** How deliveries leave the publisher's stack: `setImmediate`, given by the runtime. */
  readonly schedule: Schedule;
  /** Largest payload, encoded, in bytes. Default 1 MiB, as NATS has it. */
  readonly maxPayloadBytes?: number;
  /** Messages that may wait for one subscription; more are dropped and counted. Default 262,144. */
  readonly maxPending?: number;
  /** Told what a handler threw, or its promise rejected with. Default: ignored. */
  readonly onError?: (error: unknown, subject: string) => void;
  /** Namespace of everything that is named through this bus. Default `default`. */
  readonly ns?: string;
}

/** The bus of one process: nothing to install, nothing encoded. */
export interface EmbeddedBus extends Bus {
  /** Deliveries lost because a subscription had too many waiting. */
  readonly dropped: number;
}

/** Makes the bus that lives in this process. */
export function createEmbeddedBus(options: EmbeddedBusOptions): EmbeddedBus {
  return new InProcessBus(options);
}

const defaultMaxPending = 262_144;
const defaultTimeoutMs = 5_000;
const noHeaders: Headers = Object.freeze({});

/**
 * Invariants:
 * 1. No handler runs inside publish, request or respond: all goes through one queue, so order is kept.
 * 2. A payload is checked and frozen before anybody can see it; what is passed on is the same object.
 * 3. `pending` of a subscriber is the number of its jobs in the queue.
 */
class InProcessBus implements EmbeddedBus {
  private readonly subscribers = new Subscribers();
  private readonly replies: Replies;
  private readonly queue: DeliveryQueue;
  private readonly maxBytes: number;
  private readonly maxPending: number;
  private readonly onError: (error: unknown, subject: string) => void;
  readonly ns: string;
  private lost = 0;
  private closing: Promise<void> | undefined;

  constructor(options: EmbeddedBusOptions) {
    this.ns = options.ns ?? 'default';
    this.replies = new Replies(options.clock);
    this.maxBytes = options.maxPayloadBytes ?? maxPayloadBytes;
    this.maxPending = options.maxPending ?? defaultMaxPending;
    this.onError = options.onError ?? (() => undefined);
    this.queue = new DeliveryQueue(options.schedule, (error) => this.onError(error, ''));
  }

  get dropped(): number {
    return this.lost;
  }

  get state(): BusState {
    return this.closing ? 'closed' : 'connected';
  }

  onStatus(): () => void {
    return () => undefined;
  }

  async workQueue(): Promise<WorkQueue> {
    throw closedError();
  }

  async log(): Promise<EventLog> {
    throw closedError();
  }

  async keys(): Promise<KeyBucket> {
    throw closedError();
  }

  async blobs(): Promise<BlobStore> {
    throw closedError();
  }

  publish(subject: string, payload: Plain, options?: PublishOptions): void {
    this.refuseWhenClosed();
    const receivers = this.subscribers.reachedBy(subject, checkSubject);
    this.deliver(receivers, this.message(subject, payload, options));
  }

  subscribe(
    pattern: string,
    handler: (message: BusMessage) => void | Promise<void>,
    options: SubscribeOptions = {},
  ): Subscription {
    this.refuseWhenClosed();
    checkPattern(pattern);
    if (options.queue !== undefined) checkQueue(options.queue);
    const subscriber = this.subscribers.add(pattern, handler, options);
    return { dropped: 0, unsubscribe: () => this.subscribers.remove(subscriber) };
  }

  async request(subject: string, payload: Plain, options: RequestOptions = {}): Promise<Plain> {
    this.refuseWhenClosed();
    const receivers = this.subscribers.reachedBy(subject, checkSubject);
    const message = this.message(subject, payload, options);
    if (!anybody(receivers)) {
      throw new TroupeError('TRP_BUS_NO_RESPONDERS', `Nobody listens on ${subject}.`, {
        errorClass: 'transient',
      });
    }
    const { inbox, reply } = this.replies.open(subject, options.timeoutMs ?? defaultTimeoutMs);
    message.respondBy((answer) => this.answer(inbox, answer));
    this.deliver(receivers, message);
    return reply;
  }

  hasSubscribers(subject: string): boolean {
    return anybody(this.subscribers.reachedBy(subject, checkSubject));
  }

  flush(): Promise<void> {
    return new Promise((resolve) => this.queue.push(resolve));
  }

  close(): Promise<void> {
    this.closing ??= this.finish();
    return this.closing;
  }

  /** Twice: the first turn delivers what is queued, the second the answers that those handlers gave. */
  private async finish(): Promise<void> {
    await this.flush();
    await this.flush();
    this.replies.rejectAll(closedError());
  }

  private message(subject: string, payload: Plain, options?: PublishOptions): Message {
    const headers = options?.headers ? checkHeaders(options.headers) : noHeaders;
    return new Message(subject, checkedPayload(payload, this.maxBytes), headers);
  }

  private answer(inbox: number, payload: Plain): void {
    const checked = checkedPayload(payload, this.maxBytes);
    this.queue.push(() => this.replies.answer(inbox, checked));
  }

  private deliver(receivers: Receivers, message: Message): void {
    for (const subscriber of receivers.singles) this.enqueue(subscriber, message);
    for (const group of receivers.groups) {
      const member = group.pick();
      if (member) this.enqueue(member, message, group);
    }
  }

  private enqueue(subscriber: Subscriber, message: Message, group?: QueueGroup): void {
    if (subscriber.pending >= this.maxPending) {
      this.lost++;
      return;
    }
    subscriber.pending++;
    this.queue.push(() => {
      subscriber.pending--;
      // A member that left meanwhile passes its message on: a group loses nothing while anybody is in it.
      const receiver = subscriber.active ? subscriber : group?.pick();
      if (receiver) this.hand(receiver, message);
    });
  }

  private hand(receiver: Subscriber, message: Message): void {
    try {
      const result: unknown = receiver.handler(message);
      if (result instanceof Promise)
        result.catch((error: unknown) => this.onError(error, message.subject));
    } catch (error) {
      this.onError(error, message.subject);
    }
  }

  private refuseWhenClosed(): void {
    if (this.closing) throw closedError();
  }
}

function closedError(): TroupeError {
  return new TroupeError('TRP_BUS_CLOSED', 'The bus is closed.');
}

/** One message, shared by all who get it. */
class Message implements BusMessage {
  readonly subject: string;
  readonly payload: Plain;
  readonly headers: Headers;
  #answer: ((payload: Plain) => void) | undefined;

  constructor(subject: string, payload: Plain, headers: Headers) {
    this.subject = subject;
    this.payload = payload;
    this.headers = headers;
  }

  respondBy(answer: (payload: Plain) => void): void {
    this.#answer = answer;
  }

  respond(payload: Plain): void {
    this.#answer?.(payload);
  }
}
