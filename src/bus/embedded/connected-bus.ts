import type { Clock } from '../../core/clock.ts';
import { TroupeError } from '../../core/errors.ts';
import type { Plain } from '../../core/plain.ts';
import type { BlobShelf, BlobStore } from '../blob-store.ts';
import type {
  BusState,
  BusStatus,
  PublishOptions,
  RequestOptions,
  SubscribeOptions,
  Subscription,
} from '../bus.ts';
import type { EventLog, LogKind } from '../event-log.ts';
import { checkHeaders } from '../headers.ts';
import type { Headers } from '../headers.ts';
import type { KeyBucket, KeyBucketOptions } from '../key-bucket.ts';
import { checkWholeNumbers, mostHistory } from '../option-range.ts';
import { checkedPayload, checkedValue } from '../payload.ts';
import { checkPattern, checkSubject } from '../subject-grammar.ts';
import { bucketName, logSubject, workSubject } from '../subjects.ts';
import type { PoolDeadLetter, WorkQueue, WorkQueueOptions } from '../work-queue.ts';
import { closedError, disconnectedError, fullError } from './bus-errors.ts';
import { Connection } from './connection.ts';
import type { Schedule } from './delivery-queue.ts';
import { EmbeddedBlobStore } from './embedded-blob-store.ts';
import type { EmbeddedBus, EmbeddedBusOptions } from './embedded-contract.ts';
import { EmbeddedEventLog } from './embedded-event-log.ts';
import { EmbeddedKeyBucket } from './embedded-key-bucket.ts';
import { EmbeddedWorkQueue } from './embedded-work-queue.ts';
import { Message } from './message.ts';
import { OpenRequest, Requests } from './requests.ts';
import type { RequestHome } from './requests.ts';
import type { Server } from './server.ts';
import type { Handler } from './subscriber.ts';
import { Subscriptions } from './subscriptions.ts';

/** What a {@link ConnectedBus} is made of. */
export interface ConnectedBusOptions {
  readonly server: Server;
  readonly ns: string;
  readonly clock: Clock;
  readonly schedule: Schedule;
  readonly maxBytes: number;
  readonly maxPending: number;
  readonly onError: (error: unknown, subject: string) => void;
}

const defaultTimeoutMs = 5_000;
const noHeaders: Headers = Object.freeze({});

/**
 * One connection to a server in this process.
 *
 * Invariants:
 * 1. No handler runs inside publish, request or respond: all goes through the server's one queue, so order is kept.
 * 2. A payload is checked and frozen before anybody can see it; what is passed on is the same object.
 * 3. The outbox is empty while the connection is there.
 */
export class ConnectedBus implements EmbeddedBus {
  readonly ns: string;
  private readonly options: ConnectedBusOptions;
  private readonly server: Server;
  private readonly connection: Connection;
  private readonly subscriptions: Subscriptions;
  private readonly requests: Requests;
  private readonly requestHome: RequestHome;
  private readonly outbox: Message[] = [];
  private closing: Promise<void> | undefined;

  constructor(options: ConnectedBusOptions) {
    const { server, ns, clock, schedule, onError } = options;
    const { deadlines, deliveries } = server;
    this.ns = ns;
    this.options = options;
    this.server = server;
    this.connection = new Connection({ clock, deadlines, later: (job) => deliveries.push(job) });
    this.requests = new Requests({ clock, deadlines, schedule });
    const checked = (answer: Plain): Plain => checkedPayload(answer, options.maxBytes);
    const idle = this.requests.arrangeReview;
    this.requestHome = { checked, deliveries, network: server.network, idle };
    this.subscriptions = new Subscriptions(server, onError);
    server.enter();
  }

  get state(): BusState {
    return this.connection.state;
  }

  get dropped(): number {
    return this.subscriptions.dropped;
  }

  onStatus(listener: (status: BusStatus) => void): () => void {
    return this.connection.onStatus(listener);
  }

  publish(subject: string, payload: Plain, options?: PublishOptions): void {
    if (this.connection.state !== 'connected') {
      this.publishLater(subject, payload, options);
      return;
    }
    const receivers = this.server.subscribers.reachedBy(subject);
    const message = this.message(subject, payload, options);
    receivers.offer(message);
  }

  subscribe(pattern: string, handler: Handler, options: SubscribeOptions = {}): Subscription {
    this.refuseWhenClosed();
    checkPattern(pattern);
    return this.subscriptions.add({
      pattern,
      handler,
      queue: options.queue,
      maxPending: options.maxPending ?? this.options.maxPending,
      sequential: options.sequential ?? false,
    });
  }

  request(subject: string, payload: Plain, options: RequestOptions = {}): Promise<Plain> {
    return new Promise((resolve, reject) => {
      this.refuseWhenCut();
      const receivers = this.server.subscribers.reachedBy(subject);
      const message = this.message(subject, payload, options);
      if (!receivers.any) throw noResponders(subject);
      const { timeoutMs = defaultTimeoutMs } = options;
      const open = new OpenRequest(subject, { resolve, reject }, this.requestHome);
      message.answerTo(open);
      this.requests.open(open, timeoutMs);
      receivers.offer(message);
    });
  }

