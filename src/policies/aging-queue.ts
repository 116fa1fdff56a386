/** What decides the order of entries that wait for the same thing. */
export interface AgingEntry {
  /** When the wait began, milliseconds. */
  readonly at: number;
  /** Changed only by {@link AgingQueue.rerank} while it is in a queue. */
  rank: number;
  /** Order of arrival; unique within a queue. */
  readonly sequence: number;
  /** Where the queue keeps it; only the queue writes it. */
  slot: number;
}

const smallestCapacity = 16;

/**
 * A priority queue whose order changes with time: entries that have waited more whole periods come first,
 * then higher rank, then earlier arrival. A tournament tree over slots in order of arrival; add and remove
 * are O(log n) amortised, head is O(log n).
 *
 * Invariants:
 * 1. Slots are filled in order of arrival, and `ats` never decreases; so periods waited never increase from
 *    slot to slot, and those who waited longest are a prefix.
 * 2. `tree[capacity + slot]` is the entry of the slot or undefined; an inner node is the better of its two.
 * 3. Every live slot is in [first, ats.length), and the slots `first` and `ats.length - 1` are live unless
 *    the queue is empty.
 * 4. `size` is the number of live slots.
 */
export class AgingQueue<T extends AgingEntry> {
  private tree: (T | undefined)[] = [];
  private ats: number[] = [];
  private capacity = 0;
  private first = 0;
  private live = 0;
  private readonly periodMs: number;

  /** @param periodMs waiting time that counts as one step, above 0; Infinity: waiting never counts. */
  constructor(periodMs: number) {
    this.periodMs = periodMs;
  }

  get size(): number {
    return this.live;
  }

  /** Adds an entry; its `at` and its `sequence` are not below those of any entry added before. */
  add(entry: T): void {
    if (this.ats.length === this.capacity) this.rebuild();
    entry.slot = this.ats.length;
    this.ats.push(entry.at);
    this.live++;
    this.put(entry.slot, entry);
  }

  /** Removes an entry that is in the queue. */
  remove(entry: T): void {
    this.put(entry.slot, undefined);
    this.live--;
    this.trim();
    if (this.capacity > smallestCapacity && this.live * 8 < this.capacity) this.rebuild();
  }

  /** Gives an entry that is in the queue another rank. */
  rerank(entry: T, rank: number): void {
    entry.rank = rank;
    this.put(entry.slot, entry);
  }

  /** The entry that comes first at `now`. */
  head(now: number): T | undefined {
    if (this.live === 0) return undefined;
    const periods = this.periodsWaited(this.first, now);
    const end = this.ats.length;
    if (this.periodsWaited(end - 1, now) === periods) return this.tree[1];
    return this.bestBelow(this.endOf(periods, now));
  }

  /** The entry that has waited longest. */
  oldest(): T | undefined {
    return this.tree[this.capacity + this.first];
  }

  private periodsWaited(slot: number, now: number): number {
    return periodsWaited(this.ats[slot] as number, now, this.periodMs);
  }

  /** First slot that has waited less than `periods`, by bisection (invariant 1). */
  private endOf(periods: number, now: number): number {
    let low = this.first;
    let high = this.ats.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.periodsWaited(middle, now) >= periods) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Best entry of the slots before `end`. */
  private bestBelow(end: number): T | undefined {
    let best: T | undefined;
    for (let node = this.capacity + end; node > 1; node >>= 1) {
      if (node & 1) best = better(this.tree[node - 1], best);
    }
    return best;
  }

  private put(slot: number, entry: T | undefined): void {
    const { tree } = this;
    let node = this.capacity + slot;
    tree[node] = entry;
    for (node >>= 1; node > 0; node >>= 1) tree[node] = better(tree[2 * node], tree[2 * node + 1]);
  }

  /** Restores invariant 3 after a removal. */
  private trim(): void {
    const { tree, ats, capacity } = this;
    while (this.first < ats.length && !tree[capacity + this.first]) this.first++;
    while (ats.length > this.first && !tree[capacity + ats.length - 1]) ats.pop();
    if (this.live === 0) this.first = ats.length = 0;
  }

  /** Packs the live entries into slots from 0, in a tree at most half full. */
  private rebuild(): void {
    const entries = this.tree
      .slice(this.capacity + this.first, this.capacity + this.ats.length)
      .filter((entry) => entry !== undefined);
    let capacity = smallestCapacity;
    while (capacity < 2 * entries.length) capacity *= 2;
    this.capacity = capacity;
    this.first = 0;
    this.ats = entries.map((entry) => entry.at);
    this.tree = treeOf(entries, capacity);
  }
}

/**
 * When a wait began, earlier by one period for each step of priority: who has the smaller one has waited
 * longer, all in all. Without periods, only priority counts.
 */
export function ageKey(at: number, priority: number, periodMs: number): number {
  return periodMs === Infinity ? -priority : at - priority * periodMs;
}

/** Whole periods between two times; 0 when periods do not end. */
export function periodsWaited(at: number, now: number, periodMs: number): number {
  return Math.floor((now - at) / periodMs);
}

function treeOf<T extends AgingEntry>(entries: readonly T[], capacity: number): (T | undefined)[] {
  const tree = new Array<T | undefined>(2 * capacity).fill(undefined);
  entries.forEach((entry, slot) => {
    entry.slot = slot;
    tree[capacity + slot] = entry;
  });
  for (let node = capacity - 1; node > 0; node--)
    tree[node] = better(tree[2 * node], tree[2 * node + 1]);
  return tree;
}

function better<T extends AgingEntry>(a: T | undefined, b: T | undefined): T | undefined {
  if (!a || !b) return a ?? b;
  if (a.rank !== b.rank) return a.rank > b.rank ? a : b;
  return a.sequence < b.sequence ? a : b;
}
