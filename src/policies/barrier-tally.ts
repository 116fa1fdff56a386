import type { Reason } from '../core/outcome.ts';
import { heaviestOf, reaches } from './barrier-measure.ts';
import type { Threshold } from './barrier-measure.ts';
import { countsFor } from './barrier-state.ts';
import type { Arrival, BarrierState, BarrierTally } from './barrier-state.ts';
import { hasMark, withMark } from './marks.ts';

/** The tally with a member in it that had not arrived; `index` is the member's position. */
export function counted(
  { rule, tally }: BarrierState,
  { member, outcome }: Arrival,
  index: number,
): BarrierTally {
  const success = outcome === 'succeeded' ? 1 : 0;
  const required = rule.required.has(member) ? 1 : 0;
  const weight = rule.weights?.of[index] ?? 0;
  return {
    arrived: tally.arrived + 1,
    succeeded: tally.succeeded + success,
    succeededWeight: tally.succeededWeight + weight * success,
    pendingWeight: tally.pendingWeight - weight,
    requiredPending: tally.requiredPending - required,
    requiredFailed: tally.requiredFailed + required * (1 - success),
    marks: withMark(tally.marks, index),
  };
}

/** The barrier without a member that was left out: it neither arrived nor failed, and nobody asks for it. */
export function withoutMember(
  state: BarrierState,
  { member }: Arrival,
  index: number,
): BarrierState {
  const { rule, tally } = state;
  const required = rule.required.has(member) ? 1 : 0;
  return {
    ...state,
    rule: { ...rule, ...countsFor(rule.spec, rule.size - 1) },
    tally: {
      ...tally,
      pendingWeight: tally.pendingWeight - (rule.weights?.of[index] ?? 0),
      requiredPending: tally.requiredPending - required,
      marks: withMark(tally.marks, index),
    },
  };
}

/** Whether a member of the barrier has not arrived. */
export function isRunning({ rule, tally }: BarrierState, id: string): boolean {
  const index = rule.members.get(id);
  return index !== undefined && !hasMark(tally.marks, index);
}

/** Enough members have ended. A required member is always waited for, also beyond `expected`. */
export function isComplete({ rule, tally }: BarrierState): boolean {
  return tally.arrived >= rule.expected && tally.requiredPending === 0;
}

/** Whether some further course of arrivals could still meet the barrier. */
export function isReachable(state: BarrierState): boolean {
  const { rule, tally } = state;
  if (tally.requiredFailed > 0) return false;
  const last = tally.requiredPending > 0 ? rule.size : rule.expected;
  const members = tally.succeeded + last - tally.arrived;
  if (rule.needed.unit === 'members') return members >= rule.needed.least;
  const most = { members, weight: tally.succeededWeight + tally.pendingWeight };
  if (!reaches(rule.needed, most)) return false;
  // Only while it waits for some members, and weighs them, does it matter which ones those are.
  return last === rule.size || reaches(rule.needed, { ...most, weight: bestWeight(state, last) });
}

/** The weight of the successes when the heaviest are the next to arrive. */
function bestWeight({ rule, tally }: BarrierState, last: number): number {
  if (!rule.weights) return 0;
  const isOut = (index: number): boolean => hasMark(tally.marks, index);
  return tally.succeededWeight + heaviestOf(rule.weights, last - tally.arrived, isOut);
}

/** Whether what has arrived is enough to go on with. */
export function isMet(state: BarrierState): boolean {
  const { rule, tally } = state;
  return has(state, rule.needed) && tally.requiredPending === 0 && tally.requiredFailed === 0;
}

/** Whether so many have succeeded that the group goes on without the rest. */
export function isQuorate(state: BarrierState): boolean {
  const { quorum } = state.rule;
  return quorum !== undefined && has(state, quorum) && isMet(state);
}

/** Why what has arrived is not enough. */
export function shortfall(state: BarrierState): Reason {
  if (state.tally.requiredFailed > 0) return 'required_member_failed';
  return has(state, state.rule.needed) ? 'required_member_failed' : 'min_success_missed';
}

function has({ tally }: BarrierState, threshold: Threshold): boolean {
  return reaches(threshold, { members: tally.succeeded, weight: tally.succeededWeight });
}
