import { TroupeError } from '../core/errors.ts';
import type { Reason, TaskOutcome } from '../core/outcome.ts';
import type { BarrierSpec, MinSuccess, OnTimeout } from '../workflow/model.ts';
import { emptyMarks, hasMark, withMark, type Marks } from './marks.ts';

/** What a barrier was made from; the same for its whole life. */
export interface BarrierRule {
  readonly spec: BarrierSpec;
  /** Position of every member by id. */
  readonly members: ReadonlyMap<string, number>;
  /** Arrivals waited for, at most all members. */
  readonly expected: number;
  /** Successes without which the group has failed. */
  readonly needed: number;
  readonly required: ReadonlySet<string>;
}

/** What has arrived so far. */
export interface BarrierTally {
  readonly arrived: number;
  readonly succeeded: number;
  /** Required members that have not arrived. */
  readonly requiredPending: number;
  /** Required members that ended otherwise than by success, or that the group does not have. */
  readonly requiredFailed: number;
  readonly marks: Marks;
}

/** How a barrier ended a group. */
export type BarrierOutcome = 'succeeded' | 'partial' | 'failed';

interface BarrierBase {
  readonly rule: BarrierRule;
  readonly tally: BarrierTally;
}

/** A barrier as a value; the tag is the state of the machine that carries its decisions out. */
export type BarrierState =
  | (BarrierBase & { readonly tag: 'open' })
  | (BarrierBase & { readonly tag: 'extended'; readonly extensions: number })
  | (BarrierBase & { readonly tag: 'falling_back' })
  | (BarrierBase & { readonly tag: 'released'; readonly outcome: BarrierOutcome; readonly reason: Reason });

/** What the group's supervisor has to do now. */
export type BarrierDecision =
  | { readonly kind: 'wait' }
  /** Wait `byMs` longer: `members` are still running and have shown progress. */
  | { readonly kind: 'extend'; readonly byMs: number; readonly members: readonly string[] }
  /** Abort what runs and carry out the unfinished members one after another. */
  | { readonly kind: 'fall_back' }
  | {
      readonly kind: 'release';
      readonly outcome: BarrierOutcome;
      readonly reason: Reason;
      /** Members have not arrived and nobody waits for them: cancel them. */
      readonly cancelRest: boolean;
    };

/** The barrier after an event, and what to do about it. */
export interface BarrierStep {
  readonly state: BarrierState;
  readonly decision: BarrierDecision;
}

type Release = Extract<BarrierDecision, { kind: 'release' }>;
type Verdict = Omit<Release, 'kind'>;

const wait: BarrierDecision = { kind: 'wait' };

/**
 * A barrier that nobody has reached yet. A required id that is no member counts as a failed one, since it
 * can never arrive.
 */
export function initialBarrier(spec: BarrierSpec, memberIds: readonly string[]): BarrierState {
  const members = new Map(memberIds.map((id, index) => [id, index]));
  const required = new Set(spec.required);
  const requiredPending = [...required].filter((id) => members.has(id)).length;
  const rule = {
    spec,
    members,
    required,
    expected: Math.min(spec.expected ?? members.size, members.size),
    needed: successesNeeded(spec.minSuccess, members.size),
  };
  const requiredFailed = required.size - requiredPending;
  const marks = emptyMarks(memberIds.length);
  return { tag: 'open', rule, tally: { arrived: 0, succeeded: 0, requiredPending, requiredFailed, marks } };
}

/** Successes that `minSuccess` asks for; a share counts against all members and is rounded up. */
function successesNeeded(minSuccess: MinSuccess, total: number): number {
  if ('count' in minSuccess) return minSuccess.count;
  // 0.07 * 100 is 7.000000000000001: without the allowance a share would ask for one member too many.
  return Math.ceil(minSuccess.share * total - 1e-9);
}

/**
 * The decision before any arrival: a group without members has succeeded, a smart barrier that can never be
 * met has failed, everything else waits. To be asked once, after {@link initialBarrier}.
 */
export function barrierAtStart(state: BarrierState): BarrierStep {
  if (state.tag === 'released') return { state, decision: wait };
  if (state.rule.members.size === 0) {
    return release(state, { outcome: 'succeeded', reason: 'completed', cancelRest: false });
  }
  return settle(state);
}

/**
 * Counts a member that has ended, in time independent of the number of members. A member counts once; a
 * second arrival, or one after the release, changes nothing.
 * @throws TroupeError TRP_INTERNAL for an id that is no member.
 */
export function barrierArrived(
  state: BarrierState,
  arrival: { readonly member: string; readonly outcome: TaskOutcome },
): BarrierStep {
  const index = state.rule.members.get(arrival.member);
  if (index === undefined) {
    throw new TroupeError('TRP_INTERNAL', `"${arrival.member}" is no member of this barrier.`);
  }
  if (state.tag === 'released' || hasMark(state.tally.marks, index)) return { state, decision: wait };
  const next = { ...state, tally: counted(state, arrival, index) };
  const failedFast = failFastVerdict(next, arrival);
  return failedFast ? release(next, failedFast) : settle(next);
}

function counted(
  { rule, tally }: BarrierState,
  { member, outcome }: { readonly member: string; readonly outcome: TaskOutcome },
  index: number,
): BarrierTally {
  const success = outcome === 'succeeded' ? 1 : 0;
  const required = rule.required.has(member) ? 1 : 0;
  return {
    arrived: tally.arrived + 1,
    succeeded: tally.succeeded + success,
    requiredPending: tally.requiredPending - required,
    requiredFailed: tally.requiredFailed + required * (1 - success),
    marks: withMark(tally.marks, index),
  };
}

