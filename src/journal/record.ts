import type { ErrorInfo } from '../core/errors.ts';
import type { Census, GroupOutcome, Reason, RunOutcome, TaskOutcome } from '../core/outcome.ts';
import type { Plain, PlainObject } from '../core/plain.ts';
import type { Assignment, RecoveryRecord } from './recovery-record.ts';
import type { MergerName, MergeType, Workflow } from '../workflow/model.ts';
import type {
  AlertRaised,
  BarrierSoftened,
  ConflictForeseen,
  ContributionLate,
} from './barrier-records.ts';
import type { WorkflowMigrated } from './migration-record.ts';
import type { SupervisionRecord } from './supervision-records.ts';
import type { BreakerDecided, HedgeEnded, HedgeStarted } from './policy-records.ts';

/**
 * Version of the record format; a reader refuses a higher one. From 2 on large values may stand beside their records;
 * records of format 1 are read as they are.
 */
export const recordFormat = 2;

/** What happened, in the past tense. A run's state is the fold of its records and nothing else. */
export type RecordBody =
  | RunStarted
  | LeaseTaken
  | RunReopened
  | CancelRequested
  | RunEnded
  | TaskStarted
  | StepDone
  | TaskSucceeded
  | TaskCompleted
  | AttemptFailed
  | TaskEnded
  | TaskSentBack
  | TaskAccepted
  | TaskExpanded
  | LateResult
  | GroupOpened
  | BarrierArmed
  | BarrierExtended
  | BarrierSoftened
  | BarrierFellBack
  | BarrierReleased
  | ContributionMerged
  | ContributionLate
  | GroupEnded
  | MemoryCommitted
  | ConflictForeseen
  | ConflictRecorded
  | ConflictResolved
  | AlertRaised
  | WorkspaceMerged
  | WorkflowMigrated
  | PolicyAdapted
  | AttemptSpent
  | RecoveryRecord
  | SupervisionRecord
  | BudgetExhausted
  | BreakerDecided
  | HedgeStarted
  | HedgeEnded;

/** A record as it stands in the journal: numbered from 1 without gaps within its run, stamped with wall time. */
export type JournalRecord = RecordBody & { readonly seq: number; readonly at: number };

/** The run exists; always its first record. */
export interface RunStarted {
  readonly type: 'run.started';
  readonly run: string;
  readonly format: number;
  readonly engine: string;
  readonly workflow: Workflow;
  /** File that the workflow came from; empty for an inline one. */
  readonly source: string;
  readonly input: PlainObject;
  readonly seed: number;
  /** True: behaviours were replaced by `simulate`. */
  readonly simulated: boolean;
  /** The run whose results it goes on from, and the task from which on it does the work anew. */
  readonly forked?: { readonly run: string; readonly task: string };
}

/** Ownership of the run by a process. The epoch is the fence: a lower one never writes again. */
export interface LeaseTaken {
  readonly type: 'lease.taken';
  readonly epoch: number;
  readonly node: string;
}

/** An ended run was resumed: everything that did not succeed is open again. */
export interface RunReopened {
  readonly type: 'run.reopened';
  /** Only these are opened, whatever came of them; absent: everything that did not succeed. */
  readonly only?: readonly string[];
}

/** Somebody asked for the end of the run; live attempts are being told. */
export interface CancelRequested {
  readonly type: 'run.cancel_requested';
  readonly by: string;
}

/** Nothing of the run is left to do. */
export interface RunEnded {
  readonly type: 'run.ended';
  readonly outcome: RunOutcome;
  readonly reason: Reason;
  readonly outputs: Plain;
}

/** An attempt was dispatched. */
export interface TaskStarted {
  readonly type: 'task.started';
  readonly task: string;
  readonly attempt: number;
  readonly iteration: number;
  /** Who does it, where that is not the task's own agent with its own model. */
  readonly by?: Assignment;
}

/** A side effect inside an attempt was done; a later attempt gets the value instead of doing it again. */
export interface StepDone {
  readonly type: 'step.done';
  readonly task: string;
  readonly iteration: number;
  readonly name: string;
  readonly value: Plain;
}

