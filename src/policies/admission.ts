import { TroupeError } from '../core/errors.ts';
import { concurrencyKind } from '../workflow/model.ts';
import { AdmissionScope, oneSlot, type ScopeTerms } from './admission-scope.ts';
import { Shapes } from './admission-shape.ts';
import type { Bucket, Contender, Contestant, Shape, Waiting } from './admission-shape.ts';
import { ageKey } from './aging-queue.ts';
import { ClassTurns, checkedWeight, scheduleClasses, type Claim } from './fair-share.ts';
import { Permits, unitsOf, type PermitRequest, type Units } from './permits.ts';
import { Reservation, passesBeforeReserving } from './reservation.ts';

export type { PermitRequest } from './permits.ts';

/** What an {@link AdmissionQueue} is made from. */
export interface AdmissionOptions {
  /** Units of the process-wide kinds, among them `concurrency`; a kind without an entry is not limited here. */
  readonly capacity: Units;
  /** Waiting time that raises a request's priority by one, in milliseconds above 0; Infinity: none does. */
  readonly agePeriodMs: number;
}

/** How a run takes part. */
export interface ScopeOptions extends Claim {
  /** Units of a kind that neither the run nor the process names. Default 1. */
  readonly defaultCapacity?: number;
}

/**
 * The governor's queue: who may start now, and who holds what. All or nothing, so nobody holds one thing
 * while waiting for another; nobody waits behind a request that cannot start.
 *
 * Between runs: the class that has its turn ({@link ClassTurns}), then the run that would have the least
 * weighted dominant share of what the process limits, then the one that has waited longest, priority counted
 * as waiting. Within a run: priority (raised by one for every `agePeriodMs` waited), then rank, then arrival.
 * When later ones were among the last {@link passesBeforeReserving} admitted, the run comes whose request has
 * waited longest of all; if it does not fit, what it lacks is kept for it. The same goes, within a run, for the request that comes
 * first and does not fit.
 *
 * A kind that the process limits is taken from the process, and from the run as well when the run limits it
 * too; any other kind is the run's own. Asking and admitting cost O(log n), and besides as much as there are
 * different shared demands, and different demands and priorities in the run concerned.
 *
 * Invariants:
 * 1. A request is waiting (in its scope's `waiting` and in exactly one bucket), or held, or unknown.
 * 2. What is taken from the process and from the scope is the sum of what that scope's requests hold.
 * 3. Nothing is admitted that would put a kind above its limit.
 * 4. A waiting request's demand is within the limits, so it starts once enough is given back.
 * 5. Time never goes back: `at` and `now` count as at least the latest time seen.
 * 6. Every scope that is stale is in `stale`.
 */
export class AdmissionQueue {
  private readonly scopes = new Map<string, AdmissionScope>();
  private readonly process: Permits;
  private readonly capacity: Units;
  private readonly periodMs: number;
  private readonly shapes = new Shapes();
  private readonly turns = new ClassTurns();
  private readonly stale: Contestant[] = [];
  private reserved: Reservation<{ contender: Contender; bucket: Bucket }> | undefined;
  /** Admissions since it was last asked who was passed, and the latest beginning of a wait among them. */
  private passes = 0;
  private youngest = -Infinity;
  private latest = -Infinity;
  private sequence = 0;

  /** @throws TroupeError TRP_OPTION_INVALID when the period is not above 0. */
  constructor({ capacity, agePeriodMs }: AdmissionOptions) {
    if (!(agePeriodMs > 0))
      throw new TroupeError('TRP_OPTION_INVALID', `agePeriodMs is above 0, not ${agePeriodMs}.`);
    this.capacity = { ...capacity };
    this.periodMs = agePeriodMs;
    this.process = new Permits((kind) => unitsOf(this.capacity, kind) ?? Infinity);
  }

