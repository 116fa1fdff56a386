import type { Plain, PlainObject } from '../core/plain.ts';
import type { BreakerSpec, SharedBreakers } from './breaker.ts';
import type { HealthSpec } from './health.ts';
import type { HedgeSpec } from './hedge.ts';
import type { AdaptationSpec, Thresholds } from './adaptation.ts';
import type { mergerNames } from './mergers.ts';
import type { RetryClass, RungSpec } from './recovery.ts';

/**
 * The workflow as the runtime sees it: normalised, validated, frozen. Source spellings, defaults,
 * tiers and cross-validation have been resolved into tasks and groups; durations are milliseconds.
 */
export interface Workflow {
  readonly name: string;
  readonly description: string;
  /** SHA-256 of the canonical normalised document: a resumed run compares it. */
  readonly hash: string;
  /** Folder that relative module and program paths start from; absolute. */
  readonly baseDir: string;
  readonly agents: { readonly [id: string]: AgentSpec };
  /** In document order; then the tasks that cross-validation generated. */
  readonly tasks: readonly TaskSpec[];
  readonly groups: readonly GroupSpec[];
  readonly resources: ResourceSpec;
  readonly memory: { readonly keys: readonly MemoryKeySpec[] };
  /** `outputs:` map of templates; without one a run's outputs are its leaf tasks' outputs by id. */
  readonly outputs: { readonly [name: string]: Template } | undefined;
  /** Values that `--input` may omit. */
  readonly inputs: { readonly [name: string]: InputSpec };
  /** From the run's start, queueing included. */
  readonly deadlineMs: number | undefined;
  /** The bus that the document asks for; absent: none. Not part of the hash: where a run is shown does not change it. */
  readonly bus?: string;
  /** The least that its records must survive; absent: what the process gives. Not part of the hash, as the bus. */
  readonly durability?: 'memory' | 'process' | 'power' | undefined;
  /** How the run adapts to what is measured; absent: not at all. */
  readonly adaptation?: AdaptationSpec | undefined;
  /** The run's part of what all runs of a process share; undefined: share 1, class normal. */
  readonly schedule?: ScheduleSpec | undefined;
  /** What nobody may read: names of environment variables, and `input.NAME` for inputs. */
  readonly secrets?: readonly string[] | undefined;
  /** Services that agents call, and their limits; absent: none. */
  readonly providers?: { readonly [name: string]: ProviderSpec } | undefined;
  /** What the run may spend before nothing new is begun; absent: no bound. */
  readonly budget?: BudgetSpec | undefined;
  /** Breakers of pools and tools; absent: none. */
  readonly breakers?: SharedBreakers | undefined;
  /** When the run, its agents and pools are not healthy; absent: nobody looks. */
  readonly health?: HealthSpec | undefined;
  /** What is looked at for alerts, every so often; absent: nothing. */
  readonly monitoring?: MonitoringSpec | undefined;
}

/** What raises an alert. */
export interface MonitoringSpec {
  readonly intervalMs: number;
  readonly thresholds: Thresholds;
}

/** What a provider, or one of its models, allows; undefined: no limit. */
export interface ProviderLimitSpec {
  readonly requestsPerMinute?: number | undefined;
  /** Input and output together. */
  readonly tokensPerMinute?: number | undefined;
  /** Calls at one time: to begin with, and the bounds within which that adapts. */
  readonly concurrency?:
    | {
        readonly initial?: number | undefined;
        readonly min?: number | undefined;
        readonly max?: number | undefined;
        /** A call that takes longer is a sign of overload. */
        readonly slowAfterMs?: number | undefined;
      }
    | undefined;
  /** Undefined: none. */
  readonly breaker?: BreakerSpec | undefined;
}

/** A service that agents call. */
export interface ProviderSpec extends ProviderLimitSpec {
  /** Name of the key whose limits are counted; undefined: there is one. */
  readonly key: string | undefined;
  readonly models: { readonly [model: string]: ProviderLimitSpec };
}

