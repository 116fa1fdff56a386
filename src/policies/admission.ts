import { TroupeError } from '../core/errors.ts';
import { Heap } from '../core/heap.ts';
import { concurrencyKind } from '../workflow/model.ts';
import { AdmissionScope, oneSlot, type Waiting } from './admission-scope.ts';
import { periodsWaited } from './aging-queue.ts';
import { Permits, unitsOf, type PermitRequest, type Units } from './permits.ts';

export type { PermitRequest } from './permits.ts';

/** What an {@link AdmissionQueue} is made from. */
export interface AdmissionOptions {
  /** Units of the process-wide kinds, among them `concurrency`; a kind without an entry is not limited here. */
  readonly capacity: Units;
  /** Waiting time that raises a request's priority by one, in milliseconds above 0; Infinity: none does. */
  readonly agePeriodMs: number;
}

/** The request that comes first in its scope, as it competes with those of the others. */
interface Head {
  readonly waiting: Waiting;
  readonly scope: AdmissionScope;
  /** Priority with what waiting added. */
  readonly effective: number;
}

/**
 * The governor's queue: who may start now, and who holds what. All or nothing, so nobody holds one thing
 * while waiting for another; nobody waits behind a request that cannot start. Those who can start do so
 * in order of priority (raised by one for every `agePeriodMs` waited), then rank, then arrival.
 *
 * A kind that the process limits is taken from the process, and from the run as well when the run limits it
 * too; any other kind is the run's own. Asking costs O(log n); admitting looks only at the first of each
 * bucket (requests of one run with equal demand and priority), and remembers those of runs in which nothing
 * has happened.
 *
 * Invariants:
 * 1. A request is waiting (in its scope's `waiting` and in exactly one bucket), or held, or unknown.
 * 2. What is taken from the process and from the scope is the sum of what that scope's requests hold.
 * 3. Nothing is admitted that would put a kind above its limit.
 * 4. A waiting request's demand is within the limits, so it starts once enough is given back.
 * 5. Time never goes back: `at` and `now` count as at least the latest time seen.
 */
export class AdmissionQueue {
  private readonly scopes = new Map<string, AdmissionScope>();
  private readonly process: Permits;
  private readonly capacity: Units;
  private readonly periodMs: number;
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
   * Declares a run, or changes its limits: what is held stays held.
   * @param defaultCapacity units of a kind that neither the run nor the process names.
   * @throws TroupeError TRP_WORKFLOW_UNSATISFIABLE when a request that waits could never start then; nothing
   * has changed in that case.
   */
  setScope(scope: string, capacity: Units, defaultCapacity = 1): void {
    const limits = { ...capacity };
    const limitOf = (kind: string): number =>
      unitsOf(limits, kind) ?? this.unnamedLimit(kind, defaultCapacity);
    const known = this.scopes.get(scope);
    const { periodMs, isShared } = this;
    if (known) known.changeLimits(limitOf);
    else this.scopes.set(scope, new AdmissionScope({ name: scope, limitOf, isShared, periodMs }));
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
  }

  /** Takes a waiting request back. False: it was not waiting. */
  withdraw(scope: string, id: string): boolean {
    return this.scopes.get(scope)?.withdraw(id) ?? false;
  }

  /**
   * Gives back what a request holds, or only `part` of it (at most what it holds). False: there was nothing
   * to give back.
   */
  release(scope: string, id: string, part?: Units): boolean {
    const given = this.scopes.get(scope)?.release(id, part);
    if (!given) return false;
    this.process.give(given);
    return true;
  }

  /** Forgets a run: its waiting requests, its limits and what it holds. */
  removeScope(scope: string): void {
    const known = this.scopes.get(scope);
    if (!known) return;
    this.process.give(known.permits.inUse());
    this.scopes.delete(scope);
  }

  /** Everything that can start now, in order of start; it holds its demand until it is released. */
  admit(now: number): PermitRequest[] {
    const time = this.advanced(now);
    const heads = this.heads(time);
    const admitted: PermitRequest[] = [];
    for (let head = heads.pop(); head && this.process.fits(oneSlot); head = heads.pop()) {
      const { waiting, scope } = head;
      if (this.process.fits(waiting.bucket.shared)) {
        this.process.take(waiting.bucket.demand);
        admitted.push(scope.admit(waiting));
      }
      // What does not fit now is not looked at again: capacity only shrinks during this loop.
      this.pushFirst(heads, scope, time);
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

  private unnamedLimit(kind: string, defaultCapacity: number): number {
    return this.isShared(kind) ? Infinity : defaultCapacity;
  }

  private readonly isShared = (kind: string): boolean => {
    return kind === concurrencyKind || unitsOf(this.capacity, kind) !== undefined;
  };

  private advanced(time: number): number {
    this.latest = Math.max(this.latest, time);
    return this.latest;
  }

  private heads(now: number): Heap<Head> {
    const heads = new Heap<Head>(startsBefore);
    if (!this.process.fits(oneSlot)) return heads;
    for (const scope of this.scopes.values()) {
      if (scope.waiting.size > 0) this.pushFirst(heads, scope, now);
    }
    return heads;
  }

  /** Pushes the request that comes first among those of a scope that could start now. */
  private pushFirst(heads: Heap<Head>, scope: AdmissionScope, now: number): void {
    let first: Head | undefined;
    for (const waiting of scope.ready(now)) {
      if (!this.process.fits(waiting.bucket.shared)) continue;
      const effective = waiting.bucket.priority + periodsWaited(waiting.at, now, this.periodMs);
      const head = { waiting, scope, effective };
      if (!first || startsBefore(head, first)) first = head;
    }
    if (first) heads.push(first);
  }
}

function startsBefore(a: Head, b: Head): boolean {
  if (a.effective !== b.effective) return a.effective > b.effective;
  if (a.waiting.rank !== b.waiting.rank) return a.waiting.rank > b.waiting.rank;
  return a.waiting.sequence < b.waiting.sequence;
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
