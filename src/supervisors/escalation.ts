import type { Verdict } from '../actors/worker.ts';
import { setup } from '../actors/xstate.ts';
import type { RungKind } from '../workflow/recovery.ts';

/** What an escalation asks of its run, the only writer of the journal. */
export interface EscalationPort {
  /** The time of its rung is over. */
  expired(task: string): void;
}

/** Whose failure it is, and whom it asks. */
export interface EscalationInput {
  readonly task: string;
  readonly port: EscalationPort;
}

/** Every message that an escalation may receive. */
export type EscalationEvent =
  /** Its task has come to this rung; it is in the journal. */
  | { readonly type: 'rung.opened'; readonly rung: RungKind }
  | { readonly type: 'deadline.reached' }
  /** The task is over, or begins anew. */
  | { readonly type: 'escalation.over'; readonly verdict: Verdict | 'retried' };

const escalationSetup = setup({
  types: {} as { context: EscalationInput; events: EscalationEvent; input: EscalationInput },
  guards: {
    isRung: ({ event }, params: { rung: RungKind }) =>
      event.type === 'rung.opened' && event.rung === params.rung,
    isResolved: ({ event }) => event.type === 'escalation.over' && event.verdict === 'succeeded',
    isRetried: ({ event }) => event.type === 'escalation.over' && event.verdict === 'retried',
  },
  actions: {
    tellExpired: ({ context: { port, task } }) => port.expired(task),
  },
});

/**
 * A failure on its way up: one for each task whose ladder has been entered. Its states are the rungs; where it goes is
 * decided by `policies/escalation.ts`, and is in the journal before it hears of it. The deadline of a rung comes
 * through it, so that one that is over already is not told of.
 */
export const escalationMachine = escalationSetup.createMachine({
  id: 'escalation',
  context: ({ input }) => input,
  initial: 'opening',
  on: {
    'rung.opened': [
      { guard: { type: 'isRung', params: { rung: 'retry' } }, target: '.retry' },
      { guard: { type: 'isRung', params: { rung: 'other_worker' } }, target: '.other_worker' },
      { guard: { type: 'isRung', params: { rung: 'other_model' } }, target: '.other_model' },
      { guard: { type: 'isRung', params: { rung: 'degrade' } }, target: '.degrade' },
      { guard: { type: 'isRung', params: { rung: 'supervisor' } }, target: '.supervisor' },
      { guard: { type: 'isRung', params: { rung: 'person' } }, target: '.person' },
    ],
    'deadline.reached': { actions: 'tellExpired' },
    'escalation.over': [
      { guard: 'isResolved', target: '.resolved' },
      { guard: 'isRetried', target: '.retried' },
      { target: '.given_up' },
    ],
  },
  states: {
    opening: {},
    retry: { tags: ['trying'] },
    other_worker: { tags: ['trying'] },
    other_model: { tags: ['trying'] },
    degrade: { tags: ['trying'] },
    supervisor: { tags: ['deciding'] },
    person: { tags: ['asking'] },
    resolved: { type: 'final' },
    retried: { type: 'final' },
    given_up: { type: 'final' },
  },
});
