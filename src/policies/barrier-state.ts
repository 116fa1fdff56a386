import type { Reason, TaskOutcome } from '../core/outcome.ts';
import type { BarrierSpec } from '../workflow/model.ts';
import { thresholdOf, weightsOf } from './barrier-measure.ts';
import type { Threshold, Weights } from './barrier-measure.ts';
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
  readonly needed: Threshold;
  /** Successes at which the group goes on at once. */
  readonly quorum: Threshold | undefined;
  /** Undefined: nothing is measured by weight. */
  readonly weights: Weights | undefined;
  readonly required: ReadonlySet<string>;
}

/** What has arrived so far. */
export interface BarrierTally {
  readonly arrived: number;
  readonly succeeded: number;
  /** Weight of those that have succeeded, and of those that have not arrived; 0 where nothing is weighed. */
  readonly succeededWeight: number;
  readonly pendingWeight: number;
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
  /** Its soft deadline has passed: it releases as soon as what it asks for is there. */
  | (BarrierBase & { readonly tag: 'sufficing'; readonly extensions: number })
  | (BarrierBase & { readonly tag: 'falling_back'; readonly suffices: boolean })
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
  const weights = weightsOf(spec, memberIds);
  const rule = { spec, members, required, weights, ...countsFor(spec, members.size) };
  const requiredFailed = required.size - requiredPending;
  const marks = emptyMarks(memberIds.length);
  return {
    tag: 'open',
    rule,
    tally: {
      arrived: 0,
      succeeded: 0,
      succeededWeight: 0,
      pendingWeight: weights?.total ?? 0,
      requiredPending,
      requiredFailed,
      marks,
    },
  };
}

/** What a barrier waits for and asks for when it counts so many members. */
export function countsFor(
  spec: BarrierSpec,
  size: number,
): Pick<BarrierRule, 'size' | 'expected' | 'needed' | 'quorum'> {
  return {
    size,
    expected: Math.min(spec.expected ?? size, size),
    needed: thresholdOf(spec.minSuccess, size),
    quorum: spec.quorum && thresholdOf(spec.quorum, size),
  };
}
