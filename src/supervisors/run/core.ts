import type { AgentDesk } from '../../actors/agent.ts';
import type {
  AttemptRequest,
  Behaviour,
  MemoryReader,
  Progress,
} from '../../actors/behaviours/behaviour.ts';
import type { CollectionEvent } from '../../actors/collection.ts';
import type { GovernorEvent } from '../../actors/governor.ts';
import type { MonitorEvent } from '../../actors/monitor.ts';
import type { PoolEvent } from '../../actors/pool.ts';
import type { AbortReason, WorkerEvent, WorkerPort } from '../../actors/worker.ts';
import type { AnyActorRef } from '../../actors/xstate.ts';
import type { Clock } from '../../core/clock.ts';
import type { Deadline, Deadlines } from '../../core/deadlines.ts';
import type { TroupeError } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import type { Secrets } from '../../core/redaction.ts';
import type { Plain } from '../../core/plain.ts';
import type { MemoryRules } from '../../memory/propose.ts';
import type { MemoryService } from '../../memory/shared/memory-service.ts';
import type { RecordBody, RunStarted } from '../../journal/record.ts';
import type { Frontier } from '../../planning/frontier.ts';
import type { DurationHistory } from '../../planning/duration-history.ts';
import type { Planner } from '../../planning/dispatch-plan.ts';
import type { TaskGraph } from '../../planning/graph.ts';
import type { RollingPlan } from '../../planning/rolling-plan.ts';
import type { AgentSpec } from '../../workflow/model.ts';
import type { RunBounds } from './run-bounds.ts';
import type { LiveCalls, ProviderGates } from './provider-calls.ts';
import type { Breakers } from './breaker-port.ts';
import type { BreakerGuard, HealthDesk, HedgeDesk, ThresholdWatch } from './reliability-ports.ts';
import type { RunAlert } from './run-alert.ts';
import type { EscalationEvent } from '../escalation.ts';
import type { JoinEvent } from '../join.ts';
import type { AdaptationMemo } from '../../policies/adaptation.ts';
import type { ProcessLoad } from '../../policies/parallelism.ts';
import type { Responses } from './responses.ts';
import type { ProviderTally } from './provider-tally.ts';
import type { Agenda } from './agenda.ts';
import type { KeyWriters } from './key-writers.ts';
import type { RunEvent, Settled } from './events.ts';
import type { RunVerb } from './run-verb.ts';
import type { Ledger } from './ledger.ts';
import type { TaskBook } from './task-book.ts';
import type { Workspaces } from './workspace-merge.ts';

/** Anything that takes events of one kind. */
export interface Mailbox<Event> {
  send(event: Event): void;
}

/** What the process offers to every run. */
export interface RunServices {
  readonly clock: Clock;
  /** What no record, message or line of a log may say. */
  readonly secrets?: Secrets;
  /** Where the values of secrets are. */
  readonly environment?: { readonly [name: string]: string | undefined };
  readonly deadlines: Deadlines;
  readonly logger: Logger;
  readonly governor: Mailbox<GovernorEvent>;
  /** Attempts that the process lets run at one time, over all runs; undefined: no limit is known. */
  readonly concurrency?: number;
  /** Runs that do not say how many attempts they want at one time choose it themselves. */
  readonly autoConcurrency?: boolean;
  /** How large one run may grow; undefined: the defaults. */
  readonly bounds?: RunBounds | undefined;
  /** How the process stands now, and how many tasks of all runs wait. */
  capacity(): ProcessLoad & { readonly queueDepth: number };
  /** Wishes for permits of a run that are not granted; undefined: that is not known. */
  waiting?(run: string): number;
  /** Looks at the process for runs that adapt. */
  readonly monitor: Mailbox<MonitorEvent>;
  /** What earlier runs of a workflow have shown of its agents. */
  readonly history?: (workflow: string) => DurationHistory | undefined;
  /** The machine of an agent, shared by all runs of the workflow. */
  agent(workflow: string, agent: string): AgentDesk;
  /** The pool whose slots carry this agent's attempts out. */
  pool(agent: AgentSpec): Mailbox<PoolEvent>;
  behaviour(agent: AgentSpec): Behaviour;
  /** The ways out to providers, shared by all runs. */
  readonly providers: ProviderGates;
  /** The folders of attempts; undefined: nobody is given one. */
  readonly workspaces?: Workspaces | undefined;
  progressed(run: string, task: string, progress: Progress): void;
  /** A call of this run was refused, and all calls to the provider wait for so long. */
  readonly paused?: ((run: string, provider: string, forMs: number) => void) | undefined;
  /** The breakers of the process; undefined: there are none. */
  readonly breakers?: Breakers | undefined;
  /** A breaker that the run asks has changed its state, or somebody's health has. */
  readonly alerted?: ((run: string, alert: RunAlert) => void) | undefined;
}

