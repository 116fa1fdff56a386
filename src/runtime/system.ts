import { AgentDesk, emptyLoad } from '../actors/agent.ts';
import type { AgentEvent } from '../actors/agent.ts';
import type { BusLinkInput } from '../actors/bus-link.ts';
import type { LeaseInput } from '../actors/lease.ts';
import { createBehaviours } from '../actors/behaviours/registry.ts';
import type { Behaviours } from '../actors/behaviours/registry.ts';
import type { TaskFunction } from '../actors/behaviours/behaviour.ts';
import type { CollectionSnapshot } from '../actors/collection.ts';
import type { AnyActorRef } from '../actors/xstate.ts';
import { RemoteWork } from '../actors/remote/remote-work.ts';
import type { RemoteWorkOptions } from '../actors/remote/remote-work.ts';
import type { Clock } from '../core/clock.ts';
import { Deadlines } from '../core/deadlines.ts';
import { Secrets, withoutSecrets } from '../core/redaction.ts';
import type { Logger } from '../core/log.ts';
import type { PoolEvent } from '../actors/pool.ts';
import type { CollectionRef, Mailbox, RunServices } from '../supervisors/run/core.ts';
import type { AdmissionQueue } from '../policies/admission.ts';
import type { ProcessLoad } from '../policies/parallelism.ts';
import type { AgentSpec, ProviderSpec } from '../workflow/model.ts';
import { Links } from './links.ts';
import { Parts } from './parts.ts';
import { LocalBreakers } from './breakers.ts';
import { LocalProviderGates } from './provider-gates.ts';
import type { LocalGate } from './provider-gates.ts';
import { steadyLoad } from './process-load.ts';
import { RunDoor } from './run-door.ts';
import { ServiceMembers } from './service-members.ts';
import { growTree } from './tree.ts';
import { Watches } from './watches.ts';
import { unmadeWorkspaces } from './workspaces/unmade.ts';
import { createWorkspaces } from './workspaces/workspaces.ts';
import type { WorkspaceHost } from './workspaces/workspaces.ts';

/** Waiting time that raises a task's priority by one: nobody starves. */
const agePeriodMs = 30_000;

/** What the tree of one process is made from. */
export interface SystemOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly concurrency: number;
  /** Units of other kinds that all runs share. */
  readonly resources?: { readonly [kind: string]: number } | undefined;
  /** What the process says of providers. Default: nothing. */
  readonly providers?: { readonly [name: string]: ProviderSpec } | undefined;
  /** Takes up a gate that was made, to share its limits with other processes. */
  readonly onGate?: ((gate: LocalGate) => void) | undefined;
  readonly functions: { readonly [name: string]: TaskFunction };
  readonly environment: { readonly [name: string]: string | undefined };
  /** Where workspaces are; undefined: in a temporary folder. */
  readonly dataDir?: string | undefined;
  /** Nothing leaves this thread: no folders, no threads, no child processes; `simulate` stands in. Default: false. */
  readonly closed?: boolean;
  /** See {@link RunServices.autoConcurrency}. */
  readonly autoConcurrency?: boolean;
  readonly bounds?: RunServices['bounds'];
  /** How the process stands. Default: it is idle. */
  readonly load?: (() => ProcessLoad) | undefined;
  readonly progressed: RunServices['progressed'];
  /** A provider has refused a call of a run, and is left alone for a while. */
  readonly paused?: RunServices['paused'];
  /** A breaker of a run has changed its state, or somebody's health has. */
  readonly alerted?: RunServices['alerted'];
  readonly history?: RunServices['history'];
  /** How attempts reach worker hosts; undefined: every pool is local. */
  readonly remote?: Pick<RemoteWorkOptions, 'busOf' | 'direct' | 'onUnserved'> | undefined;
}

/** Everything that lives in this process: the root actor and what runs share. */
export interface System {
  readonly services: RunServices;
  readonly runs: CollectionRef;
  /** Attempts on worker hosts; undefined: there are none. */
  readonly remote: RemoteWork | undefined;
  /** Takes a bus into the tree, which follows its connection from then on. */
  link(bus: BusLinkInput): void;
  /** Takes the lease of this process's runs into the tree, which renews it from then on. */
  holdLease(lease: Pick<LeaseInput, 'keeper' | 'onChange'>): void;
  /** What this process does for runs of others. */
  readonly service: ServiceMembers;
  stop(): Promise<void>;
}

