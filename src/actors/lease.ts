import type { Clock } from '../core/clock.ts';
import type { Deadline, Deadlines } from '../core/deadlines.ts';
import type { LeaseKeeper } from '../journal/journal.ts';
import { nextTryMs } from '../journal/lease.ts';
import { setup } from './xstate.ts';

/** What a lease is made from. */
export interface LeaseInput {
  readonly keeper: LeaseKeeper;
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  /** Told when the process can no longer be sure of its runs, and when it is again. */
  readonly onChange: (standing: 'sure' | 'doubt') => void;
}

/** Every message that a lease may receive. */
export type LeaseEvent =
  | { readonly type: 'lease.due' }
  | { readonly type: 'lease.answered' }
  | { readonly type: 'lease.unanswered' }
  | { readonly type: 'lease.release' };

interface LeaseContext {
  readonly input: LeaseInput;
  /** Changed in place: nobody else's to know. */
  readonly box: { timer: Deadline | undefined; isAnswered: boolean };
}

type Args = {
  readonly context: LeaseContext;
  readonly self: { send(event: LeaseEvent): void };
};

function arm({ context: { box, input }, self }: Args): void {
  const pauseMs = nextTryMs(input.keeper.terms, box.isAnswered);
  box.timer = input.deadlines.at(input.clock.now() + pauseMs, () =>
    self.send({ type: 'lease.due' }),
  );
}

function settle({ context: { box }, self }: Args, work: Promise<void>): void {
  work.then(
    () => {
      box.isAnswered = true;
      self.send({ type: 'lease.answered' });
    },
    () => {
      box.isAnswered = false;
      self.send({ type: 'lease.unanswered' });
    },
  );
}

const leaseSetup = setup({
  types: {} as { context: LeaseContext; events: LeaseEvent; input: LeaseInput },
  guards: { isDoubted: ({ context }) => context.input.keeper.isDoubted() },
  actions: {
    arm,
    disarm: ({ context }) => context.box.timer?.cancel(),
    renew: (args) => settle(args, args.context.input.keeper.renew()),
    verify: (args) => settle(args, args.context.input.keeper.verify()),
    tellDoubt: ({ context }) => context.input.onChange('doubt'),
    tellSure: ({ context }) => context.input.onChange('sure'),
  },
});

/**
 * The lease by which this process owns its runs: held and renewed; doubtful after too long without an answer, or after
 * the process itself stood still; then, with the next answer, checked run by run before anything is done.
 */
export const leaseMachine = leaseSetup.createMachine({
  id: 'lease',
  context: ({ input }) => ({ input, box: { timer: undefined, isAnswered: true } }),
  initial: 'held',
  on: { 'lease.release': '.released' },
  states: {
    held: { entry: 'arm', exit: 'disarm', on: { 'lease.due': 'renewing' } },
    renewing: {
      entry: 'renew',
      on: {
        'lease.answered': [{ guard: 'isDoubted', target: 'doubtful.checking' }, { target: 'held' }],
        'lease.unanswered': [{ guard: 'isDoubted', target: 'doubtful' }, { target: 'held' }],
      },
    },
    doubtful: {
      entry: 'tellDoubt',
      initial: 'waiting',
      states: {
        waiting: { entry: 'arm', exit: 'disarm', on: { 'lease.due': 'renewing' } },
        renewing: {
          entry: 'renew',
          on: { 'lease.answered': 'checking', 'lease.unanswered': 'waiting' },
        },
        checking: {
          entry: 'verify',
          on: {
            'lease.answered': [
              { guard: 'isDoubted', target: 'waiting' },
              { target: '#lease.held', actions: 'tellSure' },
            ],
            'lease.unanswered': 'waiting',
          },
        },
      },
    },
    released: { type: 'final' },
  },
});
