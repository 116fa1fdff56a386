import type { Clock } from '../../core/clock.ts';
import type { Deadline, Deadlines } from '../../core/deadlines.ts';
import type { Plain } from '../../core/plain.ts';
import { checkHeaders } from '../headers.ts';
import type { Headers } from '../headers.ts';
import type {
  AddOptions,
  Added,
  DeadLetter,
  PullOptions,
  QueueDepth,
  WorkItem,
  WorkLevel,
  WorkQueue,
} from '../work-queue.ts';
import { closedError } from './bus-errors.ts';
import type { Attachment, Connection } from './connection.ts';
import type { Held, Puller, StoredItem, StoredQueue } from './stored-queue.ts';

/** What the faces of stored things share. */
export interface FaceOptions {
  readonly connection: Connection;
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  /** The payload as it is stored. Throws TRP_BUS_PAYLOAD. */
  readonly checked: (payload: Plain) => Plain;
}

/** A queue as one connection sees it. */
export class EmbeddedWorkQueue implements WorkQueue {
  readonly pool: string;
  private readonly queue: StoredQueue;
  private readonly options: FaceOptions;

  constructor(queue: StoredQueue, options: FaceOptions) {
    this.pool = queue.pool;
    this.queue = queue;
    this.options = options;
  }

  async add(payload: Plain, { id, level = 'p2', headers = {} }: AddOptions): Promise<Added> {
    const { connection, checked } = this.options;
    const item = { id, level, payload: checked(payload), headers: checkHeaders(headers) };
    return connection.call(() => this.queue.add(item));
  }

  async pull({ waitMs = 0, signal }: PullOptions = {}): Promise<WorkItem | undefined> {
    const { clock, connection } = this.options;
    const until = clock.now() + waitMs;
    for (;;) {
      if (signal?.aborted) return undefined;
      const leftMs = Math.max(0, until - clock.now());
      const pulled = await connection.call(() => this.pullOnce(leftMs, signal), leftMs);
      if (pulled !== 'cut') return pulled;
    }
  }

  depth(): Promise<QueueDepth> {
    return this.options.connection.call(() => this.queue.depth());
  }

  deadLetters(): Promise<readonly DeadLetter[]> {
    return this.options.connection.call(() => this.queue.deadLetters());
  }

  forget(seq: number): Promise<boolean> {
    return this.options.connection.call(() => this.queue.forget(seq));
  }

  private pullOnce(
    waitMs: number,
    signal: AbortSignal | undefined,
  ): Promise<WorkItem | undefined | 'cut'> {
    return new Promise((resolve, reject) => {
      const pull = new Pull({ ...this.options, queue: this.queue, resolve, reject, signal });
      pull.begin(waitMs);
    });
  }
}

interface PullParts extends FaceOptions {
  readonly queue: StoredQueue;
  readonly resolve: (item: WorkItem | undefined | 'cut') => void;
  readonly reject: (error: Error) => void;
  readonly signal: AbortSignal | undefined;
}

/**
 * One wait for an item.
 *
 * Invariants:
 * 1. It is settled once, and stands in the queue's line only before.
 * 2. An item that arrives after it was settled goes back to the queue; one that is lost with the connection
 *    does not.
 */
class Pull implements Puller, Attachment {
  before: Puller | undefined;
  after: Puller | undefined;
  line: object | undefined;
  private readonly parts: PullParts;
  private readonly detach: () => void;
  private deadline: Deadline | undefined;
  private settled = false;
  private lost = false;

  constructor(parts: PullParts) {
    this.parts = parts;
    this.detach = parts.connection.attach(this);
    parts.signal?.addEventListener('abort', this.abort);
  }

  begin(waitMs: number): void {
    const { queue, deadlines, clock } = this.parts;
    queue.enter(this);
    if (this.settled) return;
    if (waitMs > 0) this.deadline = deadlines.at(clock.now() + waitMs, this.giveUp);
    else this.giveUp();
  }

  serve(item: StoredItem, delivery: number): void {
    const held = { item, delivery };
    if (this.settled) {
      if (!this.lost) this.parts.queue.returned(held);
      return;
    }
    this.settle();
    this.parts.resolve(new HeldItem(held, this.parts));
  }

  detached(): void {
    this.lost = true;
    this.settle();
    this.parts.resolve('cut');
  }

  attached(): void {
    // It was settled when the connection went.
  }

  closed(): void {
    this.settle();
    this.parts.reject(closedError());
  }

  private readonly abort = (): void => {
    this.settle();
    this.parts.resolve(undefined);
  };

  /** What is on its way when the time is over still arrives. */
  private readonly giveUp = (): void => {
    if (this.line) this.abort();
  };

  private settle(): void {
    this.settled = true;
    this.parts.queue.leave(this);
    this.deadline?.cancel();
    this.detach();
    this.parts.signal?.removeEventListener('abort', this.abort);
  }
}

/** An item in the hands of a consumer. */
class HeldItem implements WorkItem {
  readonly id: string;
  readonly level: WorkLevel;
  readonly payload: Plain;
  readonly headers: Headers;
  readonly deliveries: number;
  readonly #held: Held;
  readonly #queue: StoredQueue;
  readonly #connection: Connection;

  constructor(held: Held, { queue, connection }: PullParts) {
    const { id, level, payload, headers } = held.item;
    this.id = id;
    this.level = level;
    this.payload = payload;
    this.headers = headers;
    this.deliveries = held.delivery;
    this.#held = held;
    this.#queue = queue;
    this.#connection = connection;
  }

  ack(): Promise<void> {
    return this.#connection.call(() => this.#queue.ack(this.#held));
  }

  nak(delayMs = 0): Promise<void> {
    return this.#connection.call(() => this.#queue.nak(this.#held, delayMs));
  }

  inProgress(): Promise<void> {
    return this.#connection.call(() => this.#queue.inProgress(this.#held));
  }

  term(reason: string): Promise<void> {
    return this.#connection.call(() => this.#queue.term(this.#held, reason));
  }
}
