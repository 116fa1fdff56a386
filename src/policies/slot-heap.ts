/** What a {@link SlotHeap} holds. */
export interface SlotItem {
  /** Where the heap keeps it; below 0: in no heap. Only the heap writes it. */
  slot: number;
}

/**
 * Binary min-heap whose items know their place, so that one can be moved or taken out from the middle.
 * All changes are O(log n). Equal items leave in no particular order.
 *
 * Invariants:
 * 1. `items[item.slot] === item` for every item; one that has left has a slot below 0.
 * 2. No item comes before the one above it, provided that `settle` was called for each whose key changed.
 */
export class SlotHeap<T extends SlotItem> {
  private readonly items: T[] = [];
  private readonly before: (a: T, b: T) => boolean;

  constructor(before: (a: T, b: T) => boolean) {
    this.before = before;
  }

  get size(): number {
    return this.items.length;
  }

  peek(): T | undefined {
    return this.items[0];
  }

  /** All items, in no order. */
  all(): readonly T[] {
    return this.items;
  }

  /** Puts an item in, or back into its place after its key has changed. */
  settle(item: T): void {
    if (item.slot < 0) {
      item.slot = this.items.length;
      this.items.push(item);
    }
    this.sink(this.rise(item.slot, item), item);
  }

  /** Takes an item out; one that is not in stays out. */
  remove(item: T): void {
    const { slot } = item;
    if (slot < 0) return;
    item.slot = -1;
    const last = this.items.pop();
    if (last === undefined || last === item) return;
    last.slot = slot;
    this.sink(this.rise(slot, last), last);
  }

  private rise(from: number, item: T): number {
    const { items, before } = this;
    let slot = from;
    while (slot > 0) {
      const parent = (slot - 1) >> 1;
      const above = items[parent] as T;
      if (!before(item, above)) break;
      this.place(slot, above);
      slot = parent;
    }
    this.place(slot, item);
    return slot;
  }

  private sink(from: number, item: T): void {
    const { items, before } = this;
    const half = items.length >> 1;
    let slot = from;
    while (slot < half) {
      let child = 2 * slot + 1;
      const right = child + 1;
      if (right < items.length && before(items[right] as T, items[child] as T)) child = right;
      if (!before(items[child] as T, item)) break;
      this.place(slot, items[child] as T);
      slot = child;
    }
    this.place(slot, item);
  }

  private place(slot: number, item: T): void {
    this.items[slot] = item;
    item.slot = slot;
  }
}
