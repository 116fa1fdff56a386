import { scheduleClasses } from './fair-share.ts';
import type { AgingEntry, AgingQueue } from './aging-queue.ts';
import type { PermitRequest, Units } from './permits.ts';
import { SlotHeap, type SlotItem } from './slot-heap.ts';

/** A waiting request and where it waits. */
export interface Waiting extends AgingEntry {
  readonly request: PermitRequest;
  readonly bucket: Bucket;
}

/** Requests of one scope with the same demand and the same priority: only the first of them can be next. */
export interface Bucket {
  readonly key: string;
  readonly demand: Units;
  readonly shape: Shape;
  readonly priority: number;
  readonly queue: AgingQueue<Waiting>;
}

/** A run, as the queue deals with it; see AdmissionScope. */
export interface Contestant {
  readonly rank: number;
  stale: boolean;
  contend(now: number): void;
  first(passes: (shape: Shape) => boolean, now: number): Waiting | undefined;
  reserve(bucket: Bucket): void;
  admit(entry: Waiting): PermitRequest;
}

/** A scope that has something to start, as it competes with the others for one shared demand. */
export interface Contender extends SlotItem {
  readonly scope: Contestant;
  readonly shape: Shape;
  /** The scope's {@link weightedShare} with one more of this demand. */
  share: number;
  /** Beginning of its longest wait, earlier by one ageing period for each step of priority. */
  key: number;
  /** Arrival of the request that waits longest. */
  sequence: number;
  /** The round of upkeep in which it was last found to have something to start. */
  round: number;
}

/** Requests that ask the process for the same: they fit all of them, or none. */
export interface Shape {
  readonly key: string;
  /** The part of the demand that the process limits. */
  readonly demand: Units;
  /** Contenders by class, see {@link scheduleClasses}; the one with the least share is on top. */
  readonly lanes: readonly SlotHeap<Contender>[];
  /** Buckets of this shape in all scopes. */
  buckets: number;
}

/**
 * The shared demands that somebody waits with. There are as many as there are different demands for what
 * the process limits: one, as long as it limits nothing but concurrency.
 *
 * Invariant: a shape is known as long as a bucket of it exists.
 */
export class Shapes {
  private readonly known = new Map<string, Shape>();
  private readonly first = scheduleClasses.map((): Contender | undefined => undefined);

  /** The shape of a shared demand, for one more bucket. */
  enter(key: string, demand: Units): Shape {
    const known = this.known.get(key);
    if (known) {
      known.buckets++;
      return known;
    }
    const lanes = scheduleClasses.map(() => new SlotHeap<Contender>(goesBefore));
    const shape = { key, demand, lanes, buckets: 1 };
    this.known.set(key, shape);
    return shape;
  }

  /** A bucket of this shape is gone. */
  leave(shape: Shape): void {
    if (--shape.buckets === 0) this.known.delete(shape.key);
  }

  /** Whether anybody of a class contends. */
  contend(rank: number): boolean {
    for (const { lanes } of this.known.values()) {
      if ((lanes[rank]?.size ?? 0) > 0) return true;
    }
    return false;
  }

  /**
   * The contender that comes first in each class among the shapes that pass the test. The answer is good
   * until the next call.
   */
  firstByClass(passes: (shape: Shape) => boolean): readonly (Contender | undefined)[] {
    this.first.fill(undefined);
    for (const shape of this.known.values()) {
      if (passes(shape)) this.improve(shape);
    }
    return this.first;
  }

  /** The contender that has waited longest, priority counted as waiting. Looks at all: ask seldom. */
  eldest(): Contender | undefined {
    let eldest: Contender | undefined;
    const lanes = [...this.known.values()].flatMap((shape) => shape.lanes);
    for (const contender of lanes.flatMap((lane) => lane.all())) {
      if (!eldest || waitsLonger(contender, eldest)) eldest = contender;
    }
    return eldest;
  }

  private improve({ lanes }: Shape): void {
    for (let rank = 0; rank < lanes.length; rank++) {
      const top = lanes[rank]?.peek();
      const best = this.first[rank];
      if (top && (!best || goesBefore(top, best))) this.first[rank] = top;
    }
  }
}

/** Least share first; then who has waited longest, priority counted as waiting; then arrival. */
function goesBefore(a: Contender, b: Contender): boolean {
  if (a.share !== b.share) return a.share < b.share;
  return waitsLonger(a, b);
}

function waitsLonger(a: Contender, b: Contender): boolean {
  if (a.key !== b.key) return a.key < b.key;
  return a.sequence < b.sequence;
}
