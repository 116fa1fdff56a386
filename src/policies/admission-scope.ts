import { TroupeError } from '../core/errors.ts';
import { concurrencyKind } from '../workflow/model.ts';
import type { Bucket, Contender, Contestant, Shape, Shapes, Waiting } from './admission-shape.ts';
import { AgingQueue, ageKey, periodsWaited } from './aging-queue.ts';
import { weightedShare } from './fair-share.ts';
import { Permits, overlap, without, type PermitRequest, type Units } from './permits.ts';
import { Reservation, passesBeforeReserving } from './reservation.ts';

/** The demand of a request that asks for nothing but its slot. */
export const oneSlot: Units = { [concurrencyKind]: 1 };

/** What the scopes of one queue have in common. */
export interface Surroundings {
  /** Units of the kinds that the process limits. */
  readonly capacity: Units;
  readonly shapes: Shapes;
  /** See {@link AgingQueue}. */
  readonly periodMs: number;
}

/** What is a scope's own. */
export interface ScopeTerms {
  /** Units of a kind that the scope has. */
  readonly limitOf: (kind: string) => number;
  readonly weight: number;
  /** Its class, as an index of {@link scheduleClasses}. */
  readonly rank: number;
}

/**
 * One run's part of the admission queue.
 *
 * Invariants:
 * 1. `waiting` and the buckets hold the same requests; no bucket is empty.
 * 2. `held` has what every admitted request has not given back; `permits` has taken the sum of it.
 * 3. No id is in both `waiting` and `held`.
 * 4. While the scope is not `stale`, it contends in the lanes of exactly the shapes of which a bucket may
 *    start as far as the scope itself is concerned, and `ready` has these buckets.
 * 5. At most one bucket is reserved for; it is not empty.
 */
export class AdmissionScope implements Contestant {
  readonly name: string;
  readonly permits: Permits;
  readonly waiting = new Map<string, Waiting>();
  /** Something has changed since the last {@link AdmissionScope.contend}. Written by the queue and the scope. */
  stale = false;
  private readonly buckets = new Map<string, Bucket>();
  private readonly held = new Map<string, Units>();
  private readonly around: Surroundings;
  private readonly contenders = new Map<Shape, Contender>();
  private terms: ScopeTerms;
  private ready: Bucket[] = [];
  private reserved: Reservation<Bucket> | undefined;
  private passes = 0;
  private round = 0;

  constructor(name: string, terms: ScopeTerms, around: Surroundings) {
    this.name = name;
    this.terms = terms;
    this.around = around;
    this.permits = new Permits(terms.limitOf);
  }

  /** Its class, as an index of {@link scheduleClasses}. */
  get rank(): number {
    return this.terms.rank;
  }

  /** Whether a request waits or is held. */
  knows(id: string): boolean {
    return this.waiting.has(id) || this.held.has(id);
  }

  /** @throws TroupeError TRP_WORKFLOW_UNSATISFIABLE when a waiting request could never start; nothing changes then. */
  changeTerms(terms: ScopeTerms): void {
    const probe = new Permits(terms.limitOf);
    for (const { demand } of this.buckets.values()) {
      const kind = probe.unsatisfiable(demand);
      if (kind === undefined) continue;
      const message = `A request that waits needs ${demand[kind]} of ${kind}, more than there would be.`;
      throw new TroupeError('TRP_WORKFLOW_UNSATISFIABLE', message, { place: this.name });
    }
    this.retire();
    this.terms = terms;
    this.permits.limit(terms.limitOf);
  }

  enqueue(
    request: PermitRequest,
    demand: Units,
    order: { readonly at: number; readonly sequence: number },
  ): void {
    const bucket = this.bucketFor(request.priority, demand);
    const entry: Waiting = { ...order, rank: request.rank, slot: -1, request, bucket };
    bucket.queue.add(entry);
    this.waiting.set(request.id, entry);
  }

  withdraw(id: string): boolean {
    const entry = this.waiting.get(id);
    if (entry) this.leave(entry);
    return entry !== undefined;
  }

  /** Gives what waits other ranks; undefined: it keeps its own. */
  rerank(rankOf: (id: string) => number | undefined): void {
    for (const [id, entry] of this.waiting) {
      const rank = rankOf(id);
      if (rank !== undefined && rank !== entry.rank) entry.bucket.queue.rerank(entry, rank);
    }
  }

  /** Forgets what waits; what is held stays. */
  withdrawAll(): void {
    for (const { shape } of this.buckets.values()) this.around.shapes.leave(shape);
    this.buckets.clear();
    this.waiting.clear();
    this.reserved = undefined;
    this.retire();
  }

  /** Leaves the competition until the next {@link AdmissionScope.contend}. */
  retire(): void {
    for (const contender of this.contenders.values())
      this.laneOf(contender.shape).remove(contender);
    this.contenders.clear();
    this.ready = [];
  }

  /** Takes its place among the others, by what has changed. */
  contend(now: number): void {
    this.stale = false;
    this.renewReservation(now);
    this.ready.length = 0;
    this.round++;
    for (const bucket of this.buckets.values()) {
      if (!this.mayStart(bucket)) continue;
      this.ready.push(bucket);
      this.join(bucket);
    }
    for (const contender of this.contenders.values()) {
      const lane = this.laneOf(contender.shape);
      if (contender.round === this.round) lane.settle(contender);
      else {
        lane.remove(contender);
        this.contenders.delete(contender.shape);
      }
    }
  }

