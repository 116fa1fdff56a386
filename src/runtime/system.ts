import { AgentDesk, emptyLoad } from '../actors/agent.ts';
import type { BusLinkInput } from '../actors/bus-link.ts';
import { createBehaviours } from '../actors/behaviours/registry.ts';
import type { Behaviours } from '../actors/behaviours/registry.ts';
import type { TaskFunction } from '../actors/behaviours/behaviour.ts';
import type { CollectionSnapshot } from '../actors/collection.ts';
import type { AnyActorRef } from '../actors/xstate.ts';
import { createRoot } from '../actors/xstate.ts';
import type { Clock } from '../core/clock.ts';
import { Deadlines } from '../core/deadlines.ts';
import { messageOf } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import { rootMachine } from '../supervisors/root.ts';
import type { CollectionRef, Mailbox, RunServices } from '../supervisors/run/core.ts';
import type { AdmissionQueue } from '../policies/admission.ts';
import type { ProcessLoad } from '../policies/parallelism.ts';
import type { AgentSpec, ProviderSpec } from '../workflow/model.ts';
import { LocalProviderGates } from './provider-gates.ts';
import type { LocalGate } from './provider-gates.ts';
import { steadyLoad } from './process-load.ts';
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
  /** See {@link RunServices.autoConcurrency}. */
  readonly autoConcurrency?: boolean;
  /** How the process stands. Default: it is idle. */
  readonly load?: (() => ProcessLoad) | undefined;
  readonly progressed: RunServices['progressed'];
  /** A provider has refused a call of a run, and is left alone for a while. */
  readonly paused?: RunServices['paused'];
  readonly history?: RunServices['history'];
}

/** Everything that lives in this process: the root actor and what runs share. */
export interface System {
  readonly services: RunServices;
  readonly runs: CollectionRef;
  /** Takes a bus into the tree, which follows its connection from then on. */
  link(bus: BusLinkInput): void;
  stop(): Promise<void>;
}

/** Starts the supervision tree of one process. */
export function startSystem(options: SystemOptions): System {
  const { clock, logger, concurrency, resources, functions, environment } = options;
  const behaviours = createBehaviours({ clock, functions, environment });
  const workspaces = createWorkspaces(options.dataDir);
  const deadlines = new Deadlines(clock);
  const load = options.load ?? ((): ProcessLoad => steadyLoad);
  const waiting = (run?: string): number => queueOf(child(children(), 'governor')).waiting(run);
  const report = (id: string, error: unknown): void =>
    logger.error('an actor died of an error', { actor: id, error: messageOf(error) });
  const root = createRoot(rootMachine, {
    id: 'root',
    input: {
      governor: { clock, concurrency, resources, agePeriodMs },
      monitor: { clock, deadlines, load, waiting },
      onFault: report,
    },
    clock,
    logger,
    onFault: (error) => report('root', error),
  });
  root.start();
  const children = (): Record<string, AnyActorRef | undefined> => root.getSnapshot().children;
  const providers = new LocalProviderGates({
    clock,
    providers: options.providers ?? {},
    start: (id, input) => member(child(children(), 'gates'), { id, src: 'provider_gate', input }),
    onGate: options.onGate,
  });
  return {
    services: servicesOf(options, {
      behaviours,
      deadlines,
      workspaces,
      providers,
      children,
      load,
      waiting,
    }),
    runs: child(children(), 'runs'),
    link: (input) => {
      const id = input.name;
      child(children(), 'links').send({ type: 'child.start', id, src: 'bus_link', input });
    },
    stop: async () => {
      const agents = child(children(), 'agents').getSnapshot() as CollectionSnapshot;
      for (const agent of agents.children.values()) agent.send({ type: 'agent.drain' });
      providers.stop();
      root.send({ type: 'root.stop' });
      deadlines.stop();
      await behaviours.close();
      await workspaces.close();
    },
  };
}

interface Shared {
  readonly behaviours: Behaviours;
  readonly deadlines: Deadlines;
  readonly workspaces: WorkspaceHost;
  readonly providers: LocalProviderGates;
  readonly load: () => ProcessLoad;
  readonly waiting: (run?: string) => number;
  children(): Record<string, AnyActorRef | undefined>;
}

function servicesOf(
  {
    clock,
    logger,
    progressed,
    paused,
    concurrency,
    history,
    autoConcurrency = false,
  }: SystemOptions,
  shared: Shared,
): RunServices {
  const { behaviours, deadlines, workspaces, providers } = shared;
  const agents = child(shared.children(), 'agents');
  const pools = child(shared.children(), 'pools');
  const desks = new Map<string, AgentDesk>();
  return {
    clock,
    deadlines,
    logger,
    governor: child(shared.children(), 'governor'),
    monitor: child(shared.children(), 'monitor'),
    capacity: () => ({ ...shared.load(), queueDepth: shared.waiting() }),
    autoConcurrency,
    agent: (workflow, agent) => {
      const id = `${workflow}/${agent}`;
      const known = desks.get(id);
      if (known) return known;
      const load = emptyLoad();
      const desk = new AgentDesk(
        member(agents, { id, src: 'agent', input: { agent, load } }),
        load,
      );
      desks.set(id, desk);
      return desk;
    },
    pool: (agent) => member(pools, { id: poolOf(agent), src: 'pool', input: undefined }),
    behaviour: (agent) => workspaces.wrap(behaviours.for(agent)),
    workspaces,
    providers,
    progressed,
    paused,
    concurrency,
    ...(history && { history }),
  };
}

function queueOf(governor: AnyActorRef): AdmissionQueue {
  return (governor.getSnapshot() as { readonly queue: AdmissionQueue }).queue;
}

/** Work of one kind shares slots: inline functions, threads, processes, commands, simulations. */
function poolOf({ uses, isolate }: AgentSpec): string {
  return uses === 'function' ? `function-${isolate}` : uses;
}

/** A member of a collection, started when first asked for. */
function member(
  collection: CollectionRef,
  { id, src, input }: { id: string; src: string; input: unknown },
): Mailbox<never> {
  const known = collection.getSnapshot().children.get(id);
  if (known) return known;
  collection.send({ type: 'child.start', id, src, input });
  const started = collection.getSnapshot().children.get(id);
  if (!started) throw new Error(`${src} "${id}" did not start`);
  return started;
}

function child(children: Record<string, AnyActorRef | undefined>, id: string): AnyActorRef {
  const ref = children[id];
  if (!ref) throw new Error(`the root has no ${id}`);
  return ref;
}
