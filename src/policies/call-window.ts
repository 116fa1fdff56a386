import type { WindowSpec } from '../workflow/breaker.ts';

/** What a window amounts to. */
export interface WindowSums {
  calls: number;
  failed: number;
  slow: number;
  /** Sum of the durations, milliseconds. */
  durationMs: number;
}

/** One result, as it is counted. */
export interface CallCount {
  readonly failed: boolean;
  readonly slow: boolean;
  readonly durationMs: number;
}

/** A sliding window of results; what is asked of it costs the same however many calls there were. */
export interface CallWindow {
  note(result: CallCount, now: number): void;
  /** What is in the window; not to be kept, it changes with the next call. */
  sums(now: number): Readonly<WindowSums>;
  clear(): void;
}

/** An empty window. */
export function callWindow(spec: WindowSpec): CallWindow {
  return 'calls' in spec ? new CountWindow(spec.calls) : new TimeWindow(spec.ms);
}

function noSums(): WindowSums {
  return { calls: 0, failed: 0, slow: 0, durationMs: 0 };
}

function add(sums: WindowSums, { failed, slow, durationMs }: CallCount, sign: 1 | -1): void {
  sums.calls += sign;
  if (failed) sums.failed += sign;
  if (slow) sums.slow += sign;
  sums.durationMs += sign * durationMs;
}

/** The newest calls, in a ring. */
class CountWindow implements CallWindow {
  private readonly size: number;
  private ring: CallCount[] = [];
  private next = 0;
  private total = noSums();

  constructor(size: number) {
    this.size = size;
  }

  note(result: CallCount): void {
    const oldest = this.ring[this.next];
    if (oldest) add(this.total, oldest, -1);
    this.ring[this.next] = result;
    this.next = (this.next + 1) % this.size;
    add(this.total, result, 1);
  }

  sums(): Readonly<WindowSums> {
    return this.total;
  }

  clear(): void {
    this.ring = [];
    this.next = 0;
    this.total = noSums();
  }
}

/** Parts of the time that a window by time is counted in. */
const buckets = 10;

/** The newest milliseconds, in ten buckets that go one by one: a result leaves up to a tenth of the window early. */
class TimeWindow implements CallWindow {
  private readonly bucketMs: number;
  private readonly parts = Array.from({ length: buckets }, noSums);
  /** Number of the newest bucket, counted from the epoch. */
  private newest = -Infinity;
  private readonly total = noSums();

  constructor(ms: number) {
    this.bucketMs = Math.max(1, ms / buckets);
  }

  note(result: CallCount, now: number): void {
    this.turn(now);
    const part = this.parts[this.newest % buckets];
    if (part) add(part, result, 1);
    add(this.total, result, 1);
  }

  sums(now: number): Readonly<WindowSums> {
    this.turn(now);
    return this.total;
  }

  clear(): void {
    for (const part of this.parts) Object.assign(part, noSums());
    Object.assign(this.total, noSums());
  }

  /** Empties the buckets whose time is over. A clock that goes back counts into the newest. */
  private turn(now: number): void {
    const bucket = Math.max(0, Math.floor(now / this.bucketMs));
    if (bucket <= this.newest) return;
    if (bucket - this.newest >= buckets) this.clear();
    else for (let old = this.newest + 1; old <= bucket; old++) this.empty(old % buckets);
    this.newest = bucket;
  }

  private empty(index: number): void {
    const part = this.parts[index];
    if (!part) return;
    this.total.calls -= part.calls;
    this.total.failed -= part.failed;
    this.total.slow -= part.slow;
    this.total.durationMs -= part.durationMs;
    Object.assign(part, noSums());
  }
}
