import type { Clock } from '../core/clock.ts';
import type { Deadline, Deadlines } from '../core/deadlines.ts';
import { setup } from './xstate.ts';

/** What a patrol looks for, and what it does about it. */
export interface PatrolPort {
  /** Ids of runs that there is something to do about, in the order in which it is to be done. */
  find(): Promise<readonly string[]>;
  /** Does it for one run. What fails there is for the port to tell: the next run follows all the same. */
  handle(run: string): Promise<void>;
  /** Whether another run may be handled now. */
  hasRoom(): boolean;
  /** From the end of a round to the next look, in milliseconds. */
  restMs(): number;
}

/** What a patrol is made from. */
export interface PatrolInput {
  readonly port: PatrolPort;
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  /** Told when nothing is handled any more. */
  readonly onStopped: () => void;
}

/** Every message that a patrol may receive. */
export type PatrolEvent =
  | { readonly type: 'look.due' }
  | { readonly type: 'runs.found'; readonly runs: readonly string[] }
  | { readonly type: 'look.failed' }
  | { readonly type: 'run.handled' }
  | { readonly type: 'service.stop' };

interface PatrolContext {
  readonly input: PatrolInput;
  /** Of this round. */
  readonly found: readonly string[];
  /** Index of the run that is handled next. */
  readonly next: number;
  /** Changed in place: nobody else's to know. */
  readonly box: { timer: Deadline | undefined };
}

type Args = {
  readonly context: PatrolContext;
  readonly self: { send(event: PatrolEvent): void };
};

function look({ context: { input }, self }: Args): void {
  input.port.find().then(
    (runs) => self.send({ type: 'runs.found', runs }),
    () => self.send({ type: 'look.failed' }),
  );
}

function handle({ context: { input, found, next }, self }: Args): void {
  const tell = (): void => self.send({ type: 'run.handled' });
  void input.port.handle(found[next - 1] ?? '').then(
    () => tell(),
    () => tell(),
  );
}

function arm({ context: { box, input }, self }: Args): void {
  const { clock, deadlines, port } = input;
  box.timer = deadlines.at(clock.now() + port.restMs(), () => self.send({ type: 'look.due' }));
}

const patrolSetup = setup({
  types: {} as { context: PatrolContext; events: PatrolEvent; input: PatrolInput },
  guards: {
    hasFound: ({ context, event }) =>
      event.type === 'runs.found' && event.runs.length > 0 && context.input.port.hasRoom(),
    hasMore: ({ context: { found, input, next } }) => next < found.length && input.port.hasRoom(),
  },
  actions: {
    look,
    handle,
    arm,
    disarm: ({ context }) => context.box.timer?.cancel(),
    tellStopped: ({ context }) => context.input.onStopped(),
  },
});

/** Begins a round with what was found. */
const begin = patrolSetup.assign({
  found: ({ event }) => (event.type === 'runs.found' ? event.runs : []),
  next: 0,
});

/** The next run is the one to handle. */
const step = patrolSetup.assign({ next: ({ context }) => context.next + 1 });

/**
 * Looks again and again for runs that somebody has to do something about, and does it for one after the other: takes
 * over those that nobody carries, removes those whose time is over.
 *
 * Invariant: `stopped` only when no look and no run is under way.
 */
export const patrolMachine = patrolSetup.extend({ actions: { begin, step } }).createMachine({
  id: 'patrol',
  context: ({ input }) => ({ input, found: [], next: 0, box: { timer: undefined } }),
  initial: 'looking',
  states: {
    looking: {
      entry: 'look',
      on: {
        'runs.found': [
          { guard: 'hasFound', target: 'handling', actions: 'begin' },
          { target: 'resting' },
        ],
        'look.failed': 'resting',
        'service.stop': 'stopping',
      },
    },
    handling: {
      entry: ['step', 'handle'],
      on: {
        'run.handled': [
          { guard: 'hasMore', target: 'handling', reenter: true },
          { target: 'resting' },
        ],
        'service.stop': 'stopping',
      },
    },
    resting: {
      entry: 'arm',
      exit: 'disarm',
      on: { 'look.due': 'looking', 'service.stop': 'stopped' },
    },
    stopping: {
      on: { 'runs.found': 'stopped', 'look.failed': 'stopped', 'run.handled': 'stopped' },
    },
    stopped: { type: 'final', entry: 'tellStopped' },
  },
});