  /**
   * Declares a run, or changes its limits and its claim: what is held stays held.
   * @throws TroupeError TRP_WORKFLOW_UNSATISFIABLE when a request that waits could never start then,
   * TRP_OPTION_INVALID for a weight that is no number above 0; nothing has changed in either case.
   */
  setScope(name: string, limits: Units, options: ScopeOptions = {}): void {
    const terms = this.termsOf(name, { ...limits }, options);
    const known = this.scopes.get(name);
    if (known) {
      known.changeTerms(terms);
      return this.touch(known);
    }
    const { capacity, shapes, periodMs } = this;
    this.scopes.set(name, new AdmissionScope(name, terms, { capacity, shapes, periodMs }));
  }

  /**
   * Queues a request. One that waits or is held already stays as it is.
   * @throws TroupeError TRP_WORKFLOW_UNSATISFIABLE when its demand is more than there is at all,
   * TRP_OPTION_INVALID when an amount is no number from 0, TRP_INTERNAL for an undeclared scope.
   */
  request(request: PermitRequest): void {
    const scope = this.scopes.get(request.scope);
    if (!scope)
      throw new TroupeError('TRP_INTERNAL', `The scope "${request.scope}" was not declared.`);
    if (scope.knows(request.id)) return;
    const demand = wholeDemand(request);
    const lacking = this.process.unsatisfiable(demand) ?? scope.permits.unsatisfiable(demand);
    if (lacking !== undefined) throw unsatisfiable(request, lacking);
    scope.enqueue(request, demand, { at: this.advanced(request.at), sequence: this.sequence++ });
    this.touch(scope);
  }

  /** Takes a waiting request back. False: it was not waiting. */
  withdraw(scope: string, id: string): boolean {
    const known = this.scopes.get(scope);
    if (!known?.withdraw(id)) return false;
    this.touch(known);
    return true;
  }

  /** Gives a run's waiting requests other ranks, O(log n) for each; undefined: it keeps its own. */
  rerank(scope: string, rankOf: (id: string) => number | undefined): void {
    this.scopes.get(scope)?.rerank(rankOf);
  }

  /** Takes all waiting requests of a run back; what it holds it keeps until it is released. */
  withdrawAll(scope: string): void {
    this.scopes.get(scope)?.withdrawAll();
  }

  /**
   * Gives back what a request holds, or only `part` of it (at most what it holds). False: there was nothing
   * to give back.
   */
  release(scope: string, id: string, part?: Units): boolean {
    const known = this.scopes.get(scope);
    const given = known?.release(id, part);
    if (!known || !given) return false;
    this.process.give(given);
    this.touch(known);
    return true;
  }

  /** Forgets a run: its waiting requests, its limits and what it holds. */
  removeScope(scope: string): void {
    const known = this.scopes.get(scope);
    if (!known) return;
    known.withdrawAll();
    this.process.give(known.permits.inUse());
    this.scopes.delete(scope);
  }

  /** Everything that can start now, in order of start; it holds its demand until it is released. */
  admit(now: number): PermitRequest[] {
    const time = this.advanced(now);
    const admitted: PermitRequest[] = [];
    while (this.process.fits(oneSlot)) {
      for (let scope = this.stale.pop(); scope; scope = this.stale.pop()) scope.contend(time);
      const next = this.next(time);
      const waiting = next?.scope.first(this.mayStart, time);
      if (!next || !waiting) break;
      if (this.reserved?.owner.bucket === waiting.bucket) this.reserved = undefined;
      this.process.take(waiting.bucket.demand);
      this.notePass(waiting);
      admitted.push(next.scope.admit(waiting));
      this.turns.took(next.scope.rank, this.contends);
      this.touch(next.scope);
    }
    return admitted;
  }

  /** Units held per kind, of one run or of all. */
  inUse(scope?: string): Record<string, number> {
    if (scope === undefined) return this.process.inUse();
    return this.scopes.get(scope)?.permits.inUse() ?? {};
  }

  /** Requests waiting, of one run or of all. */
  waiting(scope?: string): number {
    if (scope !== undefined) return this.scopes.get(scope)?.waiting.size ?? 0;
    return [...this.scopes.values()].reduce((sum, { waiting }) => sum + waiting.size, 0);
  }

