import { assign, setup } from './xstate.ts';

export interface AgentInput {
  readonly agent: string;
}

/** What an agent knows of itself: load now, and health so far. */
export interface AgentContext extends AgentInput {
  /** Attempts that run now. */
  readonly active: number;
  readonly succeeded: number;
  readonly failed: number;
  /** Sum of the times of all ended attempts. */
  readonly busyMs: number;
}

export type AgentEvent =
  | { readonly type: 'attempt.began' }
  | { readonly type: 'attempt.ended'; readonly ok: boolean; readonly durationMs: number }
  | { readonly type: 'agent.drain' };

const agentSetup = setup({
  types: {} as { context: AgentContext; events: AgentEvent; input: AgentInput },
  guards: { isLast: ({ context }) => context.active === 1, isIdle: ({ context }) => context.active === 0 },
  actions: {
    countBegin: assign({ active: ({ context }) => context.active + 1 }),
    countEnd: assign(({ context }, params: { ok: boolean; durationMs: number }) => ({
      active: context.active - 1,
      succeeded: context.succeeded + (params.ok ? 1 : 0),
      failed: context.failed + (params.ok ? 0 : 1),
      busyMs: context.busyMs + params.durationMs,
    })),
  },
});

/** The lifecycle of a declared agent in this process: idle, busy with some attempts, draining, stopped. */
export const agentMachine = agentSetup.createMachine({
  id: 'agent',
  context: ({ input }) => ({ ...input, active: 0, succeeded: 0, failed: 0, busyMs: 0 }),
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
          { guard: 'isLast', target: 'idle', actions: { type: 'countEnd', params: ({ event }) => event } },
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