/** An attempt gave the task its output. */
export interface TaskSucceeded {
  readonly type: 'task.succeeded';
  readonly task: string;
  readonly attempt: number;
  readonly output: Plain;
}

/** The task has an output, and checkers that have not judged it yet. */
export interface TaskCompleted {
  readonly type: 'task.completed';
  readonly task: string;
  readonly attempt: number;
  readonly output: Plain;
}

/** An attempt ended without success and another one is due. */
export interface AttemptFailed {
  readonly type: 'attempt.failed';
  readonly task: string;
  readonly attempt: number;
  readonly error: ErrorInfo;
  /** Absolute time of the next attempt, wall milliseconds. */
  readonly retryAt: number;
  /** Who tries next; absent: the task's own agent. */
  readonly next?: Assignment;
  /** What it had reported of its work. */
  readonly partial?: Plain;
}

/** A task ended otherwise than by success. */
export interface TaskEnded {
  readonly type: 'task.ended';
  readonly task: string;
  readonly outcome: Exclude<TaskOutcome, 'succeeded'>;
  readonly reason: Reason;
  readonly error?: ErrorInfo;
  /** Its last attempt, where that was never dispatched. */
  readonly attempt?: number;
}

/** A validation refused the task's output: a new iteration begins. */
export interface TaskSentBack {
  readonly type: 'task.sent_back';
  readonly task: string;
  /** The checkers that refused it. */
  readonly by: readonly string[];
  readonly iteration: number;
  /** What each of them said, in the order of `by`. */
  readonly feedback: Plain;
  /** Every checker of the task: each runs again on the new output. */
  readonly recheck: readonly string[];
}

/** Every validation of the task's output is through; dependents may use it. */
export interface TaskAccepted {
  readonly type: 'task.accepted';
  readonly task: string;
}

/** A task was split into members. `items` are what the members work on, in order. */
export interface TaskExpanded {
  readonly type: 'task.expanded';
  readonly task: string;
  readonly items: readonly Plain[];
}

/** A result arrived after its task's end had been decided; it was dropped. */
export interface LateResult {
  readonly type: 'result.late';
  readonly task: string;
  readonly attempt: number;
  /** The output that was dropped, unless it was large. */
  readonly letter?: Plain;
}

/** The first member was dispatched: all of them read memory at this revision. */
export interface GroupOpened {
  readonly type: 'group.opened';
  readonly group: string;
  readonly view: number;
}

/** The timeout of a barrier began to run; `deadline` is in wall milliseconds. */
export interface BarrierArmed {
  readonly type: 'barrier.armed';
  readonly group: string;
  readonly deadline: number;
  /** Another deadline than the timeout. */
  readonly bound?: 'soft' | 'hard';
}

/** The deadline was moved, once, since members had shown progress. */
export interface BarrierExtended {
  readonly type: 'barrier.extended';
  readonly group: string;
  readonly deadline: number;
  /** Members that had shown progress. */
  readonly members: readonly string[];
  /** It was the soft deadline. */
  readonly bound?: 'soft';
}

/** The barrier gave up on running together; unfinished members run one after another. */
export interface BarrierFellBack {
  readonly type: 'barrier.fell_back';
  readonly group: string;
  readonly members: readonly string[];
}

/** The wait is over. */
export interface BarrierReleased {
  readonly type: 'barrier.released';
  readonly group: string;
  readonly outcome: GroupOutcome;
  readonly reason: Reason;
  /** Its time was over. */
  readonly timedOut: boolean;
  /** Members that run on; their results are merged when they come. */
  readonly late?: readonly string[];
}

/** A member's result was merged into its group's running output. */
export interface ContributionMerged {
  readonly type: 'contribution.merged';
  readonly group: string;
  readonly member: string;
  readonly revision: number;
}

/** The group has its output, in document order of the members. */
export interface GroupEnded {
  readonly type: 'group.ended';
  readonly group: string;
  readonly outcome: GroupOutcome;
  readonly reason: Reason;
  readonly output: Plain;
  readonly census: Census;
}