/** Starts the supervision tree of one process. */
export function startSystem(options: SystemOptions): System {
  const { clock, concurrency, resources, functions, environment } = options;
  const secrets = new Secrets();
  const logger = withoutSecrets(options.logger, secrets);
  const { closed = false } = options;
  const behaviours = createBehaviours({ clock, functions, environment, closed });
  const workspaces = closed ? unmadeWorkspaces : createWorkspaces(options.dataDir);
  const remote = options.remote && new RemoteWork({ clock, logger, ...options.remote });
  const deadlines = new Deadlines(clock);
  const load = options.load ?? ((): ProcessLoad => steadyLoad);
  const parts = new Parts();
  const waiting = (run?: string): number => queueOf(parts.find('governor'))?.waiting(run) ?? 0;
  const runs = new RunDoor(parts);
  const links = new Links(parts);
  const service = new ServiceMembers(parts, { clock, deadlines });
  const governor = { clock, concurrency, resources, agePeriodMs };
  const monitor = { clock, deadlines, load, waiting };
  const stopTree = growTree({ clock, logger, deadlines, parts, runs, governor, monitor });
  const providers = new LocalProviderGates({
    clock,
    providers: options.providers ?? {},
    start: (id, input) => parts.lasting('gates', { id, src: 'provider_gate', input }),
    onGate: options.onGate,
  });
  const breakers = new LocalBreakers({
    clock,
    deadlines,
    start: (id, input) => parts.lasting('breakers', { id, src: 'circuit_breaker', input }),
  });
  return {
    services: servicesOf(
      { ...options, logger },
      {
        secrets,
        behaviours,
        deadlines,
        workspaces,
        providers,
        breakers,
        remote,
        parts,
        load,
        waiting,
      },
    ),
    remote,
    runs,
    service,
    link: (input) => links.add(input),
    holdLease: (lease) => {
      const input: LeaseInput = { ...lease, clock, deadlines };
      links.hold({ type: 'child.start', id: 'lease', src: 'lease', input });
    },
    stop: async () => {
      const agents = parts.find('agents')?.getSnapshot() as CollectionSnapshot | undefined;
      for (const agent of agents?.children.values() ?? []) agent.send({ type: 'agent.drain' });
      providers.stop();
      breakers.stop();
      await remote?.close();
      stopTree();
      deadlines.stop();
      await behaviours.close();
      await workspaces.close();
    },
  };
}

interface Shared {
  readonly secrets: Secrets;
  readonly behaviours: Behaviours;
  readonly deadlines: Deadlines;
  readonly workspaces: WorkspaceHost;
  readonly providers: LocalProviderGates;
  readonly breakers: LocalBreakers;
  readonly remote: RemoteWork | undefined;
  readonly load: () => ProcessLoad;
  readonly waiting: (run?: string) => number;
  readonly parts: Parts;
}

function servicesOf(
  {
    clock,
    logger,
    progressed,
    paused,
    alerted,
    concurrency,
    history,
    autoConcurrency = false,
    bounds,
    environment,
  }: SystemOptions,
  shared: Shared,
): RunServices {
  const { behaviours, deadlines, workspaces, providers, breakers, remote, parts } = shared;
  const desks = new Map<string, AgentDesk>();
  return {
    clock,
    deadlines,
    logger,
    secrets: shared.secrets,
    environment,
    governor: parts.mailbox('governor'),
    monitor: new Watches(parts),
    capacity: () => ({ ...shared.load(), queueDepth: shared.waiting() }),
    waiting: (run) => shared.waiting(run),
    autoConcurrency,
    bounds,
    agent: (workflow, agent) => {
      const id = `${workflow}/${agent}`;
      const known = desks.get(id);
      if (known) return known;
      const load = emptyLoad();
      parts.member('agents', { id, src: 'agent', input: { agent, load } });
      const desk = new AgentDesk({ send: (event) => tellAgent(parts, id, event) }, load);
      desks.set(id, desk);
      return desk;
    },
    pool: (agent) => poolFor(parts, agent),
    behaviour: (agent) =>
      remote && agent.pool?.remote ? remote : workspaces.wrap(behaviours.for(agent)),
    workspaces,
    providers,
    breakers,
    progressed,
    paused,
    alerted,
    concurrency,
    ...(history && { history }),
  };
}

function queueOf(governor: AnyActorRef | undefined): AdmissionQueue | undefined {
  return (governor?.getSnapshot() as { readonly queue?: AdmissionQueue } | undefined)?.queue;
}

/** An agent's machine; while that is being restarted nobody is told, and it finds its load when it is back. */
function tellAgent(parts: Parts, id: string, event: AgentEvent): void {
  const agents = parts.find('agents')?.getSnapshot() as CollectionSnapshot | undefined;
  agents?.children.get(id)?.send(event);
}

/** While pools are down, every run is being stopped: what it says to its pools is not missed. */
function poolFor(parts: Parts, agent: AgentSpec): Mailbox<PoolEvent> {
  if (!parts.find('pools')) return { send: () => undefined };
  return parts.member('pools', { id: poolOf(agent), src: 'pool', input: undefined });
}

/** Work of one kind shares slots: inline functions, threads, processes, commands, simulations. */
function poolOf({ uses, isolate, pool }: AgentSpec): string {
  if (pool?.remote) return `remote-${pool.name}`;
  return uses === 'function' ? `function-${isolate}` : uses;
}
