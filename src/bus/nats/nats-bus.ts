import type { Msg } from 'nats';
import type { TimerHandle } from '../../core/clock.ts';
import type { Plain } from '../../core/plain.ts';
import type {
  Bus,
  BusMessage,
  BusState,
  BusStatus,
  PublishOptions,
  RequestOptions,
  SubscribeOptions,
  Subscription,
} from '../bus.ts';
import type { BlobShelf, BlobStore } from '../blob-store.ts';
import type { BusService } from '../bus-service.ts';
import type { EventLog, LogKind } from '../event-log.ts';
import type { KeyBucket, KeyBucketOptions } from '../key-bucket.ts';
import { checkPattern, checkQueue, checkSubject } from '../subject-grammar.ts';
import type { PoolDeadLetter, WorkQueue, WorkQueueOptions } from '../work-queue.ts';
import type { ClientLink } from './client-link.ts';
import { closedError } from './client-errors.ts';
import { payloadBytes, payloadOf } from './messages.ts';
import { publishHeaders } from './publish-headers.ts';
import { NatsSubscription } from './subscriptions.ts';
import type { SubscriptionHost } from './subscriptions.ts';
import { serveMicro } from './services.ts';
import { StorageParts } from './storage-parts.ts';

/** What a {@link NatsBus} is made of. */
export interface NatsBusParts {
  readonly link: ClientLink;
  readonly maxPayloadBytes: number;
  readonly closeTimeoutMs: number;
  /** Of streams that are made. */
  readonly replicas: number;
}

/** Subjects that are known to be valid; when there are too many, all are forgotten. */
const knownSubjects = 4_096;

/**
 * The bus on a NATS server.
 *
 * Invariants:
 * 1. Nothing malformed reaches the client, which would write it into the protocol as it is.
 * 2. After `close` was called, only handlers that still get what was queued can send: their answers.
 */
export class NatsBus implements Bus {
  private readonly link: ClientLink;
  private readonly maxPayloadBytes: number;
  private readonly closeTimeoutMs: number;
  private readonly storage: StorageParts;
  private readonly subscriptions = new Set<NatsSubscription>();
  private readonly valid = new Set<string>();
  private readonly host: SubscriptionHost;
  private closing: Promise<void> | undefined;
  private closeTimer: TimerHandle;

  constructor({ link, maxPayloadBytes, closeTimeoutMs, replicas }: NatsBusParts) {
    this.link = link;
    this.maxPayloadBytes = maxPayloadBytes;
    this.closeTimeoutMs = closeTimeoutMs;
    this.storage = new StorageParts(link, { replicas });
    this.host = {
      link,
      answer: (reply, payload) => this.answer(reply, payload),
      ended: (subscription) => this.subscriptions.delete(subscription),
    };
  }

  get ns(): string {
    return this.link.ns;
  }

  get state(): BusState {
    return this.closing ? 'closed' : this.link.state;
  }

  onStatus(listener: (status: BusStatus) => void): () => void {
    return this.link.onStatus(listener);
  }

  publish(subject: string, payload: Plain, options?: PublishOptions): void {
    this.refuseWhenClosed();
    this.check(subject);
    const data = this.encoded(payload);
    const headers = options && publishHeaders(options.headers);
    this.link.outbound.publish(subject, data, headers && { headers });
  }

  subscribe(
    pattern: string,
    handler: (message: BusMessage) => void | Promise<void>,
    options: SubscribeOptions = {},
  ): Subscription {
    this.refuseWhenClosed();
    checkPattern(pattern);
    if (options.queue !== undefined) checkQueue(options.queue);
    const subscription = new NatsSubscription(this.host, { pattern, handler, options });
    this.subscriptions.add(subscription);
    return subscription;
  }

  request(subject: string, payload: Plain, options: RequestOptions = {}): Promise<Plain> {
    return new Promise((resolve, reject) => {
      this.refuseWhenClosed();
      this.check(subject);
      const data = this.encoded(payload);
      const headers = publishHeaders(options.headers);
      const { timeoutMs } = options;
      const settler = { resolve: (answer: Msg) => resolve(payloadOf(answer)), reject };
      this.link.ask({ subject, data, headers, timeoutMs }, settler);
    });
  }

  /** True: who listens is known to the server only. */
  hasSubscribers(subject: string): boolean {
    this.check(subject);
    return true;
  }

  async flush(): Promise<void> {
    await this.link.flush();
    await this.link.delivered();
  }

  workQueue(pool: string, options?: WorkQueueOptions): Promise<WorkQueue> {
    return this.stored((parts) => parts.workQueue(pool, options));
  }

  deadLetters(): Promise<readonly PoolDeadLetter[]> {
    return this.stored((parts) => parts.deadLetters());
  }

  log(kind: LogKind, name: string): Promise<EventLog> {
    return this.stored((parts) => parts.log(kind, name));
  }

  logs(kind: LogKind): Promise<readonly string[]> {
    return this.stored((parts) => parts.logNames(kind));
  }

  keys(bucket: string, options?: KeyBucketOptions): Promise<KeyBucket> {
    return this.stored((parts) => parts.keys(bucket, options));
  }

  blobs(shelf: BlobShelf = 'work'): Promise<BlobStore> {
    return this.stored((parts) => parts.blobs(shelf));
  }

  serve(service: BusService): () => void {
    this.refuseWhenClosed();
    return serveMicro(this.link, service);
  }

  close(): Promise<void> {
    this.closing ??= this.finish();
    return this.closing;
  }

  private async finish(): Promise<void> {
    const { link } = this;
    const goneQuiet = this.goQuiet().catch(() => undefined);
    await Promise.race([goneQuiet, this.timeToClose()]);
    link.clock.clearTimeout(this.closeTimer);
    await this.storage.close();
    await link.close();
  }

  /** Handlers get what was on its way, and what they answer to it goes out. */
  private async goQuiet(): Promise<void> {
    const { link } = this;
    if (link.connected || link.outbound.waiting > 0) {
      await link.flush();
      await Promise.all([...this.subscriptions].map((subscription) => subscription.drain()));
      await link.flush();
    }
    await link.delivered();
  }

  private timeToClose(): Promise<void> {
    const { clock } = this.link;
    return new Promise((resolve) => {
      this.closeTimer = clock.setTimeout(resolve, this.closeTimeoutMs);
    });
  }

  private async stored<T>(open: (parts: StorageParts) => Promise<T>): Promise<T> {
    this.refuseWhenClosed();
    return open(this.storage);
  }

  /** Who answers after the end has nobody to tell; the request has been told by then. */
  private answer(reply: string, payload: Plain): void {
    const { link } = this;
    if (link.state === 'closed') return;
    link.outbound.publish(reply, this.encoded(payload));
  }

  /** The server's limit counts where it is smaller; headers come on top, which the client looks at. */
  private encoded(payload: Plain): Uint8Array {
    return payloadBytes(payload, Math.min(this.maxPayloadBytes, this.link.maxPayloadBytes));
  }

  private check(subject: string): void {
    if (this.valid.has(subject)) return;
    checkSubject(subject);
    if (this.valid.size >= knownSubjects) this.valid.clear();
    this.valid.add(subject);
  }

  private refuseWhenClosed(): void {
    if (this.closing || this.link.state === 'closed') throw closedError();
  }
}
