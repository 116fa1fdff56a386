import { agentMachine } from '../actors/agent.ts';
import { busLinkMachine } from '../actors/bus-link.ts';
import { createCollection } from '../actors/collection.ts';
import type { CollectionInput } from '../actors/collection.ts';
import { governorLogic } from '../actors/governor.ts';
import type { GovernorInput } from '../actors/governor.ts';
import type { MemberRestartSpec } from '../actors/member-restarts.ts';
import { leaseMachine } from '../actors/lease.ts';
import { patrolMachine } from '../actors/patrol.ts';
import { runTakerMachine } from '../actors/run-taker.ts';
import { monitorMachine } from '../actors/monitor.ts';
import type { MonitorInput } from '../actors/monitor.ts';
import { createPool, strand } from '../actors/pool.ts';
import type { PoolSnapshot } from '../actors/pool.ts';
import { providerGateMachine } from '../actors/provider-gate.ts';
import type { SupervisorInput } from '../actors/supervised-children.ts';
import { createSupervisor } from '../actors/supervisor.ts';
import { setup } from '../actors/xstate.ts';
import type { AnyActorRef } from '../actors/xstate.ts';
import type { RestartStrategy, RestartType } from '../policies/restart-spec.ts';
import { defaultRestart } from '../policies/restart-spec.ts';
import { runDied, stopRuns } from './run/run-died.ts';
import { circuitBreakerMachine } from './circuit-breaker.ts';
import { runMachine } from './run/run.ts';

/** What the root is made from. */
export interface RootInput extends Pick<SupervisorInput, 'clock' | 'deadlines' | 'random'> {
  readonly governor: GovernorInput;
  readonly monitor: MonitorInput;
  /** A part of the process stands, for the first time or again. */
  readonly onStarted: (id: string, part: AnyActorRef) => void;
  /** A part has died or is being stopped: nothing reaches it any more. */
  readonly onGone: (id: string) => void;
  /** Something in the tree has died of an error: a fault of ours. */
  readonly onFault: (id: string, error: unknown) => void;
  /** Restarts did not help: nothing can run in this process any more. */
  readonly onLost: (error: unknown) => void;
}

/** One machine per declared agent, shared by all runs of its workflow. */
const agentsLogic = createCollection('agents', { agent: agentMachine });

/**
 * What the process holds to the outside: connections to the buses in use, one as a rule and one for each other bus that
 * a document names; the lease of its runs where their journals are on a bus.
 */
const linksLogic = createCollection('links', { bus_link: busLinkMachine, lease: leaseMachine });

/** What the process does for runs that others have submitted, left behind, or need no more. */
const serviceLogic = createCollection('service', {
  run_taker: runTakerMachine,
  patrol: patrolMachine,
});

/** Ways out to providers, one for each key. */
const gatesLogic = createCollection('gates', { provider_gate: providerGateMachine });

/** Breakers of agents, providers, models, tools and pools. */
const breakersLogic = createCollection('breakers', { circuit_breaker: circuitBreakerMachine });

/** Slots by kind of work. */
const poolsLogic = createCollection('pools', { pool: createPool('pool') });

const runsLogic = createCollection('runs', { run: runMachine });

/** What a run cannot live without, in the order in which it is needed. */
const engineLogic = createSupervisor('engine');

/** Time for all runs to stop what they have running. Each bounds itself, by its longest `kill_after` and 2 s. */
const runsShutdownMs = 120_000;

function supervisorOf(
  root: RootInput,
  strategy: RestartStrategy,
): Omit<SupervisorInput, 'children'> {
  const { clock, deadlines, random, onStarted, onGone, onFault } = root;
  const restart = { ...defaultRestart, strategy };
  return { clock, deadlines, random, restart, onStarted, onGone, onFault };
}

function membersOf(root: RootInput, type: RestartType): MemberRestartSpec {
  const { clock, deadlines, random } = root;
  return { spec: defaultRestart, type, clock, deadlines, random };
}

/**
 * The parts that stand by themselves. None of them decides about a run, so one that dies is started again
 * alone: links, monitor and agents are told anew what they have to know, and gates count outside of themselves.
 */
