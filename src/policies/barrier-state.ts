import type { Reason, TaskOutcome } from '../core/outcome.ts';
import type { BarrierSpec, MinSuccess } from '../workflow/model.ts';
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

/** A member that has ended. */
export interface Arrival {
  readonly member: string;
  readonly outcome: TaskOutcome;
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

/** The tally with a member in it that had not arrived; `index` is the member's position. */
export function counted({ rule, tally }: BarrierState, { member, outcome }: Arrival, index: number): BarrierTally {
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
  const last = tally.requiredPending > 0 ? rule.members.size : rule.expected;
  return tally.requiredFailed === 0 && tally.succeeded + last - tally.arrived >= rule.needed;
}

/** Whether what has arrived is enough to go on with. */
export function isMet({ rule, tally }: BarrierState): boolean {
  return tally.succeeded >= rule.needed && tally.requiredPending === 0 && tally.requiredFailed === 0;
}

/** Why what has arrived is not enough. */
export function shortfall({ rule, tally }: BarrierState): Reason {
  if (tally.requiredFailed > 0) return 'required_member_failed';
  return tally.succeeded < rule.needed ? 'min_success_missed' : 'required_member_failed';
}