  private termsOf(place: string, limits: Units, options: ScopeOptions): ScopeTerms {
    const { defaultCapacity = 1, weight = 1, class: name = 'normal' } = options;
    return {
      limitOf: (kind) =>
        unitsOf(limits, kind) ?? (this.isShared(kind) ? Infinity : defaultCapacity),
      weight: checkedWeight(weight, place),
      rank: scheduleClasses.indexOf(name),
    };
  }

  private isShared(kind: string): boolean {
    return kind === concurrencyKind || unitsOf(this.capacity, kind) !== undefined;
  }

  private advanced(time: number): number {
    this.latest = Math.max(this.latest, time);
    return this.latest;
  }

  private readonly contends = (rank: number): boolean => this.shapes.contend(rank);

  private touch(scope: Contestant): void {
    if (scope.stale) return;
    scope.stale = true;
    this.stale.push(scope);
  }

  /**
   * Who starts next: whoever something is kept for, as soon as it fits; else whoever waits longest, if it is
   * their turn; else who comes first among those that fit.
   */
  private next(now: number): Contender | undefined {
    const kept = this.renewReservation();
    if (kept && this.process.fits(kept.shape.demand)) return kept;
    const eldest = kept ? undefined : this.passedEldest();
    if (eldest && this.process.fits(eldest.shape.demand)) return eldest;
    if (eldest) this.reserveFor(eldest, now);
    const first = this.shapes.firstByClass(this.mayStart);
    const rank = this.turns.next((candidate) => first[candidate] !== undefined);
    return rank === undefined ? undefined : first[rank];
  }

  /** Whether requests of a shape fit, and leave what is kept for another. */
  private readonly mayStart = (shape: Shape): boolean => {
    const { reserved, process } = this;
    if (!reserved || reserved.owner.contender.shape === shape) return process.fits(shape.demand);
    return reserved.allows(process, shape.demand);
  };

  private notePass({ at, bucket }: Waiting): void {
    this.passes++;
    this.youngest = Math.max(this.youngest, ageKey(at, bucket.priority, this.periodMs));
  }

  /** Whoever has waited longest, after as many admissions as may pass, if a later one was among them. */
  private passedEldest(): Contender | undefined {
    if (this.passes < passesBeforeReserving) return undefined;
    const { youngest } = this;
    this.passes = 0;
    this.youngest = -Infinity;
    const eldest = this.shapes.eldest();
    return eldest && eldest.key < youngest ? eldest : undefined;
  }

  private reserveFor(contender: Contender, now: number): void {
    const { scope, shape } = contender;
    const bucket = scope.first((other) => other === shape, now)?.bucket;
    if (!bucket) return;
    this.reserved = new Reservation({ contender, bucket }, shape.demand);
    this.reserved.renew(this.process);
    scope.reserve(bucket);
    this.touch(scope);
  }

  private renewReservation(): Contender | undefined {
    if (!this.reserved) return undefined;
    const { contender, bucket } = this.reserved.owner;
    if (bucket.queue.size === 0 || contender.slot < 0) {
      this.reserved = undefined;
      return undefined;
    }
    this.reserved.renew(this.process);
    return contender;
  }
}

function wholeDemand({ id, demand }: PermitRequest): Units {
  // Most tasks ask for nothing else: they share one object, which their scope knows by identity.
  if (Object.keys(demand).length === 0) return oneSlot;
  for (const [kind, units] of Object.entries(demand)) {
    if (units >= 0 && Number.isFinite(units)) continue;
    throw new TroupeError('TRP_OPTION_INVALID', `A demand is a number from 0, not ${units}.`, {
      place: `${id}, ${kind}`,
    });
  }
  return { ...demand, ...oneSlot };
}

function unsatisfiable({ id, demand }: PermitRequest, kind: string): TroupeError {
  const units = unitsOf(demand, kind) ?? 1;
  return new TroupeError(
    'TRP_WORKFLOW_UNSATISFIABLE',
    `"${id}" needs ${units} of ${kind}, more than there is.`,
    { place: id },
  );
}
