import type { AttemptSettlement } from '../../actors/behaviours/behaviour.ts';
import type { Sample } from '../../actors/monitor.ts';
import type { AbortReason } from '../../actors/worker.ts';
import type { ErrorInfo, TroupeError } from '../../core/errors.ts';
import type { Plain } from '../../core/plain.ts';
import type { LetterDead } from '../../journal/supervision-records.ts';
import type { Proposal } from '../../memory/propose.ts';
import type { ProposalAnswer } from '../../memory/shared/proposal-answer.ts';
import type { Spend } from '../../policies/budget.ts';
import type { BarrierDecision } from '../../policies/barrier.ts';
import type { BarrierBound } from '../join.ts';
import type { Resolution } from './resolution.ts';
import type { RunVerb } from './run-verb.ts';
import type { UnitMerged } from './workspace-merge.ts';

/** How one attempt of a task has ended. */
export interface Settled {
  readonly task: string;
  readonly settlement: AttemptSettlement;
  readonly aborted: AbortReason | undefined;
}

/** Something that was meant for a run and found no room, or was refused by it. */
export interface Dropped {
  readonly kind: LetterDead['kind'];
  /** For people. */
  readonly reason: string;
  readonly task?: string;
  readonly letter: Plain;
}

/** Every message that a run may receive. */
export type RunEvent =
  /** The start (or the takeover) is in the journal. */
  | { readonly type: 'run.opened' }
  /** Records are durable: what waited for them may go on. */
  | { readonly type: 'records.durable' }
  | { readonly type: 'permits.granted'; readonly tasks: readonly string[] }
  | { readonly type: 'permit.refused'; readonly task: string; readonly error: ErrorInfo }
  | {
      readonly type: 'attempt.settled';
      readonly task: string;
      readonly settlement: AttemptSettlement;
      readonly aborted: AbortReason | undefined;
    }
  /** Attempts of a run that is being cancelled, which have ended in one go. */
  | { readonly type: 'attempts.settled'; readonly attempts: readonly Settled[] }
  | { readonly type: 'attempt.timed_out'; readonly task: string; readonly attempt: number }
  | {
      readonly type: 'step.done';
      readonly task: string;
      readonly name: string;
      readonly value: Plain;
      readonly acknowledge: () => void;
    }
  /** An attempt on another host that is over has left a result after all. */
  | { readonly type: 'result.late'; readonly task: string; readonly attempt: number }
  /** An attempt has used something that costs. */
  | {
      readonly type: 'spend.reported';
      readonly task: string;
      readonly attempt: number;
      readonly agent: string;
      readonly spend: Spend;
    }
  /** Something was meant for the run and found no room. */
  | { readonly type: 'letter.dropped'; readonly dropped: Dropped }
  | { readonly type: 'budget.time_over' }
  /** Somebody outside the run wants to write to its memory. */
  | {
      readonly type: 'memory.proposed';
      readonly proposal: Proposal;
      readonly answer: (given: ProposalAnswer) => void;
    }
  /** A person decided an open conflict; answered when that is durable. */
  | {
      readonly type: 'conflict.resolve';
      readonly resolution: Resolution;
      readonly answer: (error?: TroupeError) => void;
    }
  /** What a group or a task has left in workspaces has been merged. */
  | ({ readonly type: 'workspaces.merged' } & UnitMerged)
  /** The process was looked at, for a run that adapts. */
  | { readonly type: 'load.sampled'; readonly sample: Sample }
  /** A task has waited for its locks as long as it may. */
  | { readonly type: 'lock.timed_out'; readonly task: string }
  /** The time that a task, or without one the plan, has waited for has come. */
  | { readonly type: 'start.due'; readonly task?: string }
  | { readonly type: 'retry.due'; readonly task: string }
  /** A breaker may let tasks through again that wait for it. */
  | { readonly type: 'breaker.ready'; readonly breaker: string }
  /** An attempt has run so long that a further one is wanted beside it. */
  | { readonly type: 'hedge.due'; readonly task: string; readonly attempt: number }
  | {
      readonly type: 'hedge.settled';
      readonly task: string;
      readonly settlement: AttemptSettlement;
      readonly aborted: AbortReason | undefined;
    }
  | { readonly type: 'task.deadline'; readonly task: string }
  | { readonly type: 'barrier.decided'; readonly group: string; readonly decision: BarrierDecision }
  | { readonly type: 'member.contributed'; readonly group: string; readonly member: string }
  | { readonly type: 'group.deadline'; readonly group: string; readonly bound?: BarrierBound }
  /** The time of the rung that a task is on is over. */
  | { readonly type: 'rung.expired'; readonly task: string }
  /** A person wants something of the run; answered when it is durable. */
  | {
      readonly type: 'verb.asked';
      readonly verb: RunVerb;
      readonly answer: (error?: TroupeError) => void;
    }
  /** Time to look whether the run is stuck. */
  | { readonly type: 'stuck.check' }
  | { readonly type: 'run.deadline' }
  | { readonly type: 'run.cancel'; readonly by: string }
  /** Stop here, resumable: the process ends. */
  | { readonly type: 'run.interrupt' }
  /** Every task and group is settled and nothing runs. */
  | { readonly type: 'work.finished' }
  | { readonly type: 'run.closed' }
  /** Nothing runs any more after an interrupt. */
  | { readonly type: 'work.stopped' }
  /** The journal is lost, or a fault of ours: the run cannot go on in this process. */
  | { readonly type: 'run.faulted'; readonly error: ErrorInfo };
