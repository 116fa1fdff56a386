import type { Msg, NatsConnection, Subscription as ClientSubscription } from 'nats';
import { messageOf, TroupeError } from '../../core/errors.ts';
import type { Plain } from '../../core/plain.ts';
import type { BusMessage, SubscribeOptions, Subscription } from '../bus.ts';
import { contractError } from './client-errors.ts';
import type { Receiver } from './deliveries.ts';
import { isForeign, NatsMessage, payloadOf } from './messages.ts';

/** What subscriptions need of the connection. */
export interface SubscriptionLink {
  readonly connection: NatsConnection;
  deliver(job: () => void): void;
  deliverTo(receiver: Receiver<Msg>, message: Msg): void;
  fault(error: unknown, place: string): void;
}

/** What subscriptions need of their bus. */
export interface SubscriptionHost {
  readonly link: SubscriptionLink;
  answer(reply: string, payload: Plain): void;
  /** The subscription has ended. */
  ended(subscription: NatsSubscription): void;
}

/** An interest that is about to be made known to the server. */
export interface Interest {
  readonly pattern: string;
  readonly handler: (message: BusMessage) => void | Promise<void>;
  readonly options: SubscribeOptions;
}

const defaultMaxPending = 262_144;

/**
 * One subscription.
 *
 * Invariants:
 * 1. `pending` messages came and were not handed over yet; at most `maxPending`, the rest is dropped and counted.
 * 2. With `sequential`, at most one promise of the handler is open, and messages behind it wait in `backlog`.
 * 3. After `unsubscribe` the handler is not called.
 */
export class NatsSubscription implements Subscription, Receiver<Msg> {
  private readonly host: SubscriptionHost;
  private readonly interest: Interest;
  private readonly client: ClientSubscription;
  private readonly maxPending: number;
  private backlog: Msg[] = [];
  private backlogNext = 0;
  private pending = 0;
  private lost = 0;
  private busy = false;
  private active = true;
  private readonly idlers: (() => void)[] = [];

  constructor(host: SubscriptionHost, interest: Interest) {
    this.host = host;
    this.interest = interest;
    this.maxPending = interest.options.maxPending ?? defaultMaxPending;
    const { queue } = interest.options;
    const callback = (error: unknown, message: Msg): void => {
      // A refusal is reported where the connection hears of it.
      if (!error) this.take(message);
    };
    this.client = host.link.connection.subscribe(
      interest.pattern,
      queue === undefined ? { callback } : { callback, queue },
    );
  }

  get dropped(): number {
    return this.lost;
  }

  unsubscribe(): void {
    if (!this.active) return;
    this.active = false;
    this.client.unsubscribe();
    this.backlog = [];
    this.settleIdlers();
    this.host.ended(this);
  }

  /** Takes no new messages, and resolves when those that were on their way have been handed over. */
  async drain(): Promise<void> {
    try {
      // The client has ended one that the server refused.
      if (!this.client.isClosed()) await this.client.drain();
    } catch (error) {
      this.host.link.fault(contractError(error, 'Ending a subscription'), this.interest.pattern);
    }
    if (this.active && (this.pending > 0 || this.busy))
      await new Promise<void>((resolve) => this.idlers.push(resolve));
  }

  /** A message's turn has come. */
  receive(message: Msg): void {
    if (this.busy) this.backlog.push(message);
    else this.hand(message);
  }

  private take(message: Msg): void {
    if (this.pending >= this.maxPending) {
      this.lost++;
      return;
    }
    this.pending++;
    this.host.link.deliverTo(this, message);
  }

  private hand(message: Msg): void {
    this.pending--;
    const read = this.active ? this.read(message) : undefined;
    if (read) this.call(read);
    if (!this.busy && this.pending === 0) this.settleIdlers();
  }

  /** Undefined: it is no message of the bus, or cannot be read, which is reported. */
  private read(message: Msg): BusMessage | undefined {
    const { host } = this;
    try {
      if (isForeign(message)) return undefined;
      return new NatsMessage(message, payloadOf(message), (reply, payload) =>
        host.answer(reply, payload),
      );
    } catch (error) {
      const text = `A message was skipped: ${messageOf(error)}`;
      host.link.fault(new TroupeError('TRP_BUS_PAYLOAD', text, { cause: error }), message.subject);
      return undefined;
    }
  }

  private call(message: BusMessage): void {
    try {
      const result = this.interest.handler(message);
      if (result instanceof Promise) this.follow(result, message.subject);
    } catch (error) {
      this.host.link.fault(error, message.subject);
    }
  }

  private follow(result: Promise<void>, subject: string): void {
    const reported = result.catch((error: unknown) => this.host.link.fault(error, subject));
    if (!this.interest.options.sequential) return;
    this.busy = true;
    void reported.then(() => this.host.link.deliver(() => this.goOn()));
  }

  /** The next of the backlog; synchronous handlers are served in one turn. */
  private goOn(): void {
    this.busy = false;
    while (!this.busy && this.backlogNext < this.backlog.length) {
      const message = this.backlog[this.backlogNext++];
      if (message) this.hand(message);
    }
    if (this.backlogNext * 2 > this.backlog.length) {
      this.backlog = this.backlog.slice(this.backlogNext);
      this.backlogNext = 0;
    }
    if (!this.busy && this.pending === 0) this.settleIdlers();
  }

  private settleIdlers(): void {
    for (const resolve of this.idlers.splice(0)) resolve();
  }
}
