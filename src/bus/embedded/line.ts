/** What stands in a {@link Line}, in at most one at a time. */
export interface Linked<T> {
  before: T | undefined;
  after: T | undefined;
  /** The line that it stands in. */
  line: object | undefined;
}

/**
 * First come, first served, where anybody may leave from the middle: a doubly linked list through the items
 * themselves. Every verb is O(1).
 *
 * Invariant: an item's `line` is this line exactly while it stands in it.
 */
export class Line<T extends Linked<T>> {
  first: T | undefined;
  private last: T | undefined;
  private count = 0;

  get size(): number {
    return this.count;
  }

  /** Puts an item at the end. */
  push(item: T): void {
    item.line = this;
    item.before = this.last;
    if (this.last) this.last.after = item;
    else this.first = item;
    this.last = item;
    this.count++;
  }

  /** Puts an item at the front. */
  unshift(item: T): void {
    item.line = this;
    item.after = this.first;
    if (this.first) this.first.before = item;
    else this.last = item;
    this.first = item;
    this.count++;
  }

  /** Takes the first item out. */
  shift(): T | undefined {
    const { first } = this;
    if (first) this.remove(first);
    return first;
  }

  /** Takes an item out, wherever it stands; nothing happens when it stands elsewhere. */
  remove(item: T): void {
    if (item.line !== this) return;
    if (item.before) item.before.after = item.after;
    else this.first = item.after;
    if (item.after) item.after.before = item.before;
    else this.last = item.before;
    item.before = undefined;
    item.after = undefined;
    item.line = undefined;
    this.count--;
  }
}
