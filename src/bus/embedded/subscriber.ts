import type { BusMessage } from '../bus.ts';
import type { Receiver } from './delivery-queue.ts';
import type { Message } from './message.ts';

/** What a subscription calls. */
export type Handler = (message: BusMessage) => void | Promise<void>;

/** What a subscriber needs of the bus that it belongs to. */
export interface SubscriberHome {
  /** Brings the message to the subscriber, later; what is lost on the way never arrives. */
  carry(subscriber: Subscriber, message: Message): void;
  /** Gives a message that its receiver left behind to another of its group. */
  passOn(queue: string, message: Message): void;
  report(error: unknown, subject: string): void;
  /** Counts a message that was not handed over. */
  lost(): void;
}

/** How a subscriber is made. */
export interface SubscriberOptions {
  readonly pattern: string;
  readonly handler: Handler;
  readonly queue: string | undefined;
  readonly maxPending: number;
  readonly sequential: boolean;
}

/**
 * One interest.
 *
 * Invariants:
 * 1. `pending` is the number of messages that were offered and neither handed over nor lost.
 * 2. The handler is never called again once `active` is false.
 * 3. With `sequential`, the handler is never called while a promise that it returned is open.
 */
export class Subscriber implements Receiver<Message> {
  readonly pattern: string;
  readonly queue: string | undefined;
  /** Where it stands in the list of those with its pattern; kept by that list. */
  slot = -1;
  active = true;
  pending = 0;
  dropped = 0;
  private readonly handler: Handler;
  private readonly home: SubscriberHome;
  private readonly maxPending: number;
  private readonly sequential: boolean;
  private busy = false;
  private backlog: Message[] | undefined;
  /** How many of the backlog have been handed over; forgotten when they are half of it. */
  private begun = 0;

  constructor(options: SubscriberOptions, home: SubscriberHome) {
    this.pattern = options.pattern;
    this.queue = options.queue;
    this.handler = options.handler;
    this.maxPending = options.maxPending;
    this.sequential = options.sequential;
    this.home = home;
  }

  /** A message that fits. */
  offer(message: Message): void {
    if (this.pending >= this.maxPending) {
      this.dropped++;
      this.home.lost();
      return;
    }
    this.pending++;
    this.home.carry(this, message);
  }

  receive(message: Message): void {
    if (this.busy && this.active) {
      (this.backlog ??= []).push(message);
      return;
    }
    this.pending--;
    if (this.active) this.hand(message);
    else this.leaveBehind(message);
  }

  /** Messages that wait for the handler are left to others of the group. */
  leave(): void {
    this.active = false;
    const left = this.backlog?.slice(this.begun) ?? [];
    this.backlog = undefined;
    this.begun = 0;
    this.pending -= left.length;
    for (const message of left) this.leaveBehind(message);
  }

  /** A message that was offered never came, or is gone with the connection. */
  forget(): void {
    this.pending--;
  }

  /** A message that was offered comes twice. */
  expectAgain(): void {
    this.pending++;
  }

  private hand(message: Message): void {
    try {
      const result: unknown = this.handler(message);
      if (result instanceof Promise) this.follow(result, message.subject);
    } catch (error) {
      this.home.report(error, message.subject);
    }
  }

  private follow(result: Promise<unknown>, subject: string): void {
    const reported = result.catch((error: unknown) => this.home.report(error, subject));
    if (!this.sequential) return;
    this.busy = true;
    void reported.then(this.next);
  }

  /** Hands over what has waited, until the handler is at work again. */
  private readonly next = (): void => {
    this.busy = false;
    while (!this.busy && this.backlog && this.begun < this.backlog.length)
      this.receive(this.backlog[this.begun++] as Message);
    if (!this.backlog || this.begun * 2 < this.backlog.length) return;
    this.backlog = this.backlog.slice(this.begun);
    this.begun = 0;
  };

  private leaveBehind(message: Message): void {
    if (this.queue !== undefined) this.home.passOn(this.queue, message);
  }
}
