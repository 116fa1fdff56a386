/** One of several that can do the same work: what is known of it. Kept by whoever hands work out. */
export interface Member {
  readonly id: string;
  /** Pieces of work that it does at one time, above 0; Infinity: no limit. */
  readonly capacity: number;
  inFlight: number;
  /** Moving average of its response times, milliseconds; undefined: it has not answered yet. */
  responseMs: number | undefined;
  /** Failures since its last success. */
  failuresInARow: number;
  /** When it last failed, milliseconds. */
  failedAt: number;
}

/** When a member that fails is left alone, and for how long. */
export interface HealthRule {
  /** Failures in a row after which it gets no work. Default 3. */
  readonly failures: number;
  /** Milliseconds after its last failure until it is tried again, with one piece of work. Default 30 s. */
  readonly restMs: number;
}

const defaultHealth: HealthRule = { failures: 3, restMs: 30_000 };

/** Weight of the newest response time in the moving average. */
const smoothing = 0.3;

/** A member of which nothing is known. */
export function newMember(id: string, capacity: number): Member {
  return {
    id,
    capacity,
    inFlight: 0,
    responseMs: undefined,
    failuresInARow: 0,
    failedAt: -Infinity,
  };
}

/** How a piece of work ended, as far as the member is concerned. */
export type WorkEnd = 'succeeded' | 'failed' | 'withdrawn';

/**
 * Notes how a piece of work has ended. Only a success says how fast a member answers: a fast failure is no
 * merit. What was withdrawn says nothing.
 */
export function noteEnd(
  member: Member,
  { end, durationMs, now }: { end: WorkEnd; durationMs: number; now: number },
): void {
  member.inFlight--;
  if (end === 'withdrawn') return;
  if (end === 'failed') {
    member.failuresInARow++;
    member.failedAt = now;
    return;
  }
  member.failuresInARow = 0;
  const before = member.responseMs ?? durationMs;
  member.responseMs = before + smoothing * (durationMs - before);
}

/** Whether a member gets work: it answers, or has rested and is to show that it does. */
export function isHealthy(member: Member, now: number, rule: HealthRule = defaultHealth): boolean {
  if (member.failuresInARow < rule.failures) return true;
  return member.inFlight === 0 && now - member.failedAt >= rule.restMs;
}

/** What a choice looks at besides the members. */
export interface ChoiceOptions {
  readonly now: number;
  readonly health?: HealthRule;
  /** The member that has just failed at this work: another one is better, if there is one. */
  readonly avoid?: string | undefined;
}

/**
 * The member that will presumably be through first: the one with the least response time times what is
 * before it, among the healthy ones with room; equal ones by id as it stands in the list. When none of
 * these is left, one that is to be avoided, and then one that is unhealthy, is better than none.
 * @returns undefined when all are full.
 */
export function leastLoaded(
  members: readonly Member[],
  { now, health = defaultHealth, avoid }: ChoiceOptions,
): Member | undefined {
  const typicalMs = typicalResponse(members);
  let best: Member | undefined;
  let bestRank = Infinity;
  let bestMs = Infinity;
  for (const member of members) {
    if (member.inFlight >= member.capacity) continue;
    const rank = (isHealthy(member, now, health) ? 0 : 2) + (member.id === avoid ? 1 : 0);
    const finishMs = (member.responseMs ?? typicalMs) * (member.inFlight + 1);
    if (rank > bestRank || (rank === bestRank && finishMs >= bestMs)) continue;
    best = member;
    bestRank = rank;
    bestMs = finishMs;
  }
  return best;
}

/** Who has not answered yet is taken for as fast as the others are on average. */
function typicalResponse(members: readonly Member[]): number {
  let sum = 0;
  let known = 0;
  for (const { responseMs } of members) {
    if (responseMs === undefined) continue;
    sum += responseMs;
    known++;
  }
  return known === 0 ? 1 : Math.max(sum / known, Number.MIN_VALUE);
}