/** A task between its first dispatch and its end. Not journaled: all of it can be made again. */
export interface LiveTask {
  worker: Mailbox<WorkerEvent> | undefined;
  /** Holds a permit, so that an attempt runs or is about to. */
  holding: boolean;
  /** Its failure is on the way into the journal: the worker has no verdict yet. */
  undecided: boolean;
  /** The time of its rung was over while that was so. */
  isRungOver?: boolean;
  /** Retry as soon as the verdict is there. */
  hurry: boolean;
  /** Has reported progress since its dispatch. */
  progressed: boolean;
  request: AttemptRequest | undefined;
  /** The instance of the agent that it is with, if the agent has several, and the one that has just failed at it. */
  instance?: number | undefined;
  avoid?: number | undefined;
  attemptTimer: Deadline | undefined;
  /** What of its timeout is left, and since when that runs down. */
  clock?: { readonly attempt: number; leftMs: number; startedAt: number } | undefined;
  /** Its way to providers; made when it first looks. */
  calls?: LiveCalls | undefined;
  retryTimer: Deadline | undefined;
  /** Runs while the rung that it is on has time left. */
  rungTimer?: Deadline | undefined;
  /** Its way up the ladder, once it has failed. */
  escalation?: Mailbox<EscalationEvent> | undefined;
  /** What the running attempt has reported of its work. */
  partial?: Plain;
  deadlineTimer: Deadline | undefined;
  /** Runs while it has its inputs and its time has not come. */
  startTimer?: Deadline | undefined;
  /** Runs while it waits for its permits, or for its turn in the plan. */
  lockTimer: Deadline | undefined;
}

/** A group whose supervisor lives. */
export interface LiveGroup {
  readonly id: string;
  readonly supervisor: Mailbox<JoinEvent>;
  readonly crew: CollectionRef;
  timer: Deadline | undefined;
  /** Its soft and its hard deadline, where the document sets some. */
  bounds?: { soft?: Deadline; hard?: Deadline };
  /** Who writes a key that is declared by name; null: nobody does. Undefined: nobody has asked. */
  writers?: KeyWriters | null;
  /** Members between the start of their worker and its end. */
  live: number;
  /** What the members read: one view for all of them, taken when the first was dispatched. */
  view: MemoryReader | undefined;
  /** True while the supervisor is told of the past: what it announces is old news. */
  replaying: boolean;
  /** Its deadline came without an extension. */
  timedOut: boolean;
  /** What follows from its release has been set in motion. */
  released: boolean;
  /** Told to the supervisor as soon as no member is live. */
  ending: JoinEvent | undefined;
}

/** A collection as its users see it. */
export type CollectionRef = Mailbox<CollectionEvent> & {
  getSnapshot(): { readonly children: ReadonlyMap<string, AnyActorRef> };
};

/**
 * What a run's supervisor works with: the documents' graph, the journal's fold, and references to the
 * actors around it. The functions of this folder decide on it; they run only in the run actor's own turn.
 */
