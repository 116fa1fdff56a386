import type { Schedule } from '../embedded/delivery-queue.ts';

/** What an item is handed to. */
export interface Receiver<T> {
  receive(item: T): void;
}

/**
 * First in, first out, off the stack of the client's read loop. A turn hands over everything that waited when it began:
 * with a fixed number per turn, a burst that the sockets bring faster would pile up without end, since every turn reads
 * as much as there is.
 *
 * Invariants:
 * 1. Items are handed over in the order of coming, one at a time, never inside `put` or `push`.
 * 2. While items wait, exactly one turn is scheduled or running.
 * 3. A receiver that throws does not keep the next from getting its item.
 */
export class Deliveries<T> {
  private readonly schedule: Schedule;
  private readonly onError: (error: unknown) => void;
  /** Receivers and items stand side by side, so that a delivery allocates nothing. */
  private receivers: Receiver<T | undefined>[] = [];
  private items: (T | undefined)[] = [];
  private scheduled = false;

  constructor(schedule: Schedule, onError: (error: unknown) => void) {
    this.schedule = schedule;
    this.onError = onError;
  }

  /** Hands the item over when everything before it has been. */
  put(receiver: Receiver<T>, item: T): void {
    this.add(receiver as Receiver<T | undefined>, item);
  }

  /** Runs the job when everything before it has been handed over. */
  push(job: () => void): void {
    this.add({ receive: job }, undefined);
  }

  private add(receiver: Receiver<T | undefined>, item: T | undefined): void {
    this.receivers.push(receiver);
    this.items.push(item);
    this.arrange();
  }

  private arrange(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    this.schedule(this.turn);
  }

  private readonly turn = (): void => {
    const { receivers, items } = this;
    this.receivers = [];
    this.items = [];
    for (const [index, receiver] of receivers.entries()) this.hand(receiver, items[index]);
    this.scheduled = false;
    if (this.receivers.length > 0) this.arrange();
  };

  private hand(receiver: Receiver<T | undefined>, item: T | undefined): void {
    try {
      receiver.receive(item);
    } catch (error) {
      this.onError(error);
    }
  }
}
