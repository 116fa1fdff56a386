import type { Msg, Subscription } from 'nats';
import { newInbox } from '../inbox.ts';
import type { JetStream } from '../jetstream.ts';
import { deliveryInfo } from '../stored-message.ts';
import { nanosPerMs } from '../streams.ts';

/** A consumer that is pulled from. */
export interface Source {
  readonly stream: string;
  readonly consumer: string;
}

/** A message that was delivered to this session, and what it was pulled from. */
export interface Delivery<S extends Source = Source> {
  readonly message: Msg;
  readonly source: S;
}

/** For the first of several. */
export interface WaitOptions {
  readonly waitMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** A server that says nothing to a pull that is to be answered at once has it waiting, in milliseconds. */
const silenceMs = 100;
/** Longest wait that is asked of the server at one time, in milliseconds. */
const longestWaitMs = 30_000;

/**
 * The pulls of somebody who wants one message: several consumers one after the other, or all of them at once.
 *
 * Invariants:
 * 1. A message that arrives while nobody takes one goes back at once, also when it was on its way at the end:
 *    the inbox is drained, so the server drops pulls that still wait, and what it sent before is still seen.
 * 2. At most one message is taken at a time.
 */
export class PullSession<S extends Source> {
  private readonly js: JetStream;
  private readonly inbox: string;
  private readonly subscription: Subscription;
  /** By name of the consumer. */
  private readonly sources = new Map<string, S>();
  private taker: ((delivery: Delivery<S> | undefined) => void) | undefined;
  /** Called with the token of a pull that the server has ended. */
  private pullEnded: (token: string) => void = () => undefined;
  private pulls = 0;
  private ended = false;

  constructor(js: JetStream) {
    this.js = js;
    this.inbox = newInbox(js.link.connection);
    this.subscription = js.link.connection.subscribe(`${this.inbox}.*`, {
      callback: (error, message) => {
        try {
          if (error) this.js.link.fault(error, this.inbox);
          else this.receive(message);
        } catch (fault) {
          this.js.link.fault(fault, this.inbox);
        }
      },
    });
  }

  /** What a consumer has now. */
  now(source: S): Promise<Delivery<S> | undefined> {
    const { clock } = this.js.link;
    return this.take((done) => {
      const timer = clock.setTimeout(done, silenceMs);
      const token = this.pull(source, { batch: 1, no_wait: true });
      this.pullEnded = (ended) => {
        if (ended === token) done();
      };
      return () => clock.clearTimeout(timer);
    });
  }

  /** The first that one of the consumers has within the time. Ends early when the connection was made anew. */
  wait(sources: readonly S[], { waitMs, signal }: WaitOptions): Promise<Delivery<S> | undefined> {
    const { link } = this.js;
    if (signal?.aborted === true || this.ended) return Promise.resolve(undefined);
    return this.take((done) => {
      const askedMs = Math.min(waitMs, longestWaitMs);
      const timer = link.clock.setTimeout(done, askedMs);
      const stopListening = link.onReconnect(done);
      signal?.addEventListener('abort', done, { once: true });
      const expires = Math.max(1, Math.ceil(askedMs)) * nanosPerMs;
      const open = new Set(sources.map((source) => this.pull(source, { batch: 1, expires })));
      this.pullEnded = (token) => {
        if (open.delete(token) && open.size === 0 && link.connected) done();
      };
      return () => {
        link.clock.clearTimeout(timer);
        stopListening();
        signal?.removeEventListener('abort', done);
      };
    });
  }

  /** What still arrives goes back. */
  end(): void {
    if (this.ended) return;
    this.ended = true;
    this.taker?.(undefined);
    if (this.js.link.connected) this.subscription.drain().catch(() => undefined);
    else this.subscription.unsubscribe();
  }

  /** @param begin sends the pulls; `done` ends the wait with nothing, what it returns is called at the end */
  private take(begin: (done: () => void) => () => void): Promise<Delivery<S> | undefined> {
    return new Promise((resolve) => {
      this.taker = (delivery) => {
        this.taker = undefined;
        this.pullEnded = () => undefined;
        resolve(delivery);
        finish();
      };
      const { taker } = this;
      const finish = begin(() => {
        if (this.taker === taker) taker(undefined);
      });
    });
  }

  private pull(source: S, body: object): string {
    const token = String(++this.pulls);
    this.sources.set(source.consumer, source);
    const { connection, connected } = this.js.link;
    if (!connected) return token;
    const subject = `$JS.API.CONSUMER.MSG.NEXT.${source.stream}.${source.consumer}`;
    const data = new TextEncoder().encode(JSON.stringify(body));
    connection.publish(subject, data, { reply: `${this.inbox}.${token}` });
    return token;
  }

  /** A delivery keeps the subject that it was published on; which consumer it is from says its reply subject. */
  private receive(message: Msg): void {
    const isDelivery = message.reply?.startsWith('$JS.ACK.') === true;
    if (!isDelivery) return this.pullEnded(message.subject.slice(this.inbox.length + 1));
    const source = this.sources.get(deliveryInfo(message.reply).consumer);
    if (this.taker && source) this.taker({ message, source });
    else message.respond(new TextEncoder().encode('-NAK'));
  }
}