  hasSubscribers(subject: string): boolean {
    const { any } = this.server.subscribers.reachedBy(subject);
    return any || this.connection.state === 'disconnected';
  }

  flush(): Promise<void> {
    return this.connection.call(() => this.flushed());
  }

  async workQueue(pool: string, options: WorkQueueOptions = {}): Promise<WorkQueue> {
    workSubject(this.ns, pool, 'p0');
    checkWholeNumbers({ ...options });
    const queue = await this.connection.call(() => this.server.queue(pool, options));
    return new EmbeddedWorkQueue(queue, this.faceOptions());
  }

  deadLetters(): Promise<readonly PoolDeadLetter[]> {
    return this.connection.call(() => this.server.deadLetters());
  }

  async log(kind: LogKind, name: string): Promise<EventLog> {
    logSubject(this.ns, kind, name);
    const log = await this.connection.call(() => this.server.log(kind, name));
    return new EmbeddedEventLog(log, this.faceOptions());
  }

  async logs(kind: LogKind): Promise<readonly string[]> {
    return (await this.connection.call(() => this.server.logs(kind))).toSorted();
  }

  async keys(bucket: string, options: KeyBucketOptions = {}): Promise<KeyBucket> {
    const name = bucketName(this.ns, bucket);
    checkWholeNumbers({ history: options.history }, mostHistory);
    checkWholeNumbers({ ttlMs: options.ttlMs });
    if (options.republish !== undefined) checkSubject(options.republish);
    const store = await this.connection.call(() => this.server.bucket(name, options));
    const checked = (value: Plain): Plain => checkedValue(value, this.options.maxBytes);
    return new EmbeddedKeyBucket(bucket, store, { ...this.faceOptions(), checked });
  }

  blobs(shelf: BlobShelf = 'work'): Promise<BlobStore> {
    const { connection, server } = this;
    return connection.call(() => new EmbeddedBlobStore(server.blobs[shelf], connection));
  }

  peer(options: Pick<EmbeddedBusOptions, 'onError'> = {}): EmbeddedBus {
    return new ConnectedBus({ ...this.options, ...options });
  }

  disconnect(): void {
    if (this.connection.state !== 'connected') return;
    this.connection.disconnect(this.subscriptions.detach());
    this.requests.rejectAll(disconnectedError());
  }

  reconnect(): void {
    if (this.connection.state !== 'disconnected') return;
    this.subscriptions.attach();
    this.connection.reconnect();
    for (const { subject, payload, headers } of this.outbox.splice(0))
      this.server.publish(subject, payload, headers);
  }

  close(): Promise<void> {
    this.closing ??= this.finish();
    return this.closing;
  }

  /** Twice: the first turn delivers what is queued, the second the answers that those handlers gave. */
  private async finish(): Promise<void> {
    this.connection.close();
    await this.turn();
    await this.turn();
    this.requests.rejectAll(closedError());
    this.connection.end();
    this.subscriptions.end();
    this.server.leave();
  }

  private publishLater(subject: string, payload: Plain, options?: PublishOptions): void {
    this.refuseWhenClosed();
    checkSubject(subject);
    const message = this.message(subject, payload, options);
    if (this.outbox.length >= this.options.maxPending)
      throw fullError('The outbox', this.options.maxPending);
    this.outbox.push(message);
  }

  private message(subject: string, payload: Plain, options?: PublishOptions): Message {
    const headers = options?.headers ? checkHeaders(options.headers) : noHeaders;
    return new Message(subject, checkedPayload(payload, this.options.maxBytes), headers);
  }

  private flushed(): Promise<void> {
    const { network } = this.server;
    if (!network) return this.turn();
    return new Promise<void>((resolve) => network.whenIdle(resolve)).then(() => this.turn());
  }

  /** Resolves when everything that is queued now has been delivered. */
  private turn(): Promise<void> {
    return new Promise((resolve) => this.server.deliveries.push(resolve));
  }

  private faceOptions() {
    const { connection } = this;
    const { clock, maxBytes, onError } = this.options;
    return {
      connection,
      clock,
      deadlines: this.server.deadlines,
      queue: this.server.deliveries,
      report: (error: unknown) => onError(error, ''),
      checked: (payload: Plain) => checkedPayload(payload, maxBytes),
    };
  }

  private refuseWhenClosed(): void {
    if (this.closing) throw closedError();
  }

  private refuseWhenCut(): void {
    this.refuseWhenClosed();
    if (this.connection.state !== 'connected') throw disconnectedError();
  }
}

function noResponders(subject: string): TroupeError {
  return new TroupeError('TRP_BUS_NO_RESPONDERS', `Nobody listens on ${subject}.`, {
    errorClass: 'transient',
  });
}
