import { agentMachine } from '../actors/agent.ts';
import { busLinkMachine } from '../actors/bus-link.ts';
import { createCollection } from '../actors/collection.ts';
import { governorLogic } from '../actors/governor.ts';
import type { GovernorInput } from '../actors/governor.ts';
import { monitorMachine } from '../actors/monitor.ts';
import type { MonitorInput } from '../actors/monitor.ts';
import { createPool } from '../actors/pool.ts';
import { providerGateMachine } from '../actors/provider-gate.ts';
import { setup } from '../actors/xstate.ts';
import { runMachine } from './run/run.ts';

/** What the root is made from. */
export interface RootInput {
  readonly governor: GovernorInput;
  readonly monitor: MonitorInput;
  /** A run, an agent or a pool has died of an error: a fault of ours. */
  readonly onFault: (id: string, error: unknown) => void;
}

/** One machine per declared agent, shared by all runs of its workflow. */
const agentsLogic = createCollection('agents', { agent: agentMachine });

/** Connections to the buses in use: one as a rule, and one for each other bus that a document names. */
const linksLogic = createCollection('links', { bus_link: busLinkMachine });

/** Ways out to providers, one for each key. */
const gatesLogic = createCollection('gates', { provider_gate: providerGateMachine });

/** Slots by kind of work. */
const poolsLogic = createCollection('pools', { pool: createPool('pool') });

const runsLogic = createCollection('runs', { run: runMachine });

const rootSetup = setup({
  types: {} as { context: RootInput; events: { type: 'root.stop' }; input: RootInput },
  actors: {
    links: linksLogic,
    governor: governorLogic,
    monitor: monitorMachine,
    gates: gatesLogic,
    agents: agentsLogic,
    pools: poolsLogic,
    runs: runsLogic,
  },
});

/** The top of the supervision tree: it owns everything that lives in this process, and stops it in reverse order. */
export const rootMachine = rootSetup.createMachine({
  id: 'root',
  context: ({ input }) => input,
  invoke: [
    { id: 'links', src: 'links', input: ({ context }) => ({ onFault: context.onFault }) },
    { id: 'governor', src: 'governor', input: ({ context }) => context.governor },
    { id: 'gates', src: 'gates', input: ({ context }) => ({ onFault: context.onFault }) },
    { id: 'monitor', src: 'monitor', input: ({ context }) => context.monitor },
    { id: 'agents', src: 'agents', input: ({ context }) => ({ onFault: context.onFault }) },
    { id: 'pools', src: 'pools', input: ({ context }) => ({ onFault: context.onFault }) },
    { id: 'runs', src: 'runs', input: ({ context }) => ({ onFault: context.onFault }) },
  ],
  initial: 'running',
  states: {
    running: { on: { 'root.stop': 'stopped' } },
    stopped: { type: 'final' },
  },
});
