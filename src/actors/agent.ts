import { setup } from './xstate.ts';

/** Which agent the machine stands for. */
export interface AgentInput {
  readonly agent: string;
}

/** What an agent knows of itself: load now, and health so far. */
export interface AgentLoad {
  /** Attempts that run now. */
  active: number;
  succeeded: number;
  failed: number;
  /** Sum of the times of all ended attempts. */
  busyMs: number;
}

interface AgentContext extends AgentInput {
  /** Counters under one key, changed in place: an agent counts two events for every attempt of its runs. */
  readonly load: AgentLoad;
}

/** Every message that an agent may receive. */
export type AgentEvent =
  | { readonly type: 'attempt.began' }
  | { readonly type: 'attempt.ended'; readonly ok: boolean; readonly durationMs: number }
  | { readonly type: 'agent.drain' };

const agentSetup = setup({
  types: {} as { context: AgentContext; events: AgentEvent; input: AgentInput },
  guards: {
    isLast: ({ context }) => context.load.active === 1,
    isIdle: ({ context }) => context.load.active === 0,
  },
  actions: {
    countBegin: ({ context: { load } }) => {
      load.active++;
    },
    countEnd: ({ context: { load } }, params: { ok: boolean; durationMs: number }) => {
      load.active--;
      if (params.ok) load.succeeded++;
      else load.failed++;
      load.busyMs += params.durationMs;
    },
  },
});

/** The lifecycle of a declared agent in this process: idle, busy with some attempts, draining, stopped. */
export const agentMachine = agentSetup.createMachine({
  id: 'agent',
  context: ({ input }) => ({ ...input, load: { active: 0, succeeded: 0, failed: 0, busyMs: 0 } }),
  initial: 'idle',
  states: {
    idle: {
      on: {
        'attempt.began': { target: 'busy', actions: 'countBegin' },
        'agent.drain': 'stopped',
      },
    },
    busy: {
      on: {
        'attempt.began': { actions: 'countBegin' },
        'attempt.ended': [
          {
            guard: 'isLast',
            target: 'idle',
            actions: { type: 'countEnd', params: ({ event }) => event },
          },
          { actions: { type: 'countEnd', params: ({ event }) => event } },
        ],
        'agent.drain': 'draining',
      },
    },
    draining: {
      always: { guard: 'isIdle', target: 'stopped' },
      on: { 'attempt.ended': { actions: { type: 'countEnd', params: ({ event }) => event } } },
    },
    stopped: { type: 'final' },
  },
});
