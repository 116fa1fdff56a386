import { createCollection } from './collection.ts';
import { createPool } from './pool.ts';
import { providerGateMachine } from './provider-gate.ts';
import { setup } from './xstate.ts';

/** What a worker host is told of its own life. */
export interface WorkerHostInput {
  /** From now on nothing new is taken. */
  readonly onDraining: () => void;
  /** A gate has died of an error: a fault of ours. */
  readonly onFault: (id: string, error: unknown) => void;
}

/** Every message that a worker host may receive. */
export type WorkerHostEvent =
  | { readonly type: 'host.drain' }
  /** Nothing is at work any more. */
  | { readonly type: 'host.idle' }
  | { readonly type: 'host.stop' };

const hostSetup = setup({
  types: {} as { context: WorkerHostInput; events: WorkerHostEvent; input: WorkerHostInput },
  actors: {
    pool: createPool('pool'),
    gates: createCollection('gates', { provider_gate: providerGateMachine }),
  },
  actions: { tellDraining: ({ context }) => context.onDraining() },
});

/**
 * A process that carries out attempts for others. Its pool runs them as the pools of a supervisor do; who wants them,
 * and what becomes of their results, is said over the bus.
 */
export const workerHostMachine = hostSetup.createMachine({
  id: 'worker_host',
  context: ({ input }) => input,
  invoke: [
    { id: 'gates', src: 'gates', input: ({ context }) => ({ onFault: context.onFault }) },
    { id: 'pool', src: 'pool' },
  ],
  initial: 'serving',
  states: {
    serving: { on: { 'host.drain': 'draining', 'host.stop': 'stopped' } },
    draining: { entry: 'tellDraining', on: { 'host.idle': 'stopped', 'host.stop': 'stopped' } },
    stopped: { type: 'final' },
  },
});