function treeInput(root: RootInput): SupervisorInput {
  const { onFault } = root;
  const members = (type: RestartType, rest: CollectionInput = {}) => {
    return (): CollectionInput => ({ onFault, restart: membersOf(root, type), ...rest });
  };
  return {
    ...supervisorOf(root, 'one_for_one'),
    children: [
      {
        id: 'links',
        logic: linksLogic,
        input: members('permanent', { onFault: linkFaults(root) }),
        restart: 'permanent',
      },
      { id: 'gates', logic: gatesLogic, input: members('permanent'), restart: 'permanent' },
      { id: 'breakers', logic: breakersLogic, input: members('permanent'), restart: 'permanent' },
      { id: 'monitor', logic: monitorMachine, input: () => root.monitor, restart: 'permanent' },
      { id: 'agents', logic: agentsLogic, input: members('transient'), restart: 'permanent' },
      { id: 'engine', logic: engineLogic, input: () => engineInput(root), restart: 'permanent' },
      { id: 'service', logic: serviceLogic, input: members('transient'), restart: 'permanent' },
    ],
  };
}

/**
 * Permits and attempts of runs are known to the governor and the pools alone. When one of these dies, its runs
 * are stopped with everything that they have running, before it is started again: each ends as faulted and
 * can be resumed, so nothing waits for a permit that nobody counts, and nothing runs twice.
 */
function engineInput(root: RootInput): SupervisorInput {
  const { onFault } = root;
  return {
    ...supervisorOf(root, 'rest_for_one'),
    children: [
      {
        id: 'governor',
        logic: governorLogic,
        input: () => root.governor,
        restart: 'permanent',
      },
      {
        id: 'pools',
        logic: poolsLogic,
        input: () => ({ onFault: poolFaults(root), restart: membersOf(root, 'permanent') }),
        restart: 'permanent',
      },
      {
        id: 'runs',
        logic: runsLogic,
        input: () => ({ onFault: runFaults(onFault), onKilled: killedRun }),
        restart: 'permanent',
        ask: { type: 'children.drain', ask: stopRuns } as { type: string },
        shutdownMs: runsShutdownMs,
      },
    ],
  };
}

type Fault = NonNullable<CollectionInput['onFault']>;

/** A link that has died listens to its bus no more. */
function linkFaults({ onFault }: RootInput): Fault {
  return (id, error, link) => {
    const context = link?.getSnapshot().context as { listening?: { stop: () => void } } | undefined;
    context?.listening?.stop();
    onFault(id, error);
  };
}

function poolFaults({ onFault }: RootInput): Fault {
  return (id, error, pool) => {
    if (pool) strand(pool.getSnapshot() as PoolSnapshot);
    onFault(id, error);
  };
}

/** Runs are temporary: one that has died can be resumed, and only by whoever wants that. */
function runFaults(onFault: RootInput['onFault']): Fault {
  return (id, error, run) => {
    onFault(id, error);
    if (run) runDied(run, error);
  };
}

function killedRun(_id: string, run: AnyActorRef): void {
  runDied(run, stopRuns.error);
}

const rootSetup = setup({
  types: {} as { context: RootInput; events: { type: 'root.stop' }; input: RootInput },
  actors: { tree: createSupervisor('tree') },
  actions: {
    tellLost: ({ context, event }) => context.onLost((event as { error?: unknown }).error),
  },
});

/**
 * The top of the supervision tree: it owns everything that lives in this process, and stops it in reverse
 * order. Its one child restarts the others; if that does not help, the process takes no more runs.
 */
export const rootMachine = rootSetup.createMachine({
  id: 'root',
  context: ({ input }) => input,
  invoke: { id: 'tree', src: 'tree', input: ({ context }) => treeInput(context) },
  initial: 'running',
  states: {
    running: {
      on: {
        'root.stop': 'stopped',
        'xstate.error.actor.tree': { target: 'lost', actions: 'tellLost' },
      },
    },
    lost: { on: { 'root.stop': 'stopped' } },
    stopped: { type: 'final' },
  },
});
