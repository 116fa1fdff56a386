import type { Subscription } from '../bus.ts';
import { checkQueue } from '../subject-grammar.ts';
import type { Message } from './message.ts';
import type { Server } from './server.ts';
import { Subscriber } from './subscriber.ts';
import type { SubscriberHome, SubscriberOptions } from './subscriber.ts';

/**
 * The subscriptions of one connection.
 *
 * Invariant: a subscriber is known to the server exactly while it is active and the connection is there.
 */
export class Subscriptions implements SubscriberHome {
  private readonly server: Server;
  private readonly onError: (error: unknown, subject: string) => void;
  private readonly all = new Set<Subscriber>();
  private away = false;
  private lostMessages = 0;
  /** Counts disconnections: what was sent before the last one does not arrive. */
  private epoch = 0;

  constructor(server: Server, onError: (error: unknown, subject: string) => void) {
    this.server = server;
    this.onError = onError;
  }

  /** Messages that subscribers had no room for. */
  get dropped(): number {
    return this.lostMessages;
  }

  /** Throws TRP_BUS_SUBJECT for a queue group whose name is no token. */
  add(options: SubscriberOptions): Subscription {
    if (options.queue !== undefined) checkQueue(options.queue);
    const subscriber = new Subscriber(options, this);
    this.all.add(subscriber);
    if (!this.away) this.server.subscribers.add(subscriber);
    return {
      get dropped() {
        return subscriber.dropped;
      },
      unsubscribe: () => this.remove(subscriber),
    };
  }

  /** The connection is gone. @returns how many messages were lost on their way to its subscribers. */
  detach(): number {
    this.away = true;
    for (const subscriber of this.all) this.server.subscribers.remove(subscriber);
    this.epoch++;
    const lost = new Set<unknown>();
    this.server.deliveries.discard((receiver, message) => {
      if (!(receiver instanceof Subscriber) || !this.all.has(receiver)) return false;
      receiver.forget();
      lost.add(message);
      return true;
    });
    return lost.size;
  }

  /** The connection is back. */
  attach(): void {
    this.away = false;
    for (const subscriber of this.all) this.server.subscribers.add(subscriber);
  }

  /** Nobody gets anything any more. */
  end(): void {
    for (const subscriber of this.all) this.remove(subscriber);
  }

  carry(subscriber: Subscriber, message: Message): void {
    const { network, deliveries } = this.server;
    if (!network) {
      deliveries.deliver(subscriber, message);
      return;
    }
    const { epoch } = this;
    const copies = network.send(subscriber, () => {
      if (epoch === this.epoch) deliveries.deliver(subscriber, message);
      else subscriber.forget();
    });
    if (copies === 0) subscriber.forget();
    if (copies === 2) subscriber.expectAgain();
  }

  passOn(queue: string, message: Message): void {
    this.server.subscribers.reachedBy(message.subject).pick(queue)?.offer(message);
  }

  report(error: unknown, subject: string): void {
    this.onError(error, subject);
  }

  lost(): void {
    this.lostMessages++;
  }

  private remove(subscriber: Subscriber): void {
    if (!this.all.delete(subscriber)) return;
    if (!this.away) this.server.subscribers.remove(subscriber);
    subscriber.leave();
  }
}
