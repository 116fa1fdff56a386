import type { Attachment } from './connection.ts';
import type { DeliveryQueue } from './delivery-queue.ts';
import type { Message } from './message.ts';

/** Items handed over before other deliveries get their turn. */
const batchSize = 64;

/** What a {@link Feed} reads from and hands to. */
export interface FeedOptions<T> {
  readonly queue: DeliveryQueue<Message>;
  /** What the store holds behind the last item that was handed over, in order. */
  readonly rest: () => readonly T[];
  readonly hand: (item: T) => void;
  readonly report: (error: unknown) => void;
  /** Called once, when it ends. */
  readonly ended: () => void;
}

/**
 * Items of a store in order, each once, off the stack of whoever adds them. While its connection is away
 * nothing is kept for it: when it is back it reads on from where it was.
 *
 * Invariants:
 * 1. The inbox holds, in order, everything of the store behind the last item handed over, or the feed is away.
 * 2. Nothing is handed over after `stop`.
 */
export class Feed<T> implements Attachment {
  private readonly options: FeedOptions<T>;
  private inbox: readonly T[] = [];
  private added: T[] = [];
  private taken = 0;
  private away = false;
  private stopped = false;
  private pumping = false;

  constructor(options: FeedOptions<T>) {
    this.options = options;
  }

  /** Begins, or begins anew after a reconnection. */
  attached(): void {
    this.away = false;
    this.inbox = this.options.rest();
    this.arrange();
  }

  /** A new item of the store. */
  push(item: T): void {
    if (this.away || this.stopped) return;
    this.added.push(item);
    this.arrange();
  }

  detached(): void {
    this.away = true;
    this.empty();
  }

  closed(): void {
    this.stop();
  }

  stop(): void {
    if (this.stopped) return;
    this.stopped = true;
    this.empty();
    this.options.ended();
  }

  private empty(): void {
    this.inbox = [];
    this.added = [];
    this.taken = 0;
  }

  private arrange(): void {
    if (this.pumping) return;
    this.pumping = true;
    this.options.queue.push(this.pump);
  }

  private readonly pump = (): void => {
    this.pumping = false;
    for (let count = 0; count < batchSize && this.refilled(); count++)
      this.hand(this.inbox[this.taken++] as T);
    if (this.refilled()) this.arrange();
  };

  /** Whether the inbox has an item; what was added meanwhile becomes the inbox when it is through. */
  private refilled(): boolean {
    if (this.taken < this.inbox.length) return true;
    this.inbox = this.added;
    this.added = [];
    this.taken = 0;
    return this.inbox.length > 0;
  }

  private hand(item: T): void {
    try {
      this.options.hand(item);
    } catch (error) {
      this.options.report(error);
    }
  }
}
