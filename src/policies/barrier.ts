import { TroupeError } from '../core/errors.ts';
import type { Reason } from '../core/outcome.ts';
import type { OnTimeout } from '../workflow/model.ts';
import type { Arrival, BarrierOutcome, BarrierState } from './barrier-state.ts';
import {
  withoutMember,
  counted,
  isComplete,
  isMet,
  isQuorate,
  isReachable,
  isRunning,
  shortfall,
} from './barrier-tally.ts';
import { hasMark } from './marks.ts';

export {
  initialBarrier,
  type Arrival,
  type BarrierOutcome,
  type BarrierState,
} from './barrier-state.ts';

/** What the group's supervisor has to do now. */
export type BarrierDecision =
  | { readonly kind: 'wait' }
  /** Wait `byMs` longer: `members` are still running and have shown progress. */
  | {
      readonly kind: 'extend';
      readonly byMs: number;
      readonly members: readonly string[];
      /** It is the soft deadline that moves. */
      readonly soft?: true;
    }
  /** The soft deadline has passed without enough: go on as soon as there is enough. */
  | { readonly kind: 'suffice' }
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
 * The decision before any arrival: a group without members has succeeded, a smart barrier that can never be
 * met has failed, everything else waits. To be asked once, after {@link initialBarrier}.
 */
export function barrierAtStart(state: BarrierState): BarrierStep {
  if (state.tag === 'released') return { state, decision: wait };
  if (state.rule.size === 0) {
    return release(state, { outcome: 'succeeded', reason: 'completed', cancelRest: false });
  }
  return settle(state);
}

/**
 * Counts a member that has ended, in time independent of the number of members. A member counts once; a
 * second arrival, or one after the release, changes nothing.
 * @throws TroupeError TRP_INTERNAL for an id that is no member.
 */
export function barrierArrived(state: BarrierState, arrival: Arrival): BarrierStep {
  const index = state.rule.members.get(arrival.member);
  if (index === undefined) {
    throw new TroupeError('TRP_INTERNAL', `"${arrival.member}" is no member of this barrier.`);
  }
  if (state.tag === 'released' || hasMark(state.tally.marks, index))
    return { state, decision: wait };
  const next = arrival.leftOut
    ? withoutMember(state, arrival, index)
    : { ...state, tally: counted(state, arrival, index) };
  const failedFast = failFastVerdict(next, arrival);
  return failedFast ? release(next, failedFast) : settle(next);
}

/** A skipped member did not fail: fail_fast leaves it to the other rules. */
function failFastVerdict(
  { rule }: BarrierState,
  { member, outcome }: Arrival,
): Verdict | undefined {
  if (rule.spec.onFailure !== 'fail_fast') return undefined;
  if (outcome === 'succeeded' || outcome === 'skipped') return undefined;
  const reason = rule.required.has(member) ? 'required_member_failed' : 'members_failed';
  return { outcome: 'failed', reason, cancelRest: true };
}

/** Releases when the wait is over, or when a smart barrier cannot be met any more. */
function settle(state: BarrierState): BarrierStep {
  const { rule } = state;
  if (isComplete(state) || isQuorate(state))
    return release(state, { ...judged(state), cancelRest: true });
  if (isSufficing(state)) {
    const enough = proceeded(state);
    if (enough) return enough;
  }
  if (rule.spec.type === 'smart' && !isReachable(state)) {
    const cancelRest = rule.spec.onFailure !== 'continue';
    return release(state, { outcome: 'failed', reason: shortfall(state), cancelRest });
  }
  return { state, decision: wait };
}

function judged(state: BarrierState): Omit<Verdict, 'cancelRest'> {
  const { rule, tally } = state;
  if (!isMet(state)) return { outcome: 'failed', reason: shortfall(state) };
  if (tally.succeeded === rule.size) return { outcome: 'succeeded', reason: 'completed' };
  const early = tally.arrived < rule.size;
  return { outcome: 'partial', reason: early ? 'quorum_reached' : 'gaps_tolerated' };
}

