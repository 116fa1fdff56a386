import { describe, expect, it } from 'vitest';

import { AgentDesk, agentMachine, emptyLoad } from '../../src/actors/agent.ts';
import { createActor } from '../../src/actors/xstate.ts';

function agent() {
  const load = emptyLoad();
  const actor = createActor(agentMachine, { input: { agent: 'a', load } });
  actor.start();
  return { actor, load, desk: new AgentDesk(actor, load) };
}

describe('an agent', () => {
  it('is busy while attempts run, counts them, and is idle after the last', () => {
    const { actor, load, desk } = agent();
    desk.began();
    desk.began();
    desk.ended(true, 5);
    expect(actor.getSnapshot().value).toBe('busy');
    desk.ended(false, 7);
    expect(actor.getSnapshot().value).toBe('idle');
    expect(load).toEqual({ active: 0, succeeded: 1, failed: 1, busyMs: 12 });
  });

  it('drains: it stops after what it is doing, and at once when it is idle', () => {
    const busy = agent();
    busy.desk.began();
    busy.actor.send({ type: 'agent.drain' });
    expect(busy.actor.getSnapshot().value).toBe('draining');
    busy.desk.ended(true, 1);
    expect(busy.actor.getSnapshot().value).toBe('stopped');
    const idle = agent();
    idle.actor.send({ type: 'agent.drain' });
    expect(idle.actor.getSnapshot().status).toBe('done');
  });
});
