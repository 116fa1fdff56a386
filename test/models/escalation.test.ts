import { getShortestPaths } from '@xstate/graph';
import { createActor } from '../../src/actors/xstate.ts';
import { describe, expect, it } from 'vitest';
import { escalationMachine } from '../../src/supervisors/escalation.ts';
import type { EscalationEvent, EscalationInput } from '../../src/supervisors/escalation.ts';
import { rungKinds } from '../../src/workflow/recovery.ts';

const events: readonly EscalationEvent[] = [
  ...rungKinds.map((rung) => ({ type: 'rung.opened', rung }) as const),
  { type: 'deadline.reached' },
  { type: 'escalation.over', verdict: 'succeeded' },
  { type: 'escalation.over', verdict: 'failed' },
  { type: 'escalation.over', verdict: 'retried' },
];

const ends: { readonly [verdict: string]: string } = { succeeded: 'resolved', retried: 'retried' };

/** What an escalation does about events, without a machine: where it stands, and how often it tells of time. */
function reference(given: readonly EscalationEvent[]): { state: string; told: number } {
  let state = 'opening';
  let told = 0;
  for (const event of given) {
    if (['resolved', 'retried', 'given_up'].includes(state)) break;
    if (event.type === 'rung.opened') state = event.rung;
    else if (event.type === 'deadline.reached') told++;
    else state = ends[event.verdict] ?? 'given_up';
  }
  return { state, told };
}

function carryOut(given: readonly EscalationEvent[]): { state: string; told: number } {
  let told = 0;
  const input: EscalationInput = { task: 't', port: { expired: () => void told++ } };
  const actor = createActor(escalationMachine, { input });
  actor.start();
  for (const event of given) if (actor.getSnapshot().status === 'active') actor.send(event);
  return { state: String(actor.getSnapshot().value), told };
}

describe('an escalation', () => {
  it('is where its task is on the ladder, on every way there', () => {
    const input: EscalationInput = { task: 't', port: { expired: () => undefined } };
    const paths = getShortestPaths(escalationMachine, { input, events: [...events] });
    expect(paths.length).toBe(1 + rungKinds.length + 3);
    for (const { steps } of paths) {
      const way = steps
        .map(({ event }) => event)
        .filter(({ type }) => !type.startsWith('xstate.')) as readonly EscalationEvent[];
      for (const event of events) {
        const story = [...way, event];
        expect(carryOut(story)).toEqual(reference(story));
      }
    }
  });
});
