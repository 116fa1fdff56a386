/**
 * Events for one reader, as an async iterable.
 *
 * Invariants:
 * 1. A reader gets every event pushed between its creation and its end, in order.
 * 2. At most `maxBuffered` events wait; a reader that falls further behind loses the oldest, so that a
 *    forgotten reader cannot fill the memory.
 */
export class EventStream<T> implements AsyncIterable<T>, AsyncIterator<T> {
  /** Events that were not read in time. */
  dropped = 0;
  private buffer: (T | undefined)[] = [];
  private head = 0;
  private waiting: ((result: IteratorResult<T>) => void) | undefined;
  private ended = false;
  private readonly onReturn: () => void;

  /** @param onReturn called when the reader stops reading. */
  constructor(onReturn: () => void) {
    this.onReturn = onReturn;
  }

  push(event: T): void {
    if (this.waiting) {
      const deliver = this.waiting;
      this.waiting = undefined;
      deliver({ done: false, value: event });
      return;
    }
    this.buffer.push(event);
    if (this.buffer.length - this.head > maxBuffered) {
      this.buffer[this.head++] = undefined;
      this.dropped++;
    }
    this.compact();
  }

  end(): void {
    this.ended = true;
    this.waiting?.({ done: true, value: undefined });
    this.waiting = undefined;
  }

  [Symbol.asyncIterator](): AsyncIterator<T> {
    return this;
  }

  next(): Promise<IteratorResult<T>> {
    if (this.head < this.buffer.length) {
      const value = this.buffer[this.head] as T;
      this.buffer[this.head++] = undefined;
      this.compact();
      return Promise.resolve({ done: false, value });
    }
    if (this.ended) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve) => {
      this.waiting = resolve;
    });
  }

  return(): Promise<IteratorResult<T>> {
    this.onReturn();
    this.end();
    return Promise.resolve({ done: true, value: undefined });
  }

  /** Lets go of what has been read, at an amortised cost of O(1) per event. */
  private compact(): void {
    if (this.head < 1024 || this.head * 2 < this.buffer.length) return;
    this.buffer = this.buffer.slice(this.head);
    this.head = 0;
  }
}

/** Events that may wait for one reader. */
export const maxBuffered = 100_000;