/** A changeset became visible, whole; its sequence number is the revision. */
export interface MemoryCommitted {
  readonly type: 'memory.committed';
  readonly task: string;
  readonly agent: string;
  readonly op: string;
  readonly base: number;
  readonly priority: number;
  /** Values after merging. */
  readonly changes: readonly MemoryChange[];
  /** What the task had proposed for the keys where merging made something else of it; absent: for none. */
  readonly proposed?: readonly MemoryChange[];
  /** Keys whose merged value is too large to be written again and again: it follows from what was proposed. */
  readonly merged?: readonly MergedKey[];
}

/** How the proposals to a key are merged, those of earlier records included. */
export interface MergedKey {
  readonly key: string;
  readonly rule: MergerName;
  readonly mergeType?: MergeType;
}

/** What happens to one key: it gets a value, or it goes. */
export type MemoryChange =
  | { readonly key: string; readonly value: Plain }
  | { readonly key: string; readonly deleted: true };

/** Two writes met at one key, or at one file of a workspace; nothing of this is ever silent. Its number is the conflict's id. */
export interface ConflictRecorded {
  readonly type: 'conflict.recorded';
  /** For a file: `file:` and its path. */
  readonly key: string;
  readonly rule: string;
  readonly base: number;
  readonly theirs: { readonly agent: string; readonly revision: number };
  readonly mine: { readonly agent: string; readonly task: string };
  /** What did not make it into the merged value, if anything. */
  readonly dropped: Plain;
  /** Why the merged value was not taken. */
  readonly fault?: string;
  /** Set when a person has to decide. */
  readonly open?: OpenConflict;
}

/** What a person decides between; theirs stands until then. */
export interface OpenConflict {
  readonly theirs: OpenSide;
  readonly mine: OpenSide;
}

/** One side of an open conflict: what the key held, or would hold. */
export type OpenSide =
  | { readonly value: Plain; /** SHA-256 of the canonical text. */ readonly hash: string }
  | { readonly deleted: true };

/** A person decided an open conflict; the value, if it changed, was committed just before. */
export interface ConflictResolved {
  readonly type: 'conflict.resolved';
  /** Number of its `conflict.recorded`. */
  readonly conflict: number;
  readonly choice: 'theirs' | 'mine' | 'value';
  readonly by: string;
}

/** An attempt has used something that costs, whatever becomes of the attempt. */
export interface AttemptSpent {
  readonly type: 'attempt.spent';
  readonly task: string;
  readonly attempt: number;
  readonly agent: string;
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cost: number;
  /** The attempt had lost against another one at the same work. */
  readonly loser?: true;
}

/** A cap of the budget was reached: nothing that it is for is begun any more. */
export interface BudgetExhausted {
  readonly type: 'budget.exhausted';
  readonly cap: 'tokens' | 'cost' | 'time';
  /** Whose budget; absent: the run's. */
  readonly agent?: string;
}

/** The run has changed one of its own limits, by what was measured; it stays in force. */
export interface PolicyAdapted {
  readonly type: 'policy.adapted';
  /** Attempts or members at one time; how many times those of the document timeouts are; an agent's pace, by which waiting tasks are ordered. */
  readonly policy: 'concurrency' | 'group_size' | 'timeouts' | 'order';
  /** The group or the agent; empty for what concerns the whole run. */
  readonly of: string;
  /** Null: it was not limited, or is chosen for the first time. */
  readonly from: number | null;
  readonly to: number;
  /** For people. */
  readonly reason: string;
  readonly measured: PlainObject;
}

/** What a task, or the members of a group, left in their workspaces was merged. */
export interface WorkspaceMerged {
  readonly type: 'workspace.merged';
  /** The group, or the task in none. */
  readonly unit: string;
  /** Folder that it was merged into. */
  readonly into: string;
  readonly files: number;
  /** What could not be merged at all; the files stay in the workspaces. */
  readonly error?: ErrorInfo;
}
