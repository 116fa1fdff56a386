import { describe, expect, it } from 'vitest';

import { agentMachine } from '../../src/actors/agent.ts';
import { createActor } from '../../src/actors/xstate.ts';

describe('an agent', () => {
  it('is busy while attempts run, counts them, and is idle after the last', () => {
    const agent = createActor(agentMachine, { input: { agent: 'a' } });
    agent.start();
    agent.send({ type: 'attempt.began' });
    agent.send({ type: 'attempt.began' });
    agent.send({ type: 'attempt.ended', ok: true, durationMs: 5 });
    expect(agent.getSnapshot().value).toBe('busy');
    agent.send({ type: 'attempt.ended', ok: false, durationMs: 7 });
    expect(agent.getSnapshot().value).toBe('idle');
    expect(agent.getSnapshot().context.load).toEqual({
      active: 0,
      succeeded: 1,
      failed: 1,
      busyMs: 12,
    });
  });

  it('drains: it stops after what it is doing, and at once when it is idle', () => {
    const agent = createActor(agentMachine, { input: { agent: 'a' } });
    agent.start();
    agent.send({ type: 'attempt.began' });
    agent.send({ type: 'agent.drain' });
    expect(agent.getSnapshot().value).toBe('draining');
    agent.send({ type: 'attempt.ended', ok: true, durationMs: 1 });
    expect(agent.getSnapshot().value).toBe('stopped');
    const idle = createActor(agentMachine, { input: { agent: 'b' } });
    idle.start();
    idle.send({ type: 'agent.drain' });
    expect(idle.getSnapshot().status).toBe('done');
  });
});