/** What may be spent; undefined: no bound. */
export interface BudgetSpec {
  /** Input and output together. */
  readonly tokens?: number | undefined;
  readonly cost?: number | undefined;
  /** From the run's start, or its newest reopening. */
  readonly timeMs?: number | undefined;
}

/** How a run stands beside other runs of the process. */
export interface ScheduleSpec {
  /** How much more than a run of share 1 it may use; above 0. Default 1. */
  readonly share?: number | undefined;
  /** Default normal. */
  readonly class?: ScheduleClass | undefined;
}

/** A higher class goes first, but never so that a lower one starves: interactive, normal, batch. */
export type ScheduleClass = 'interactive' | 'normal' | 'batch';

/** A value that the run is given. */
export interface InputSpec {
  readonly required: boolean;
  readonly default: Plain | undefined;
  readonly description: string;
}

/** A JSON value in which strings may hold `${...}` expressions. */
export type Template = Plain;

/** How an agent works. */
export type BehaviourKind = 'function' | 'command' | 'simulate';

/** Where a function runs: on the loop of this process, in a thread or in a process of its own. */
export type Isolation = 'inline' | 'thread' | 'process';

/** A declared specialist. */
export interface AgentSpec {
  readonly id: string;
  readonly uses: BehaviourKind;
  /** For `function`: the module, absolute path or file URL or bare specifier, and the export. */
  readonly module: string | undefined;
  readonly export: string;
  /** For `command`: program and arguments. */
  readonly command: readonly string[];
  /** For `command`: names of environment variables passed on besides PATH, HOME, LANG, TMPDIR. */
  readonly env: readonly string[];
  readonly limits: AgentLimits;
  /** How many equal ones there are, to choose from for each attempt; undefined: one. */
  readonly instances?: number | undefined;
  readonly isolate: Isolation;
  /** Memory key patterns that only this agent writes, fully qualified. */
  readonly owns: readonly string[];
  /** Where its attempts run; absent: in this process. */
  readonly pool?: PoolSpec | undefined;
  /** What it calls, and the model whose limits count besides; absent: not said. */
  readonly provider?: string | undefined;
  readonly model?: string | undefined;
  /** Agents that can do its work. */
  readonly peers?: readonly string[] | undefined;
  /** Models to go on with when its own fails, in this order. */
  readonly fallbackModels?: readonly string[] | undefined;
  /** What it may spend in a run; absent: no bound of its own. */
  readonly budget?: Omit<BudgetSpec, 'timeMs'> | undefined;
  /** Undefined: none. */
  readonly breaker?: BreakerSpec | undefined;
  /** Absent: what the document says for all. */
  readonly health?: HealthSpec | undefined;
  /** Doing its work twice does no harm. */
  readonly idempotent?: boolean | undefined;
  /** For `simulate`: defaults that a task's `with` overrides. */
  readonly with: PlainObject;
}

/** Slots of one kind of work. */
export interface PoolSpec {
  readonly name: string;
  /** Attempts are carried out by worker hosts. */
  readonly remote: boolean;
  /** How long an attempt waits while no worker host serves the pool. */
  readonly waitMs: number;
  /** Silence of a worker host after which what it carries is lost. */
  readonly lostAfterMs: number;
}

/** Bounds of one agent. */
export interface AgentLimits {
  /** Attempts of this agent at one time; undefined: no limit of its own. */
  readonly concurrency: number | undefined;
  /** Bytes of output accepted from one attempt. Default 8 MiB. */
  readonly maxOutputBytes: number;
  /** Heap of an isolated function in MiB. Default 256. */
  readonly maxMemoryMb: number;
  /** Time from the polite signal to the hard kill. Default 2 s. */
  readonly killAfterMs: number;
}

/** Data blocks; context is used if there; validation comes after; stream starts at the first contribution. */
export type NeedKind = 'data' | 'context' | 'validation' | 'stream';

/** A dependency on a task or a group. Resource needs are in {@link TaskSpec.demand}. */
export interface Need {
  readonly on: string;
  readonly target: 'task' | 'group';
  readonly kind: NeedKind;
}