/** Its soft deadline has passed. */
function isSufficing(state: BarrierState): boolean {
  return state.tag === 'sufficing' || (state.tag === 'falling_back' && state.suffices);
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
  return judgedNow(state);
}

/**
 * The soft deadline has passed. Where `extend` stands before `proceed_with_available`, members that show
 * progress get more time first; then what is enough to succeed is enough to go on with, now or as soon as
 * it is there.
 * @param progressed as for {@link barrierTimedOut}
 */
export function barrierSoftDeadline(
  state: BarrierState,
  progressed: readonly string[],
): BarrierStep {
  if (state.tag === 'released' || isSufficing(state)) return { state, decision: wait };
  if (state.tag !== 'falling_back') {
    const [first] = state.rule.spec.onTimeout;
    const longer = first === 'extend' ? extended(state, progressed, { soft: true }) : undefined;
    if (longer) return longer;
  }
  return proceeded(state) ?? { state: softened(state), decision: { kind: 'suffice' } };
}

function softened(state: Exclude<BarrierState, { tag: 'released' }>): BarrierState {
  const { rule, tally } = state;
  if (state.tag === 'falling_back') return { ...state, suffices: true };
  return { rule, tally, tag: 'sufficing', extensions: extensionsOf(state) };
}

/** Nobody waits any longer: what has arrived is judged, unless the document asks to fail. */
export function barrierHardDeadline(state: BarrierState): BarrierStep {
  if (state.tag === 'released') return { state, decision: wait };
  const final = state.rule.spec.onTimeout.find(
    (strategy) => strategy === 'fail' || strategy === 'proceed_with_available',
  );
  return final === 'fail' ? timedOut(state, 'deadline_exceeded') : judgedNow(state);
}

type Timed = Extract<BarrierState, { tag: 'open' | 'extended' | 'sufficing' }>;

function tried(
  strategy: OnTimeout,
  state: Timed,
  progressed: readonly string[],
): BarrierStep | undefined {
  const { rule, tally } = state;
  switch (strategy) {
    case 'extend':
      return extended(state, progressed, {});
    case 'proceed_with_available':
      return proceeded(state);
    case 'abort_and_fallback':
      return {
        state: { rule, tally, tag: 'falling_back', suffices: isSufficing(state) },
        decision: { kind: 'fall_back' },
      };
    case 'fail':
      return timedOut(state, 'deadline_exceeded');
  }
}

function extended(
  state: Timed,
  progressed: readonly string[],
  which: { readonly soft?: true },
): BarrierStep | undefined {
  const { rule, tally } = state;
  const { byMs, max } = rule.spec.extension;
  const used = extensionsOf(state);
  const members = progressed.filter((id) => isRunning(state, id));
  if (used >= max || members.length === 0) return undefined;
  // A barrier whose soft deadline has passed goes on to be content with less.
  const tag = state.tag === 'sufficing' ? 'sufficing' : 'extended';
  return {
    state: { rule, tally, tag, extensions: used + 1 },
    decision: { kind: 'extend', byMs, members, ...which },
  };
}

function extensionsOf(state: Timed): number {
  return state.tag === 'open' ? 0 : state.extensions;
}

function proceeded(state: BarrierState): BarrierStep | undefined {
  if (!isMet(state)) return undefined;
  return release(state, { outcome: 'partial', reason: 'gaps_tolerated', cancelRest: true });
}

function judgedNow(state: BarrierState): BarrierStep {
  return proceeded(state) ?? timedOut(state, shortfall(state));
}

function timedOut(state: BarrierState, reason: Reason): BarrierStep {
  return release(state, { outcome: 'failed', reason, cancelRest: true });
}

function release({ rule, tally }: BarrierState, verdict: Verdict): BarrierStep {
  const { outcome, reason } = verdict;
  const cancelRest = verdict.cancelRest && tally.arrived < rule.size;
  return {
    state: { rule, tally, tag: 'released', outcome, reason },
    decision: { kind: 'release', outcome, reason, cancelRest },
  };
}
