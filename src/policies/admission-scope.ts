import { TroupeError } from '../core/errors.ts';
import { concurrencyKind } from '../workflow/model.ts';
import { AgingQueue, type AgingEntry } from './aging-queue.ts';
import { Permits, overlap, without, type PermitRequest, type Units } from './permits.ts';

/** The demand of a request that asks for nothing but its slot. */
export const oneSlot: Units = { [concurrencyKind]: 1 };

/** A waiting request and where it waits. */
export interface Waiting extends AgingEntry {
  readonly request: PermitRequest;
  readonly bucket: Bucket;
}

/** Requests of one scope with the same demand and the same priority: only the first of them can be next. */
export interface Bucket {
  readonly key: string;
  readonly demand: Units;
  /** The part of the demand that the process limits. */
  readonly shared: Units;
  readonly priority: number;
  readonly queue: AgingQueue<Waiting>;
}

/** What a scope is made from. */
export interface ScopeOptions {
  readonly name: string;
  /** Units of a kind that the scope has. */
  readonly limitOf: (kind: string) => number;
  /** Whether the process limits a kind. */
  readonly isShared: (kind: string) => boolean;
  /** See {@link AgingQueue}. */
  readonly periodMs: number;
}

/**
 * One run's part of the admission queue.
 *
 * Invariants:
 * 1. `waiting` and the buckets hold the same requests; no bucket is empty.
 * 2. `held` has what every admitted request has not given back; `permits` has taken the sum of it.
 * 3. No id is in both `waiting` and `held`.
 * 4. `readyHeads`, while there, is what {@link AdmissionScope.ready} would find out before `readyUntil`:
 *    every change of buckets, permits or limits forgets it.
 */
export class AdmissionScope {
  readonly permits: Permits;
  readonly waiting = new Map<string, Waiting>();
  readonly buckets = new Map<string, Bucket>();
  private readonly held = new Map<string, Units>();
  private readonly options: ScopeOptions;
  private readyHeads: readonly Waiting[] | undefined;
  private readyUntil = Infinity;

  constructor(options: ScopeOptions) {
    this.options = options;
    this.permits = new Permits(options.limitOf);
  }

  /** Whether a request waits or is held. */
  knows(id: string): boolean {
    return this.waiting.has(id) || this.held.has(id);
  }

  /** @throws TroupeError TRP_WORKFLOW_UNSATISFIABLE when a waiting request could never start; nothing changes then. */
  changeLimits(limitOf: (kind: string) => number): void {
    const probe = new Permits(limitOf);
    for (const { demand } of this.buckets.values()) {
      const kind = probe.unsatisfiable(demand);
      if (kind === undefined) continue;
      const message = `A request that waits needs ${demand[kind]} of ${kind}, more than there would be.`;
      throw new TroupeError('TRP_WORKFLOW_UNSATISFIABLE', message, { place: this.options.name });
    }
    this.permits.limit(limitOf);
    this.readyHeads = undefined;
  }

  enqueue(
    request: PermitRequest,
    demand: Units,
    order: { readonly at: number; readonly sequence: number },
  ): void {
    const bucket = this.bucketFor(request.priority, demand);
    const entry: Waiting = { ...order, rank: request.rank, slot: -1, request, bucket };
    bucket.queue.add(entry);
    this.readyHeads = undefined;
    this.waiting.set(request.id, entry);
  }

  /**
   * The first of every bucket that fits what the scope itself has left. Kept between calls, so that a run
   * in which nothing happened costs nothing. `now` never goes back.
   */
  ready(now: number): readonly Waiting[] {
    if (this.readyHeads && now < this.readyUntil) return this.readyHeads;
    const heads: Waiting[] = [];
    this.readyUntil = Infinity;
    for (const { demand, queue } of this.buckets.values()) {
      const head = this.permits.fits(demand) ? queue.head(now) : undefined;
      if (!head) continue;
      heads.push(head);
      this.readyUntil = Math.min(this.readyUntil, queue.steadyUntil(now));
    }
    this.readyHeads = heads;
    return heads;
  }

  withdraw(id: string): boolean {
    const entry = this.waiting.get(id);
    if (entry) this.leave(entry);
    return entry !== undefined;
  }

  /** Moves a waiting request to the held ones and takes its demand. */
  admit(entry: Waiting): PermitRequest {
    const { request, bucket } = entry;
    this.leave(entry);
    this.held.set(request.id, bucket.demand);
    this.permits.take(bucket.demand);
    return request;
  }

  /** Gives back all that a request holds, or the part asked for. @returns what was given back, if anything. */
  release(id: string, part: Units | undefined): Units | undefined {
    const holding = this.held.get(id);
    if (!holding) return undefined;
    const given = part ? overlap(holding, part) : holding;
    const rest = part ? without(holding, given) : nothing;
    if (Object.keys(rest).length === 0) this.held.delete(id);
    else this.held.set(id, rest);
    this.permits.give(given);
    this.readyHeads = undefined;
    return Object.keys(given).length === 0 ? undefined : given;
  }

  private leave(entry: Waiting): void {
    const { bucket, request } = entry;
    bucket.queue.remove(entry);
    this.readyHeads = undefined;
    if (bucket.queue.size === 0) this.buckets.delete(bucket.key);
    this.waiting.delete(request.id);
  }

  private bucketFor(priority: number, demand: Units): Bucket {
    const key = bucketKey(priority, demand);
    const known = this.buckets.get(key);
    if (known) return known;
    const { isShared, periodMs } = this.options;
    const shared = Object.fromEntries(Object.entries(demand).filter(([kind]) => isShared(kind)));
    const bucket = { key, demand, shared, priority, queue: new AgingQueue<Waiting>(periodMs) };
    this.buckets.set(key, bucket);
    return bucket;
  }
}

const nothing: Units = {};

/** Equal for equal demands, in whatever order their kinds stand. */
function bucketKey(priority: number, demand: Units): string {
  if (demand === oneSlot) return `${priority}`;
  return JSON.stringify([priority, ...Object.entries(demand).sort(byKind)]);
}

function byKind([a]: [string, number], [b]: [string, number]): number {
  return a < b ? -1 : 1;
}