/** How long a task is thought to take. */
export interface Estimate {
  /** What plans use. */
  readonly midMs: number;
  /** Pessimistic bound. */
  readonly highMs: number;
}

/** A node of the workflow's graph. */
export interface TaskSpec {
  readonly id: string;
  readonly agent: string;
  /** Document order; ties in every decision are broken by it. */
  readonly index: number;
  readonly needs: readonly Need[];
  /** Units per resource kind held while an attempt runs; named resources and `exclusive` locks included. */
  readonly demand: { readonly [kind: string]: number };
  /** Memory key patterns, fully qualified. */
  readonly reads: readonly string[];
  readonly writes: readonly string[];
  readonly with: Template | undefined;
  readonly when: Template | undefined;
  /** 1..10, higher first. */
  readonly priority: number;
  /** False: the planner may raise it (10 on the critical path). */
  readonly prioritySet: boolean;
  readonly estimate: Estimate | undefined;
  /** Per attempt, from dispatch. */
  readonly timeoutMs: number | undefined;
  /** Total, queueing included, from the moment its inputs are there. */
  readonly deadlineMs: number | undefined;
  /** It does not start before this time, even if its inputs are there; undefined: at once. */
  readonly notBefore?: StartTime | undefined;
  /** Weight of its work, 1 being a small task; undefined: not said. */
  readonly complexity?: number | undefined;
  /** How much its success counts in its group; undefined: 1. */
  readonly weight?: number | undefined;
  /** Files and folders that it reads and writes, as the document spells them; undefined: not said. */
  readonly files?: FileUse | undefined;
  /** How long it may wait for its permits while a lock that it wants is held by another; undefined: without end. */
  readonly lockTimeoutMs?: number | undefined;
  /** Where its attempts run; undefined: where its agent's do. */
  readonly pool?: PoolSpec | undefined;
  /** A folder of its own for each attempt; undefined: none. */
  readonly workspace?: WorkspaceSpec | undefined;
  readonly retry: RetrySpec;
  /** When a further attempt is begun beside one that takes long; undefined: never. */
  readonly hedge?: HedgeSpec | undefined;
  /** Who is tried and asked when it fails, rung by rung; absent: its retry policy, and then it fails. */
  readonly escalation?: readonly RungSpec[] | undefined;
  /** What a failure does that nothing is left against; absent: the task fails. */
  readonly onExhausted?: 'pause' | undefined;
  /** Output used when the task does not succeed; undefined: none declared. */
  readonly default: Plain | undefined;
  readonly group: string | undefined;
  readonly expand: ExpandSpec | undefined;
  readonly aggregate: AggregateSpec | undefined;
  /** For a task with `expand`: the barrier over its members. */
  readonly barrier: BarrierSpec | undefined;
  /** Set on a task that checks another: the id of the task that it checks. */
  readonly validates: string | undefined;
  /** How often a validation may send this task back. Default 1. */
  readonly maxRounds: number;
  /** True for tasks that `cross_validation` generated: their failure never fails a run. */
  readonly generated: boolean;
}

/** A folder that only one attempt sees. Paths are absolute once the document is read. */
export interface WorkspaceSpec {
  /** Folder that it is filled from; undefined: it is empty. */
  readonly from: string | undefined;
  /** Folder that what was written is merged into; undefined: it stays where it is. */
  readonly into: string | undefined;
}

/** A point in time: so long after the run's start, or by the clock, in milliseconds of the Unix epoch. */
export type StartTime = { readonly afterMs: number } | { readonly atMs: number };

/** What a task reads and writes on disk: a path, or a folder and all below it (with a slash at the end). */
export interface FileUse {
  readonly reads: readonly string[];
  readonly writes: readonly string[];
}

