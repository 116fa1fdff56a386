/** Runs something later, off the caller's stack. Given by the runtime: `setImmediate`. */
export type Schedule = (fn: () => void) => void;

/** What a {@link DeliveryQueue} hands an item to. */
export interface Receiver<T> {
  receive(item: T): void;
}

/** Deliveries between two turns of the event loop: microtasks carry that many before timers and sockets get theirs. */
const turnLimit = 1_024;

/** Places that a queue keeps when it has run empty. A power of two, as all capacities. */
const restingCapacity = 1_024;
const largestResting = 65_536;

/**
 * First in, first out, drained off the stack of those who push. Receivers and items stand in two rings side
 * by side, so that a delivery allocates nothing.
 *
 * Invariants:
 * 1. Deliveries are made in the order of the pushes, one at a time, never inside `push` or `deliver`.
 * 2. While deliveries wait, exactly one drain is arranged or running.
 * 3. A receiver that throws does not keep the next from getting its item.
 * 4. No more than `turnLimit` deliveries are made without a turn of the event loop between them.
 */
export class DeliveryQueue<T = undefined> {
  private readonly schedule: Schedule;
  private readonly onError: (error: unknown) => void;
  private receivers: (Receiver<T | undefined> | undefined)[];
  private items: (T | undefined)[];
  private head = 0;
  private size = 0;
  private budget = turnLimit;
  private arranged = false;

  constructor(schedule: Schedule, onError: (error: unknown) => void) {
    this.schedule = schedule;
    this.onError = onError;
    this.receivers = emptyRing(restingCapacity);
    this.items = emptyRing(restingCapacity);
  }

  /** Runs a job when everything that was pushed before has been delivered. */
  push(job: () => void): void {
    this.put({ receive: job }, undefined);
  }

  /** Hands the item over when everything that was pushed before has been delivered. */
  deliver(receiver: Receiver<T>, item: T): void {
    this.put(receiver as Receiver<T | undefined>, item);
  }

  /** As {@link push}, without a function of its own. */
  wake(receiver: Receiver<undefined>): void {
    this.put(receiver as Receiver<T | undefined>, undefined);
  }

  /** Takes out every delivery for which `isGone` holds. Linear in what waits. */
  discard(isGone: (receiver: object, item: T | undefined) => boolean): void {
    const { receivers, items, head, size } = this;
    const mask = receivers.length - 1;
    this.reset(receivers.length);
    for (let index = 0; index < size; index++) {
      const at = (head + index) & mask;
      const receiver = receivers[at] as Receiver<T | undefined>;
      if (!isGone(receiver, items[at])) this.put(receiver, items[at]);
    }
  }

  private put(receiver: Receiver<T | undefined>, item: T | undefined): void {
    if (this.size === this.receivers.length) this.grow();
    const at = (this.head + this.size) & (this.receivers.length - 1);
    this.receivers[at] = receiver;
    this.items[at] = item;
    this.size++;
    if (!this.arranged) this.arrange();
  }

  /** A turn of the event loop costs ten times a microtask, so it is taken only when the budget is spent. */
  private arrange(): void {
    this.arranged = true;
    if (this.budget > 0) queueMicrotask(this.drain);
    else this.schedule(this.drainAnew);
  }

  private readonly drainAnew = (): void => {
    this.budget = turnLimit;
    this.drain();
  };

  private readonly drain = (): void => {
    for (; this.budget > 0 && this.size > 0; this.budget--) this.deliverNext();
    this.arranged = false;
    if (this.size > 0) this.arrange();
    else if (this.receivers.length > largestResting) this.reset(restingCapacity);
  };

  private deliverNext(): void {
    const at = this.head;
    const receiver = this.receivers[at] as Receiver<T | undefined>;
    const item = this.items[at];
    this.receivers[at] = undefined;
    this.items[at] = undefined;
    this.head = (at + 1) & (this.receivers.length - 1);
    this.size--;
    try {
      receiver.receive(item);
    } catch (error) {
      this.onError(error);
    }
  }

  /** Twice the places; amortised O(1). */
  private grow(): void {
    const { receivers, items, head, size } = this;
    this.reset(size * 2);
    for (let index = 0; index < size; index++) {
      const at = (head + index) & (size - 1);
      this.receivers[index] = receivers[at];
      this.items[index] = items[at];
    }
    this.size = size;
  }

  private reset(capacity: number): void {
    this.receivers = emptyRing(capacity);
    this.items = emptyRing(capacity);
    this.head = 0;
    this.size = 0;
  }
}

function emptyRing<E>(capacity: number): (E | undefined)[] {
  return new Array<E | undefined>(capacity).fill(undefined);
}
