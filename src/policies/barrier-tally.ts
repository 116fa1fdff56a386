import type { Reason } from '../core/outcome.ts';
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
  return {
    arrived: tally.arrived + 1,
    succeeded: tally.succeeded + success,
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
export function isReachable({ rule, tally }: BarrierState): boolean {
  const last = tally.requiredPending > 0 ? rule.size : rule.expected;
  return tally.requiredFailed === 0 && tally.succeeded + last - tally.arrived >= rule.needed;
}

/** Whether what has arrived is enough to go on with. */
export function isMet({ rule, tally }: BarrierState): boolean {
  return (
    tally.succeeded >= rule.needed && tally.requiredPending === 0 && tally.requiredFailed === 0
  );
}

/** Why what has arrived is not enough. */
export function shortfall({ rule, tally }: BarrierState): Reason {
  if (tally.requiredFailed > 0) return 'required_member_failed';
  return tally.succeeded < rule.needed ? 'min_success_missed' : 'required_member_failed';
}