/** When and how often a task is tried again. */
export interface RetrySpec {
  /** First attempt included. Default 3. */
  readonly maxAttempts: number;
  readonly backoff: 'none' | 'fixed' | 'linear' | 'exponential' | 'decorrelated';
  /** Default 500 ms. */
  readonly initialMs: number;
  /** Default 60 s. */
  readonly maxMs: number;
  /** Share of the delay that is random, 0..1. Default 0.5. */
  readonly jitter: number;
  /** Total time for all attempts; undefined: no limit. */
  readonly budgetMs: number | undefined;
  /** Attempts by class of failure, each counted apart from all others; absent: every class counts alike. */
  readonly on?: { readonly [Class in RetryClass]?: number | undefined } | undefined;
  /** Times that its process may die under it before it is left alone; absent: 3. */
  readonly quarantineAfter?: number | undefined;
}

/** Turning one task into several members at run time. */
export type ExpandSpec =
  /** One member per shard; `${shard.items}`, `${shard.index}`, `${shard.count}`. */
  | {
      readonly kind: 'shards';
      readonly of: Template;
      readonly count: number | undefined;
      readonly size: number | undefined;
    }
  /** One member per question; `${aspect}`. */
  | { readonly kind: 'aspects'; readonly aspects: readonly AspectSpec[] }
  /** One member per item; `${item}`, `${index}`. */
  | { readonly kind: 'for_each'; readonly of: Template };

/** One question about the same input. */
export interface AspectSpec {
  readonly id: string;
  /** Undefined: the task's own agent. */
  readonly agent: string | undefined;
  readonly with: Template | undefined;
  /** How much its success counts; undefined: 1. */
  readonly weight?: number | undefined;
}

/** How members' outputs become one. */
export interface AggregateSpec {
  readonly kind:
    | 'list'
    | 'concat'
    | 'union'
    | 'intersection'
    | 'majority'
    | 'frequency'
    | 'function';
  /** For `frequency`: least share of the members that name an item, 0..1. */
  readonly threshold: number | undefined;
  /** For `function`: as in {@link AgentSpec}. */
  readonly module: string | undefined;
  readonly export: string | undefined;
}

/** Successes that are enough: a number of members, a share of them (0..1), or the sum of their weights. */
export type MinSuccess =
  | { readonly count: number }
  | { readonly share: number }
  | { readonly weight: number };

/** What a barrier does when its time is over. */
export type OnTimeout = 'extend' | 'proceed_with_available' | 'abort_and_fallback' | 'fail';

/** The rule by which waiting for members ends. */
export interface BarrierSpec {
  /** `count_down` waits for every expected arrival; `smart` decides as soon as the decision cannot change. */
  readonly type: 'count_down' | 'smart';
  /** Arrivals waited for; undefined: all members. */
  readonly expected: number | undefined;
  readonly minSuccess: MinSuccess;
  /** Members that must succeed. */
  readonly required: readonly string[];
  /** From the first member's dispatch. */
  readonly timeoutMs: number | undefined;
  /** Tried in order. Default: proceed_with_available. */
  readonly onTimeout: readonly OnTimeout[];
  readonly extension: { readonly byMs: number; readonly max: number };
  readonly onFailure: 'retry_failed_worker' | 'continue' | 'fail_fast';
  /** From the first member's dispatch: after it what is enough to succeed is enough to go on with. */
  readonly softTimeoutMs?: number | undefined;
  /** From the first member's dispatch: nobody waits longer, however much progress there is. */
  readonly hardTimeoutMs?: number | undefined;
  /** Successes at which the group goes on and the rest is cancelled; undefined: it does not go on early. */
  readonly quorum?: MinSuccess | undefined;
  /** What weighs more or less than 1, by member; for a task that is split into aspects, by aspect. */
  readonly weights?: { readonly [member: string]: number } | undefined;
  /** `merge`: members that have begun run on after the release, and their results are merged. Default drop. */
  readonly late?: 'merge' | undefined;
  /** Whom an alert is for when the group falls back or its time is over; undefined: none is raised. */
  readonly notify?: string | undefined;
}

