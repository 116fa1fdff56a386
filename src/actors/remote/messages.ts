import type { ErrorInfo } from '../../core/errors.ts';
import type { Plain } from '../../core/plain.ts';
import type { WorkLevel } from '../../bus/work-queue.ts';
import type { MemoryChange } from '../../journal/record.ts';
import type { ProviderSpec } from '../../workflow/model.ts';
import type { AttemptRequest, Progress, Usage } from '../behaviours/behaviour.ts';
import type { MemoryCopy } from '../behaviours/memory-copy.ts';
import type { Label } from './label.ts';

/**
 * Version of what supervisors and worker hosts say to each other. Messages of every version from 1 on are read for
 * ever; new fields are optional, and a change that old hosts would misread raises it. The {@link Label} and `protocol`
 * keep their place in every version, so that even a message that cannot be read can be answered.
 */
export const workProtocol = 1;

/** What a worker host is to do. */
export interface Assignment extends Label {
  readonly protocol: number;
  readonly type: 'assignment';
  readonly pool: string;
  readonly level: WorkLevel;
  /** The attempt but for what exists on one host only. */
  readonly request: Omit<AttemptRequest, 'memory' | 'baseDir' | 'workspace'>;
  /** The view at dispatch, cut down to what the task reads. */
  readonly memory: MemoryCopy;
  /** Providers of the run's document. */
  readonly providers?: { readonly [name: string]: ProviderSpec };
  /** Variables of the host's environment whose values it says to nobody. */
  readonly secrets?: readonly string[];
}

/** What a host says of an attempt; `host` says who. */
export type HostMessage = Label & { readonly protocol: number; readonly host: string } & (
    | {
        readonly type: 'result';
        readonly output: Plain;
        readonly changes: readonly MemoryChange[];
        readonly spent?: Usage;
      }
    | { readonly type: 'failure'; readonly error: ErrorInfo; readonly spent?: Usage }
    | { readonly type: 'step'; readonly name: string; readonly value: Plain }
    /** May it begin? Answered by a {@link ClaimAnswer}. */
    | { readonly type: 'claim' }
    /** It was not finished: whoever comes next may have it. Answered by true. */
    | { readonly type: 'handed_back' }
    | { readonly type: 'progress'; readonly progress: Progress }
    /** Everything that the attempt has spent so far. */
    | { readonly type: 'spent'; readonly spent: Usage }
  );

/** Whether a host may begin an attempt. */
export interface ClaimAnswer {
  readonly go: boolean;
  /** Steps that the attempt did on a host that has handed it back. */
  readonly steps?: { readonly [name: string]: Plain };
}

/** A sign of life of a worker host. */
export interface Heartbeat {
  readonly protocol: number;
  readonly type: 'heartbeat';
  readonly host: string;
  readonly pools: readonly string[];
  readonly slots: number;
  readonly free: number;
  /** It takes nothing new. */
  readonly draining: boolean;
  readonly attempts: readonly Label[];
}

/** What a host is told, on its control subject; all but `abort` are answered. */
export type HostOrder =
  /** Tell at once who you are. To all hosts. */
  | { readonly protocol: number; readonly type: 'report' }
  /** End this attempt; its result is not wanted. */
  | (Label & { readonly protocol: number; readonly type: 'abort'; readonly error: ErrorInfo })
  /** The run has another owner, for whom the attempt goes on under this label. Answered by true if it is at work. */
  | (Label & { readonly protocol: number; readonly type: 'adopt'; readonly was: number })
  /**
   * Begin at once, without a queue. Answered by true if there was a slot; where `takesEnd` says that the owner knows
   * this, by the result or the failure itself when that is there within moments.
   */
  | {
      readonly protocol: number;
      readonly type: 'begin';
      readonly assignment: Assignment;
      readonly takesEnd?: boolean;
    };
