import type { CollectionInput } from '../actors/collection.ts';
import { assign, setup } from '../actors/xstate.ts';
import type { Reason, TaskOutcome } from '../core/outcome.ts';
import {
  barrierArrived,
  barrierAtStart,
  barrierHardDeadline,
  barrierSoftDeadline,
  barrierTimedOut,
  initialBarrier,
} from '../policies/barrier.ts';
import type {
  Arrival,
  BarrierDecision,
  BarrierOutcome,
  BarrierState,
  BarrierStep,
} from '../policies/barrier.ts';
import type { BarrierSpec } from '../workflow/model.ts';
import { crewLogic } from './crew.ts';

/** The parts that fork-join and async-merge share: one policy, one way to announce what it decides. */

/** What a group's supervisor asks of its run, the only writer of the journal. */
export interface JoinPort {
  /** The wait is over. Answered by `group.ended`. */
  released(group: string, release: Extract<BarrierDecision, { kind: 'release' }>): void;
  /** Wait longer, for members that have shown progress. */
  extended(group: string, extension: Extract<BarrierDecision, { kind: 'extend' }>): void;
  /** The soft deadline has passed without enough: the group goes on as soon as there is enough. */
  sufficed(group: string): void;
  /** Carry out the unfinished members one after another. */
  fellBack(group: string): void;
  /** A member's result is there to be merged. */
  contributed(group: string, member: string): void;
}

/** What a group's supervisor is given. */
export interface JoinInput {
  readonly group: string;
  readonly barrier: BarrierSpec;
  readonly members: readonly string[];
  readonly port: JoinPort;
  readonly crew: CollectionInput;
}

/** What a group's supervisor knows: its barrier, and the barrier's latest decision. */
export interface JoinContext {
  readonly group: string;
  readonly port: JoinPort;
  readonly crew: CollectionInput;
  readonly barrier: BarrierState;
  readonly decision: BarrierDecision;
}

/** A deadline beside a barrier's timeout: after the soft one it is content with enough, the hard one is final. */
export type BarrierBound = 'soft' | 'hard';

type MemberEnded = {
  readonly type: 'member.ended';
  readonly member: string;
  readonly outcome: TaskOutcome;
  /** A condition kept it from running: the group is as if it had no such member. */
  readonly leftOut?: boolean;
};

/** Members that had ended when the run was taken over, in the order of the group: the same as one after another. */
type MembersEnded = { readonly type: 'members.ended'; readonly members: readonly Arrival[] };

/** Every message that a group's supervisor may receive. */
export type JoinEvent =
  | { readonly type: 'member.dispatched' }
  | MemberEnded
  | MembersEnded
  | {
      readonly type: 'deadline.reached';
      readonly progressed: readonly string[];
      /** Absent: the timeout, which strategies decide about. */
      readonly bound?: BarrierBound;
    }
  | { readonly type: 'group.ended'; readonly outcome: BarrierOutcome; readonly reason: Reason };

const nothingDecided: BarrierDecision = { kind: 'wait' };

/** The last answer: guards and the context ask for the same one, and the policy is pure. */
let answered: { barrier: BarrierState; event: JoinEvent; step: BarrierStep } | undefined;

/** The barrier's answer to an event. */
function stepOf({ barrier }: JoinContext, event: JoinEvent): BarrierStep {
  if (answered?.event === event && answered.barrier === barrier) return answered.step;
  const step = askedFor(barrier, event);
  answered = { barrier, event, step };
  return step;
}

function askedFor(barrier: BarrierState, event: JoinEvent): BarrierStep {
  switch (event.type) {
    case 'member.ended':
      return barrierArrived(barrier, event);
    case 'members.ended':
      return arrivedTogether(barrier, event.members).step;
    case 'deadline.reached':
      return deadlineStep(barrier, event);
    default:
      return { state: barrier, decision: nothingDecided };
  }
}

/** Counts members until the barrier releases; `count` says how many. */
function arrivedTogether(
  barrier: BarrierState,
  members: readonly Arrival[],
): { readonly step: BarrierStep; readonly count: number } {
  let step: BarrierStep = { state: barrier, decision: nothingDecided };
  for (const [index, arrival] of members.entries()) {
    step = barrierArrived(step.state, arrival);
    if (step.decision.kind === 'release') return { step, count: index + 1 };
  }
  return { step, count: members.length };
}

function deadlineStep(
  barrier: BarrierState,
  { bound, progressed }: Extract<JoinEvent, { type: 'deadline.reached' }>,
): BarrierStep {
  if (bound === 'soft') return barrierSoftDeadline(barrier, progressed);
  return bound === 'hard' ? barrierHardDeadline(barrier) : barrierTimedOut(barrier, progressed);
}

/** Named actions and guards of both machines. */
export const joinSetup = setup({
  types: {} as { context: JoinContext; events: JoinEvent; input: JoinInput },
  actors: { crew: crewLogic },
  guards: {
    releases: ({ context, event }) => stepOf(context, event).decision.kind === 'release',
    extends: ({ context, event }) => stepOf(context, event).decision.kind === 'extend',
    suffices: ({ context, event }) => stepOf(context, event).decision.kind === 'suffice',
    fallsBack: ({ context, event }) => stepOf(context, event).decision.kind === 'fall_back',
    isReleased: ({ context }) => context.barrier.tag === 'released',
    succeeded: ({ event }) => event.type === 'member.ended' && event.outcome === 'succeeded',
    endedWell: ({ event }) => event.type === 'group.ended' && event.outcome === 'succeeded',
    endedInPart: ({ event }) => event.type === 'group.ended' && event.outcome === 'partial',
  },
  actions: {
    decide: assign(({ context, event }) => {
      const { state, decision } = stepOf(context, event);
      return { barrier: state, decision };
    }),
    announceRelease: ({ context: { port, group, decision } }) => {
      if (decision.kind === 'release') port.released(group, decision);
    },
    announceExtension: ({ context: { port, group, decision } }) => {
      if (decision.kind === 'extend') port.extended(group, decision);
    },
    announceSufficiency: ({ context: { port, group } }) => port.sufficed(group),
    announceFallback: ({ context: { port, group } }) => port.fellBack(group),
    announceContribution: ({ context: { port, group }, event }) => {
      if (event.type === 'member.ended') port.contributed(group, event.member);
    },
    announceContributions: ({ context: { port, group, barrier }, event }) => {
      if (event.type !== 'members.ended') return;
      const { count } = arrivedTogether(barrier, event.members);
      for (const { member, outcome } of event.members.slice(0, count))
        if (outcome === 'succeeded') port.contributed(group, member);
    },
  },
});

/** The context at the start: a group without members is released at once. */
export function joinContext({ input }: { input: JoinInput }): JoinContext {
  const { group, barrier, members, port, crew } = input;
  const { state, decision } = barrierAtStart(initialBarrier(barrier, members));
  return { group, port, crew, barrier: state, decision };
}