/** A skipped member did not fail: fail_fast leaves it to the other rules. */
function failFastVerdict(
  { rule }: BarrierState,
  { member, outcome }: { readonly member: string; readonly outcome: TaskOutcome },
): Verdict | undefined {
  if (rule.spec.onFailure !== 'fail_fast') return undefined;
  if (outcome === 'succeeded' || outcome === 'skipped') return undefined;
  const reason = rule.required.has(member) ? 'required_member_failed' : 'members_failed';
  return { outcome: 'failed', reason, cancelRest: true };
}

/** Releases when the wait is over, or when a smart barrier cannot be met any more. */
function settle(state: BarrierState): BarrierStep {
  const { rule, tally } = state;
  const rest = rule.members.size - tally.arrived;
  if (complete(state)) return release(state, { ...judged(state), cancelRest: rest > 0 });
  if (rule.spec.type === 'smart' && !reachable(state)) {
    const cancelRest = rule.spec.onFailure !== 'continue';
    return release(state, { outcome: 'failed', reason: shortfall(state), cancelRest });
  }
  return { state, decision: wait };
}

/** Enough members have ended. A required member is always waited for, also beyond `expected`. */
function complete({ rule, tally }: BarrierState): boolean {
  return tally.arrived >= rule.expected && tally.requiredPending === 0;
}

/** Whether some further course of arrivals could still meet the barrier. */
function reachable({ rule, tally }: BarrierState): boolean {
  const last = tally.requiredPending > 0 ? rule.members.size : rule.expected;
  return tally.requiredFailed === 0 && tally.succeeded + last - tally.arrived >= rule.needed;
}

/** Whether what has arrived is enough to go on with. */
function met({ rule, tally }: BarrierState): boolean {
  return tally.succeeded >= rule.needed && tally.requiredPending === 0 && tally.requiredFailed === 0;
}

function judged(state: BarrierState): Omit<Verdict, 'cancelRest'> {
  const { rule, tally } = state;
  if (!met(state)) return { outcome: 'failed', reason: shortfall(state) };
  if (tally.succeeded === rule.members.size) return { outcome: 'succeeded', reason: 'completed' };
  const early = tally.arrived < rule.members.size;
  return { outcome: 'partial', reason: early ? 'quorum_reached' : 'gaps_tolerated' };
}

function shortfall({ rule, tally }: BarrierState): Reason {
  if (tally.requiredFailed > 0) return 'required_member_failed';
  return tally.succeeded < rule.needed ? 'min_success_missed' : 'required_member_failed';
}

/**
 * The barrier's time is up: the strategies of `onTimeout` are tried in order, and the first that applies
 * decides. At the end of the list what has arrived is judged. A barrier that has fallen back has no
 * timeout any more.
 * @param progressed ids of members that have shown progress since the last decision.
 */
export function barrierTimedOut(state: BarrierState, progressed: readonly string[]): BarrierStep {
  if (state.tag === 'released' || state.tag === 'falling_back') return { state, decision: wait };
  for (const strategy of state.rule.spec.onTimeout) {
    const step = tried(strategy, state, progressed);
    if (step) return step;
  }
  return proceeded(state) ?? timedOut(state, shortfall(state));
}

type Timed = Extract<BarrierState, { tag: 'open' | 'extended' }>;

function tried(strategy: OnTimeout, state: Timed, progressed: readonly string[]): BarrierStep | undefined {
  switch (strategy) {
    case 'extend':
      return extended(state, progressed);
    case 'proceed_with_available':
      return proceeded(state);
    case 'abort_and_fallback':
      return { state: { rule: state.rule, tally: state.tally, tag: 'falling_back' }, decision: { kind: 'fall_back' } };
    case 'fail':
      return timedOut(state, 'deadline_exceeded');
  }
}

function extended(state: Timed, progressed: readonly string[]): BarrierStep | undefined {
  const { rule, tally } = state;
  const { byMs, max } = rule.spec.extension;
  const used = state.tag === 'extended' ? state.extensions : 0;
  const members = progressed.filter((id) => isRunning(state, id));
  if (used >= max || members.length === 0) return undefined;
  return {
    state: { rule, tally, tag: 'extended', extensions: used + 1 },
    decision: { kind: 'extend', byMs, members },
  };
}

function isRunning({ rule, tally }: BarrierState, id: string): boolean {
  const index = rule.members.get(id);
  return index !== undefined && !hasMark(tally.marks, index);
}

function proceeded(state: Timed): BarrierStep | undefined {
  if (!met(state)) return undefined;
  return release(state, { outcome: 'partial', reason: 'gaps_tolerated', cancelRest: true });
}

function timedOut(state: Timed, reason: Reason): BarrierStep {
  return release(state, { outcome: 'failed', reason, cancelRest: true });
}

function release({ rule, tally }: BarrierState, verdict: Verdict): BarrierStep {
  const { outcome, reason } = verdict;
  const cancelRest = verdict.cancelRest && tally.arrived < rule.members.size;
  return {
    state: { rule, tally, tag: 'released', outcome, reason },
    decision: { kind: 'release', outcome, reason, cancelRest },
  };
}
