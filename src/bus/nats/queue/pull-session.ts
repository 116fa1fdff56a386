import type { Msg, Subscription } from 'nats';
import { newInbox } from '../inbox.ts';
import type { JetStream } from '../jetstream.ts';
import { deliveryInfo } from '../stored-message.ts';
import { nanosPerMs } from '../streams.ts';
import { StandingPulls } from './standing-pulls.ts';

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

/** Somebody who wants one message of one of these consumers. */
interface Taker<S extends Source> {
  readonly sources: ReadonlyMap<string, S>;
  /** A pull of this name that ends with nothing ends the taking. */
  readonly endsWith: string | undefined;
  take(delivery: Delivery<S> | undefined): void;
}

/** A server that says nothing to a pull that is to be answered at once has it waiting, in milliseconds. */
const silenceMs = 100;
/** Longest wait that is asked of the server at one time, in milliseconds. */
const longestWaitMs = 10_000;
/** A pull whose time is over: the server ends it with this status. */
const expired = 408;

/**
 * The pulls of those who want one message each: of one consumer now, or of several, whichever has one first.
 *
 * Invariants:
 * 1. A message that arrives while nobody takes one goes back at once.
 * 2. Its inbox is there for as long as the queue is open. The server does not see in time that an inbox is gone: it
 *    would send to a pull that nobody listens for any more, and the message came again only after its ack wait. So a
 *    pull that its taker no longer needs stays, for the next one to use.
 * 3. A consumer has as many pulls that wait as there are takers who wait for it, or more.
 */
export class PullSession<S extends Source> {
  private readonly js: JetStream;
  private readonly inbox: string;
  private readonly subscription: Subscription;
  private readonly standing: StandingPulls;
  private readonly stopListening: () => void;
  /** Those who want what is there now go before those who wait; each in order of coming. */
  private readonly hurried = new Set<Taker<S>>();
  private readonly waiting = new Set<Taker<S>>();
  private pulls = 0;
  private ended = false;

  constructor(js: JetStream) {
    const { link } = js;
    this.js = js;
    this.standing = new StandingPulls(link.clock);
    this.inbox = newInbox(link.connection);
    this.subscription = link.connection.subscribe(`${this.inbox}.*`, {
      callback: (error, message) => {
        try {
          if (error) link.fault(error, this.inbox);
          else this.receive(message);
        } catch (fault) {
          link.fault(fault, this.inbox);
        }
      },
    });
    // The server has dropped the pulls of the connection that was lost.
    this.stopListening = link.onReconnect(() => {
      this.standing.clear();
      for (const taker of this.waiting) taker.take(undefined);
    });
  }

  /** What a consumer has now. */
  now(source: S): Promise<Delivery<S> | undefined> {
    if (this.ended) return Promise.resolve(undefined);
    const { clock } = this.js.link;
    const token = this.pull(source, { batch: 1, no_wait: true });
    return new Promise((resolve) => {
      const taker: Taker<S> = {
        sources: new Map([[source.consumer, source]]),
        endsWith: token,
        take: (delivery) => {
          clock.clearTimeout(timer);
          this.hurried.delete(taker);
          resolve(delivery);
        },
      };
      const timer = clock.setTimeout(() => taker.take(undefined), silenceMs);
      this.hurried.add(taker);
    });
  }

  /** The first that one of the consumers has within the time. Ends early when the connection was made anew. */
  wait(sources: readonly S[], { waitMs, signal }: WaitOptions): Promise<Delivery<S> | undefined> {
    const { clock } = this.js.link;
    if (signal?.aborted === true || this.ended) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const taker: Taker<S> = {
        sources: new Map(sources.map((source) => [source.consumer, source])),
        endsWith: undefined,
        take: (delivery) => {
          clock.clearTimeout(timer);
          signal?.removeEventListener('abort', leave);
          this.waiting.delete(taker);
          resolve(delivery);
        },
      };
      const leave = (): void => taker.take(undefined);
      const timer = clock.setTimeout(leave, Math.min(waitMs, longestWaitMs));
      signal?.addEventListener('abort', leave, { once: true });
      this.waiting.add(taker);
      for (const source of sources) this.replenish(source);
    });
  }

  /** What still arrives goes back. */
  end(): void {
    if (this.ended) return;
    this.ended = true;
    this.stopListening();
    for (const taker of [...this.hurried, ...this.waiting]) taker.take(undefined);
    if (this.js.link.connected) this.subscription.drain().catch(() => undefined);
    else this.subscription.unsubscribe();
  }

  /** As many pulls wait at the consumer as takers do. */
  private replenish(source: S): void {
    const { consumer } = source;
    let wanted = 0;
    for (const { sources } of this.waiting) if (sources.has(consumer)) wanted++;
    for (let open = this.standing.count(consumer); open < wanted; open++) {
      if (!this.js.link.connected) return;
      const token = this.pull(source, { batch: 1, expires: longestWaitMs * nanosPerMs });
      this.standing.add(consumer, token, longestWaitMs);
    }
  }

  private pull({ stream, consumer }: S, body: object): string {
    const token = String(++this.pulls);
    const { connection, connected } = this.js.link;
    if (!connected) return token;
    const subject = `$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumer}`;
    const data = new TextEncoder().encode(JSON.stringify(body));
    connection.publish(subject, data, { reply: `${this.inbox}.${token}` });
    return token;
  }

  /** A delivery keeps the subject that it was published on; which consumer it is from says its reply subject. */
  private receive(message: Msg): void {
    const isDelivery = message.reply?.startsWith('$JS.ACK.') === true;
    if (!isDelivery) return this.pullEnded(message);
    const { consumer } = deliveryInfo(message.reply);
    this.standing.served(consumer);
    const taker = takerOf(this.hurried, consumer) ?? takerOf(this.waiting, consumer);
    const source = taker?.sources.get(consumer);
    if (!taker || !source) return void message.respond(new TextEncoder().encode('-NAK'));
    taker.take({ message, source });
    // Others may wait for it whose pull this was.
    this.replenish(source);
  }

  private pullEnded(message: Msg): void {
    const token = message.subject.slice(this.inbox.length + 1);
    for (const taker of this.hurried) if (taker.endsWith === token) return taker.take(undefined);
    const consumer = this.standing.ended(token);
    if (consumer === undefined) return;
    for (const taker of this.waiting) {
      const source = taker.sources.get(consumer);
      if (!source) continue;
      if (message.headers?.code === expired) return this.replenish(source);
      // Refused: who waited for nothing else looks again, and hears why.
      const isOver = [...taker.sources.keys()].every((each) => this.standing.count(each) === 0);
      if (isOver && this.js.link.connected) taker.take(undefined);
    }
  }
}

function takerOf<S extends Source>(
  takers: ReadonlySet<Taker<S>>,
  consumer: string,
): Taker<S> | undefined {
  for (const taker of takers) if (taker.sources.has(consumer)) return taker;
  return undefined;
}
