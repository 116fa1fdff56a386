/**
 * A binary min-heap of whole numbers from 0 in an array of fixed size. Push and pop are O(log n), and nothing
 * is allocated after the making: the generation of schedules lives on it.
 */
export class NumberHeap {
  size = 0;
  private readonly items: Int32Array;

  /** @param most how many numbers it holds at one time at most. */
  constructor(most: number) {
    this.items = new Int32Array(most);
  }

  /** The least number; -1 when there is none. */
  peek(): number {
    return this.size > 0 ? (this.items[0] ?? -1) : -1;
  }

  push(item: number): void {
    const { items } = this;
    let at = this.size++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = items[parent] ?? 0;
      if (above <= item) break;
      items[at] = above;
      at = parent;
    }
    items[at] = item;
  }

  /** Takes the least number out; -1 when there is none. */
  pop(): number {
    if (this.size === 0) return -1;
    const { items } = this;
    const top = items[0] ?? -1;
    const last = items[--this.size] ?? 0;
    const half = this.size >> 1;
    let at = 0;
    while (at < half) {
      let child = 2 * at + 1;
      let least = items[child] ?? 0;
      const right = child + 1;
      if (right < this.size && (items[right] ?? 0) < least) {
        child = right;
        least = items[child] ?? 0;
      }
      if (least >= last) break;
      items[at] = least;
      at = child;
    }
    items[at] = last;
    return top;
  }
}
