import type { Reason, TaskOutcome } from '../core/outcome.ts';
import type { BarrierSpec, MinSuccess } from '../workflow/model.ts';
import { emptyMarks, type Marks } from './marks.ts';

/** What a barrier was made from; the same for its whole life. */
export interface BarrierRule {
  readonly spec: BarrierSpec;
  /** Position of every member by id. */
  readonly members: ReadonlyMap<string, number>;
  /** Members that count: those that were left out do not. */
  readonly size: number;
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
  /** It was not to run at all (its condition did not hold): the group is as if it had no such member. */
  readonly leftOut?: boolean;
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
  | (BarrierBase & {
      readonly tag: 'released';
      readonly outcome: BarrierOutcome;
      readonly reason: Reason;
    });

/**
 * A barrier that nobody has reached yet. A required id that is no member counts as a failed one, since it
 * can never arrive.
 */
export function initialBarrier(spec: BarrierSpec, memberIds: readonly string[]): BarrierState {
  const members = new Map(memberIds.map((id, index) => [id, index]));
  const required = new Set(spec.required);
  const requiredPending = [...required].filter((id) => members.has(id)).length;
  const rule = { spec, members, required, ...countsFor(spec, members.size) };
  const requiredFailed = required.size - requiredPending;
  const marks = emptyMarks(memberIds.length);
  return {
    tag: 'open',
    rule,
    tally: { arrived: 0, succeeded: 0, requiredPending, requiredFailed, marks },
  };
}

/** What a barrier waits for and asks for when it counts so many members. */
export function countsFor(
  spec: BarrierSpec,
  size: number,
): Pick<BarrierRule, 'size' | 'expected' | 'needed'> {
  return {
    size,
    expected: Math.min(spec.expected ?? size, size),
    needed: successesNeeded(spec.minSuccess, size),
  };
}

/** Successes that `minSuccess` asks for; a share counts against all members and is rounded up. */
function successesNeeded(minSuccess: MinSuccess, total: number): number {
  if ('count' in minSuccess) return minSuccess.count;
  // 0.07 * 100 is 7.000000000000001: without the allowance a share would ask for one member too many.
  return Math.ceil(minSuccess.share * total - 1e-9);
}
