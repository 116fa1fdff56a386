import { leastLoaded, newMember, noteEnd, type Member, type WorkEnd } from '../policies/balance.ts';
import { setup } from './xstate.ts';

/** What an agent's attempts amount to: load now, and health so far. */
export interface AgentLoad {
  /** Attempts that run now. */
  active: number;
  succeeded: number;
  failed: number;
  /** Sum of the times of all ended attempts. */
  busyMs: number;
}

/** Which agent the machine stands for, and its load, which {@link AgentDesk} counts. */
export interface AgentInput {
  readonly agent: string;
  readonly load: AgentLoad;
}

/** Every message that an agent may receive. */
export type AgentEvent =
  /** The first attempt began, or the last one ended: attempts between them are only counted. */
  | { readonly type: 'work.began' }
  | { readonly type: 'work.ended' }
  | { readonly type: 'agent.drain' };

const agentSetup = setup({
  types: {} as { context: AgentInput; events: AgentEvent; input: AgentInput },
  guards: {
    // One that was restarted finds the work of its time before.
    isAtWork: ({ context }) => context.load.active > 0,
  },
});

/** The lifecycle of a declared agent in this process: idle, busy with some attempts, draining, stopped. */
export const agentMachine = agentSetup.createMachine({
  id: 'agent',
  context: ({ input }) => input,
  initial: 'idle',
  states: {
    idle: {
      always: { guard: 'isAtWork', target: 'busy' },
      on: { 'work.began': 'busy', 'agent.drain': 'stopped' },
    },
    busy: { on: { 'work.ended': 'idle', 'agent.drain': 'draining' } },
    draining: { on: { 'work.ended': 'stopped' } },
    stopped: { type: 'final' },
  },
});

/** A load that nothing has been counted on. */
export function emptyLoad(): AgentLoad {
  return { active: 0, succeeded: 0, failed: 0, busyMs: 0 };
}

/**
 * Where runs tell of an agent's attempts. It counts every one and tells the machine only of what changes
 * its state: a machine event costs as much as forty additions.
 */
export class AgentDesk {
  private readonly agent: { send(event: AgentEvent): void };
  private readonly load: AgentLoad;
  /** Load and health of each instance, from the first on that was wanted. */
  private readonly instances: Member[] = [];

  constructor(agent: { send(event: AgentEvent): void }, load: AgentLoad) {
    this.agent = agent;
    this.load = load;
  }

  /** An attempt begins. */
  began(): void {
    if (this.load.active++ === 0) this.agent.send({ type: 'work.began' });
  }

  /**
   * Hands work to one of several instances of the agent; see {@link leastLoaded}.
   * @param count instances that there are, from 1
   * @param options now: milliseconds; avoid: the instance that has just failed at this work
   * @returns the instance's number, from 1: tell {@link AgentDesk.left} when the work is over
   */
  assign(count: number, { now, avoid }: { now: number; avoid?: number | undefined }): number {
    const { instances } = this;
    for (let number = instances.length + 1; number <= count; number++)
      instances.push(newMember(`${number}`, Infinity));
    const members = instances.length === count ? instances : instances.slice(0, count);
    const chosen = leastLoaded(members, { now, avoid: `${avoid}` });
    if (chosen) chosen.inFlight++;
    return Number(chosen?.id ?? 1);
  }

  /** Work that an instance was given is over. */
  left(instance: number, end: { end: WorkEnd; durationMs: number; now: number }): void {
    const member = this.instances[instance - 1];
    if (member) noteEnd(member, end);
  }

  /** An attempt has ended. */
  ended(ok: boolean, durationMs: number): void {
    const { load } = this;
    if (ok) load.succeeded++;
    else load.failed++;
    load.busyMs += durationMs;
    if (--load.active === 0) this.agent.send({ type: 'work.ended' });
  }
}
