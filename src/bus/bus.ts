import type { Plain } from '../core/plain.ts';

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
  unsubscribe(): void;
}

/** What goes with a message. */
export interface PublishOptions {
  readonly headers?: { readonly [name: string]: string };
}

/** How messages are shared among subscribers. */
export interface SubscribeOptions {
  /** Members of one queue group share messages: each goes to exactly one of them. */
  readonly queue?: string;
}

/** How long an answer is waited for. */
export interface RequestOptions extends PublishOptions {
  /** Default 5 s. */
  readonly timeoutMs?: number;
}

/**
 * The memory bus: NATS subjects (dot-separated tokens, `*` for one token, `>` for the rest) in this
 * process or on a NATS server. Delivery of publish/subscribe is at most once, in order per publisher
 * and subscription, never on the publisher's stack. A payload is plain data of at most 1 MiB encoded.
 */
export interface Bus {
  /** Throws TRP_BUS_SUBJECT, TRP_BUS_PAYLOAD or TRP_BUS_CLOSED; otherwise returns at once. */
  publish(subject: string, payload: Plain, options?: PublishOptions): void;
  subscribe(
    pattern: string,
    handler: (message: BusMessage) => void,
    options?: SubscribeOptions,
  ): Subscription;
  /** Rejects with TRP_BUS_NO_RESPONDERS at once when nobody listens, TRP_BUS_TIMEOUT when nobody answers. */
  request(subject: string, payload: Plain, options?: RequestOptions): Promise<Plain>;
  /** Whether a publish to the subject would reach anybody in this process: to skip costly payloads. */
  hasSubscribers(subject: string): boolean;
  /** Resolves when everything published before the call has been delivered. */
  flush(): Promise<void>;
  /** Delivers what is queued, then refuses everything. */
  close(): Promise<void>;
}
