import type { Plain } from '../core/plain.ts';
import type { BlobShelf, BlobStore } from './blob-store.ts';
import type { BusService } from './bus-service.ts';
import type { EventLog, LogKind } from './event-log.ts';
import type { KeyBucket, KeyBucketOptions } from './key-bucket.ts';
import type { PoolDeadLetter, WorkQueue, WorkQueueOptions } from './work-queue.ts';

/** A message as a subscriber gets it. The payload is frozen. */
export interface BusMessage {
  readonly subject: string;
  readonly payload: Plain;
  readonly headers: { readonly [name: string]: string };
  /** Answers a request; does nothing when the message asks for no answer. */
  respond(payload: Plain): void;
}

/** An interest in subjects; ends by `unsubscribe`, after which the handler is not called again. */
export interface Subscription {
  /** Messages that were not handed over because too many waited. */
  readonly dropped: number;
  unsubscribe(): void;
}

/** What goes with a message. */
export interface PublishOptions {
  readonly headers?: { readonly [name: string]: string };
}

/** How messages are shared among subscribers, and how many may wait for one. */
export interface SubscribeOptions {
  /** Members of one queue group share messages: each goes to exactly one of them. */
  readonly queue?: string;
  /** Messages that may wait for this subscription; newer ones are dropped and counted. Default 262,144. */
  readonly maxPending?: number;
  /** True: the next message waits for the promise that the handler returned. Default false. */
  readonly sequential?: boolean;
}

/** How long an answer is waited for. */
export interface RequestOptions extends PublishOptions {
  /** Default 5 s. */
  readonly timeoutMs?: number;
}

/** Whether the bus can be used right now. The embedded bus is `connected` until it is closed. */
export type BusState = 'connected' | 'disconnected' | 'closed';

/** A change of the connection. */
export interface BusStatus {
  readonly state: BusState;
  /** What happened, in words. */
  readonly detail: string;
  /** Messages published before a disconnection that may not have reached the server; 0 otherwise. */
  readonly uncertain: number;
}

/**
 * The memory bus: NATS subjects (dot-separated tokens, `*` for one token, `>` for the rest) in this
 * process or on a NATS server, with queues of work, append-only logs, versioned keys and blobs beside
 * them. Delivery of publish/subscribe is at most once, in order per publisher and subscription, never on
 * the publisher's stack. A payload is plain data of at most 1 MiB encoded. Everything named through one
 * bus lives in its namespace.
 *
 * Calls that need an answer reject with TRP_BUS_DISCONNECTED while there is no connection and their time
 * is over, with TRP_BUS_DENIED where the server forbids the act, and with TRP_BUS_CLOSED after `close`.
 */
export interface Bus {
  readonly ns: string;
  readonly state: BusState;
  /** Called at every change of state; the function returned ends that. */
  onStatus(listener: (status: BusStatus) => void): () => void;
  /**
   * Throws TRP_BUS_SUBJECT, TRP_BUS_PAYLOAD or TRP_BUS_CLOSED; otherwise returns at once. While
   * disconnected, messages wait in a bounded outbox and go out in order; TRP_BUS_FULL when it is full.
   */
  publish(subject: string, payload: Plain, options?: PublishOptions): void;
  subscribe(
    pattern: string,
    handler: (message: BusMessage) => void | Promise<void>,
    options?: SubscribeOptions,
  ): Subscription;
  /**
   * Rejects with TRP_BUS_NO_RESPONDERS at once when nobody listens, TRP_BUS_TIMEOUT when nobody answers, and
   * TRP_BUS_DISCONNECTED at once without a connection or when it is lost: only the caller knows whether asking
   * again is safe.
   */
  request(subject: string, payload: Plain, options?: RequestOptions): Promise<Plain>;
  /**
   * Whether a publish to the subject could reach anybody: to skip costly payloads. Exact on the embedded
   * bus; a driver that cannot know answers true.
   */
  hasSubscribers(subject: string): boolean;
  /** Resolves when everything published before the call has been delivered, or is with the server. */
  flush(): Promise<void>;
  /** The queue of one pool, made when it does not exist yet. */
  workQueue(pool: string, options?: WorkQueueOptions): Promise<WorkQueue>;
  /** The newest 10,000 dead letters of all queues, by pool, in order of their deaths; makes no queue. */
  deadLetters(): Promise<readonly PoolDeadLetter[]>;
  /** One append-only log; logs of one kind share a carrier, so there may be many. */
  log(kind: LogKind, name: string): Promise<EventLog>;
  /** Names of the logs of a kind that hold an entry, in the order of the alphabet; costs as much as there are logs. */
  logs(kind: LogKind): Promise<readonly string[]>;
  /** A bucket of versioned keys, made when it does not exist yet. */
  keys(bucket: string, options?: KeyBucketOptions): Promise<KeyBucket>;
  /** Where values go that are too large for a message. Default: the shelf `work`. */
  blobs(shelf?: BlobShelf): Promise<BlobStore>;
  /** Shows a service to the tools of the bus until the function returned is called; absent where it has no tools. */
  serve?(service: BusService): () => void;
  /** Delivers what is queued, then refuses everything. */
  close(): Promise<void>;
}