export interface RunCore {
  readonly run: string;
  /** This process among those that share the journal, and the number of its ownership. */
  readonly node: string;
  readonly epoch: number;
  /** The first record of a new run. */
  readonly start: RunStarted;
  /** Who asked for the run to be cancelled instead of carried on. */
  readonly cancelBy: string | undefined;
  /** What the run was taken over for; undefined: to go on. */
  readonly opening: RunVerb | undefined;
  /** What a new run takes over from another one. */
  readonly inherited: readonly RecordBody[] | undefined;
  readonly book: TaskBook;
  readonly graph: TaskGraph;
  readonly frontier: Frontier;
  readonly ledger: Ledger;
  readonly rules: MemoryRules;
  /** Some task has a folder of its own. */
  readonly usesWorkspaces: boolean;
  /** Decides what others propose to the run's memory; made when first asked for. */
  readonly proposals: () => MemoryService;
  readonly services: RunServices;
  /** How its calls to providers went. */
  readonly tally: ProviderTally;
  readonly self: Mailbox<RunEvent>;
  /** The collection of the run's group supervisors. */
  readonly supervisors: CollectionRef;
  /** The crew of tasks in no group. */
  readonly crew: CollectionRef;
  /** The collection of what is on its way up a ladder. */
  readonly escalations: CollectionRef;
  readonly port: WorkerPort;
  /** Longest path to the end by id; replaced when it is seen to be another. */
  ranks: ReadonlyMap<string, number>;
  readonly priorities: ReadonlyMap<string, number>;
  /** The priority of a task, or of the task that a member was made from. */
  priorityOf(task: string): number;
  readonly live: Map<string, LiveTask>;
  readonly groups: Map<string, LiveGroup>;
  readonly agenda: Agenda;
  /** True while the agenda is being worked off: what comes now is put on it and needs no event. */
  inTurn: boolean;
  /** Tasks and groups of the graph that have been settled. */
  readonly settled: Set<string>;
  /** Members that run on after the release of their groups; undefined: none ever did. */
  late?: Set<string> | undefined;
  /** Attempts that run or are being aborted. */
  holding: number;
  /** Units that attempts hold of locks, by kind. */
  readonly heldLocks: Map<string, number>;
  /** Groups whose supervisor lives and whose end is not in the journal. */
  openGroups: number;
  /** No new attempts: the run is being cancelled, interrupted or has run out of time. */
  halted: AbortReason | undefined;
  /** Ready tasks that are kept back while the run is paused; undefined: there are none. */
  heldBack?: Set<string> | undefined;
  /** Merges of workspaces that are under way. */
  merging?: number | undefined;
  /** Looks whether the run still has something to wait for. */
  stuckTimer?: Deadline | undefined;
  /** Tasks that nothing will ever start; undefined: none is known. */
  stuck?: readonly string[] | undefined;
  deadline: Deadline | undefined;
  /** When the time of the budget is over. */
  budgetTimer?: Deadline | undefined;
  /** Makes that plan; undefined: the run goes without one. */
  readonly planner?: Planner | undefined;
  /** Says which of the ready tasks ask for their permits; undefined: all of them do at once. */
  plan?: RollingPlan | undefined;
  /** Undefined: the run does not adapt. */
  adaptive?: { memo: AdaptationMemo; readonly responses: Responses } | undefined;
  planTimer?: Deadline | undefined;
  /** What every attempt is ended with, once the run is halted. */
  haltError?: { readonly reason: AbortReason; readonly error: TroupeError };
  /** Attempts that have ended while the run is being cancelled, and of which it hears in a moment. */
  settledTogether?: Settled[] | undefined;
  /** What was meant for the run and was dropped, since this process carries it. */
  dropped?: number;
  /** It was told that the journal comes near its bound. */
  warnedOfSize?: boolean;
  /** Undefined: the document asks for none. */
  breakers?: BreakerGuard | undefined;
  hedges?: HedgeDesk | undefined;
  health?: HealthDesk | undefined;
  monitoring?: ThresholdWatch | undefined;
}

/** The live entry of a task, made on first use. */
export function liveTask(core: RunCore, id: string): LiveTask {
  const known = core.live.get(id);
  if (known) return known;
  const live: LiveTask = {
    worker: undefined,
    holding: false,
    undecided: false,
    hurry: false,
    progressed: false,
    request: undefined,
    attemptTimer: undefined,
    retryTimer: undefined,
    deadlineTimer: undefined,
    lockTimer: undefined,
  };
  core.live.set(id, live);
  return live;
}