/** Tasks forked together and joined together. */
export interface GroupSpec {
  readonly id: string;
  /** Task ids in document order. */
  readonly members: readonly string[];
  readonly mode: 'fork_join' | 'async_merge';
  readonly barrier: BarrierSpec;
  readonly aggregate: AggregateSpec | undefined;
  /** False: a failed group becomes partial and the run goes on. */
  readonly critical: boolean;
  /** Generated validation tasks that run after the members and before the release. */
  readonly validators: readonly string[];
  /** The tier that it stands for; undefined for a plain group. */
  readonly tier: string | undefined;
  /** Who begins again when an attempt of a member has failed; undefined: that member, by its retry policy. */
  readonly restart?: GroupRestartSpec | undefined;
}

/** How members of a group begin again together. */
export interface GroupRestartSpec {
  /** Default one_for_one. */
  readonly strategy: 'one_for_one' | 'one_for_all' | 'rest_for_one';
  /** temporary: nobody. Default transient. */
  readonly type: 'permanent' | 'transient' | 'temporary';
  /** Within any window; one more ends the group's work. Default 3. */
  readonly maxRestarts: number;
  /** Default 30 s. */
  readonly withinMs: number;
}

/** What attempts compete for. */
export interface ResourceSpec {
  /** Units per kind; a kind without an entry has capacity 1. */
  readonly capacity: { readonly [kind: string]: number };
  /** Attempts of one run at one time; undefined: no limit. */
  readonly concurrency: number | undefined;
  /** The limit is chosen when the run begins, from what there is to do and how the process stands. */
  readonly autoConcurrency?: true;
}

/** The rule that combines concurrent writes to a key. */
export type MergerName = (typeof mergerNames)[number];

/** What `three_way` merges: texts line by line and mappings key by key (`auto`), or only one of the two. */
export type MergeType = 'auto' | 'text' | 'structured';

/** The merger of the keys that fit a pattern; the first pattern that fits counts. */
export interface MemoryKeySpec {
  readonly pattern: string;
  readonly merge: MergerName;
  /** For `three_way`; undefined: auto. */
  readonly type?: MergeType;
  /** What a merged value must look like; see valueFault. */
  readonly schema?: ValueSchema;
}

/** The part of JSON Schema that merged values are checked by. */
export interface ValueSchema {
  readonly type?: string | readonly string[];
  readonly enum?: readonly Plain[];
  readonly required?: readonly string[];
  readonly properties?: { readonly [key: string]: ValueSchema };
  readonly items?: ValueSchema;
}

/** The implicit resource kinds that the runtime adds to a task's own demand. */
export const concurrencyKind = 'concurrency';

/** The resource kind that readers and writers of memory share, where the document limits them. */
export const memoryAccessKind = 'memory:access';

/** The resource kind of a lock. */
export function lockKind(name: string): string {
  return `lock:${name}`;
}

/** Whether a resource kind is a lock of some sort: `lock_timeout` counts while one of these is lacking. */
export function isLockKind(kind: string): boolean {
  return kind === memoryAccessKind || kind.startsWith('lock:');
}

/** The resource kind that caps the attempts of one agent. */
export function agentKind(agentId: string): string {
  return `agent:${agentId}`;
}

/** The resource kind of the members of one group that run at one time, where that may be limited. */
export function groupKind(groupId: string): string {
  return `group:${groupId}`;
}

/** The id of a member made from an expanding task. */
export function memberId(taskId: string, index: number): string {
  return `${taskId}[${index}]`;
}

/** The id of the task that a member was made from; the id itself for any other task. */
export function splitTaskOf(id: string): string {
  const bracket = id.lastIndexOf('[');
  return bracket > 0 ? id.slice(0, bracket) : id;
}

/** The id of the task that aggregates a group's outputs by a function. */
export function aggregationId(groupId: string): string {
  return `${groupId}@aggregate`;
}

/** A memory key as the run knows it: one without a dot belongs to the agent that wrote it. */
export function qualifiedKey(agentId: string, key: string): string {
  return key.includes('.') ? key : `${agentId}.${key}`;
}
