/**
 * The rules of leases, pure. A lease is a sign of life that is renewed: it tells others when they may take over. What
 * keeps two owners apart is not the lease but the journal, which takes an append only at the expected place.
 */

/** Times of a lease in milliseconds. */
export interface LeaseTerms {
  /** A sign of life that has not changed for so long, by the observer's own clock, is none. Default 10 s. */
  readonly ttlMs: number;
  /** How often the sign is renewed. Default 3 s. */
  readonly renewMs: number;
}

/** What holds when nothing else is said. */
export const defaultLeaseTerms: LeaseTerms = { ttlMs: 10_000, renewMs: 3_000 };

/** Terms with another time to live, in milliseconds; renewals keep their share of it. */
export function leaseTerms(ttlMs: number): LeaseTerms {
  return { ttlMs, renewMs: ttlMs * (defaultLeaseTerms.renewMs / defaultLeaseTerms.ttlMs) };
}

/** Share of the time to live after which an owner without a renewal no longer takes itself for one. */
const doubtShare = 2 / 3;

/** Pause after a renewal that failed, as a share of the time between renewals. */
const retryShare = 1 / 6;

/**
 * How an owner stands: `sure` that nobody has taken over, or in `doubt`, so that it has to look before it acts. Others
 * take over after the whole time to live; the rest of it is for renewals that are on their way and for clocks.
 */
export function standing({ ttlMs }: LeaseTerms, sinceConfirmedMs: number): 'sure' | 'doubt' {
  return sinceConfirmedMs <= ttlMs * doubtShare ? 'sure' : 'doubt';
}

/** When to try again after a renewal that was answered, or was not. */
export function nextTryMs({ renewMs }: LeaseTerms, isAnswered: boolean): number {
  return isAnswered ? renewMs : Math.max(10, renewMs * retryShare);
}

/** A sign of life as an observer has last seen it. */
export interface Sighting {
  /** Changes with every renewal. */
  readonly mark: string;
  /** When the observer saw this mark first, by its own monotonic clock in milliseconds. */
  readonly since: number;
}

/** What an observer knows after another look. */
export function sighted(known: Sighting | undefined, mark: string, now: number): Sighting {
  return known?.mark === mark ? known : { mark, since: now };
}

/** Whether the sign of life has been the same for too long. A clock that was stopped meanwhile only makes this later. */
export function isExpired(
  { ttlMs }: Pick<LeaseTerms, 'ttlMs'>,
  { since }: Sighting,
  now: number,
): boolean {
  return now - since >= ttlMs;
}