  /** The request that comes first among those that may start, of the shapes that pass the test. */
  first(passes: (shape: Shape) => boolean, now: number): Waiting | undefined {
    const [only] = this.ready;
    // The one contender that was asked for passes, and so does its one bucket.
    if (this.ready.length === 1) return only?.queue.head(now);
    const kept = this.reserved?.owner;
    if (kept && this.ready.includes(kept) && passes(kept.shape)) return kept.queue.head(now);
    return this.firstOf(this.ready, now, passes);
  }

  /** Keeps the whole demand of a bucket free of others of this scope. */
  reserve(bucket: Bucket): void {
    this.reserved = new Reservation(bucket, bucket.demand);
    this.reserved.keepAll();
  }

  /** Moves a waiting request to the held ones and takes its demand. */
  admit(entry: Waiting): PermitRequest {
    const { request, bucket } = entry;
    if (this.reserved?.owner === bucket) this.reserved = undefined;
    this.passes = this.ready.length < this.buckets.size ? this.passes + 1 : 0;
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
    return Object.keys(given).length === 0 ? undefined : given;
  }

  /** Reserves for the first that does not fit once it was passed too often; drops what nobody waits for any more. */
  private renewReservation(now: number): void {
    if (this.reserved?.owner.queue.size === 0) this.reserved = undefined;
    if (!this.reserved && this.passes >= passesBeforeReserving) {
      const bucket = this.firstOf(this.buckets.values(), now)?.bucket;
      if (bucket && !this.permits.fits(bucket.demand)) {
        this.reserved = new Reservation(bucket, bucket.demand);
        this.passes = 0;
      }
    }
    this.reserved?.renew(this.permits);
  }

  private mayStart(bucket: Bucket): boolean {
    const { reserved, permits } = this;
    if (!reserved || reserved.owner === bucket) return permits.fits(bucket.demand);
    return reserved.allows(permits, bucket.demand);
  }

  private join({ shape, priority, queue }: Bucket): void {
    const { at, sequence } = queue.oldest() as Waiting;
    const key = ageKey(at, priority, this.around.periodMs);
    const known = this.contenders.get(shape);
    if (known?.round === this.round) {
      if (key < known.key || (key === known.key && sequence < known.sequence))
        Object.assign(known, { key, sequence });
      return;
    }
    const { round } = this;
    const share = this.shareWith(shape.demand);
    if (known) Object.assign(known, { round, share, key, sequence });
    else this.contenders.set(shape, { scope: this, shape, share, key, sequence, round, slot: -1 });
  }

  private shareWith(demand: Units): number {
    const { capacity } = this.around;
    const { weight } = this.terms;
    return weightedShare({ taken: this.permits.taken(), capacity, weight }, demand);
  }

  private firstOf(
    buckets: Iterable<Bucket>,
    now: number,
    passes?: (shape: Shape) => boolean,
  ): Waiting | undefined {
    let first: Waiting | undefined;
    let most = -Infinity;
    for (const { priority, queue, shape } of buckets) {
      const head = !passes || passes(shape) ? queue.head(now) : undefined;
      if (!head) continue;
      const effective = priority + periodsWaited(head.at, now, this.around.periodMs);
      if (first && (effective < most || (effective === most && !startsBefore(head, first))))
        continue;
      first = head;
      most = effective;
    }
    return first;
  }

  private laneOf(shape: Shape): Shape['lanes'][number] {
    return shape.lanes[this.terms.rank] as Shape['lanes'][number];
  }

  private leave(entry: Waiting): void {
    const { bucket, request } = entry;
    bucket.queue.remove(entry);
    this.waiting.delete(request.id);
    if (bucket.queue.size > 0) return;
    this.buckets.delete(bucket.key);
    this.around.shapes.leave(bucket.shape);
  }

  private bucketFor(priority: number, demand: Units): Bucket {
    const key = bucketKey(priority, demand);
    const known = this.buckets.get(key);
    if (known) return known;
    const { periodMs } = this.around;
    const queue = new AgingQueue<Waiting>(periodMs);
    const bucket = { key, demand, shape: this.shapeOf(demand), priority, queue };
    this.buckets.set(key, bucket);
    return bucket;
  }

  private shapeOf(demand: Units): Shape {
    const { capacity, shapes } = this.around;
    if (demand === oneSlot) return shapes.enter('', oneSlot);
    const shared = Object.entries(demand).filter(
      ([kind]) => kind !== concurrencyKind && Object.hasOwn(capacity, kind),
    );
    const key = shared.length === 0 ? '' : JSON.stringify(shared.sort(byKind));
    return shapes.enter(key, { ...Object.fromEntries(shared), ...oneSlot });
  }
}

const nothing: Units = {};

function startsBefore(a: Waiting, b: Waiting): boolean {
  return a.rank === b.rank ? a.sequence < b.sequence : a.rank > b.rank;
}

/** Equal for equal demands, in whatever order their kinds stand. */
function bucketKey(priority: number, demand: Units): string {
  if (demand === oneSlot) return `${priority}`;
  return JSON.stringify([priority, ...Object.entries(demand).sort(byKind)]);
}

function byKind([a]: [string, number], [b]: [string, number]): number {
  return a < b ? -1 : 1;
}
