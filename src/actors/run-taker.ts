import type { Clock } from '../core/clock.ts';
import type { Deadline, Deadlines } from '../core/deadlines.ts';
import { setup } from './xstate.ts';

/** Where a taker gets runs from and how it begins them. */
export interface RunTakerPort<Item = unknown> {
  /** The next submitted run; undefined: none came in time, or the signal was given. */
  pull(signal: AbortSignal): Promise<Item | undefined>;
  /** Begins it and says so to the queue, or leaves it to others. What fails there is for the port to tell. */
  settle(item: Item): Promise<void>;
  /** Whether another run may be here. */
  hasRoom(): boolean;
}

/** What a taker is made from. */
export interface RunTakerInput {
  readonly port: RunTakerPort;
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  /** Told when nothing is taken any more. */
  readonly onStopped: () => void;
}

/** Every message that a taker may receive. */
export type RunTakerEvent =
  | { readonly type: 'run.pulled'; readonly item: unknown }
  | { readonly type: 'none.pulled' }
  | { readonly type: 'pull.failed' }
  | { readonly type: 'run.settled' }
  | { readonly type: 'look.due' }
  | { readonly type: 'service.stop' };

interface RunTakerContext {
  readonly input: RunTakerInput;
  /** Changed in place: nobody else's to know. */
  readonly box: { timer: Deadline | undefined; pulling: AbortController };
}

type Args = {
  readonly context: RunTakerContext;
  readonly self: { send(event: RunTakerEvent): void };
};

/** Between looks while there is no room, or no bus, in milliseconds. */
const pauseMs = 200;

function pull({ context: { box, input }, self }: Args): void {
  box.pulling = new AbortController();
  input.port.pull(box.pulling.signal).then(
    (item) =>
      self.send(item === undefined ? { type: 'none.pulled' } : { type: 'run.pulled', item }),
    () => self.send({ type: 'pull.failed' }),
  );
}

function settle({ context, event, self }: Args & { readonly event: RunTakerEvent }): void {
  if (event.type !== 'run.pulled') return;
  const tell = (): void => self.send({ type: 'run.settled' });
  void context.input.port.settle(event.item).then(
    () => tell(),
    () => tell(),
  );
}

function arm({ context: { box, input }, self }: Args): void {
  const { clock, deadlines } = input;
  box.timer = deadlines.at(clock.now() + pauseMs, () => self.send({ type: 'look.due' }));
}

const takerSetup = setup({
  types: {} as { context: RunTakerContext; events: RunTakerEvent; input: RunTakerInput },
  guards: { hasRoom: ({ context }) => context.input.port.hasRoom() },
  actions: {
    pull,
    settle,
    arm,
    disarm: ({ context }) => context.box.timer?.cancel(),
    abortPull: ({ context }) => context.box.pulling.abort(),
    tellStopped: ({ context }) => context.input.onStopped(),
  },
});

/** To the next run, as soon as there is room for one. */
const onward = [
  { guard: 'hasRoom', target: 'pulling', reenter: true },
  { target: 'waiting', reenter: true },
] as const;

/**
 * Takes submitted runs from a queue, one after the other, while there is room.
 *
 * Invariant: `stopped` only when no look into the queue and no beginning of a run is under way; a run that was in hand
 * when the stop came is begun first.
 */
export const runTakerMachine = takerSetup.createMachine({
  id: 'run_taker',
  context: ({ input }) => ({ input, box: { timer: undefined, pulling: new AbortController() } }),
  initial: 'pulling',
  states: {
    pulling: {
      entry: 'pull',
      on: {
        'run.pulled': { target: 'beginning', actions: 'settle' },
        'none.pulled': onward,
        'pull.failed': 'waiting',
        'service.stop': 'stopping',
      },
    },
    beginning: { on: { 'run.settled': onward, 'service.stop': 'stopping.beginning' } },
    waiting: {
      entry: 'arm',
      exit: 'disarm',
      on: { 'look.due': onward, 'service.stop': 'stopped' },
    },
    stopping: {
      initial: 'pulling',
      states: {
        pulling: {
          entry: 'abortPull',
          on: {
            'run.pulled': { target: 'beginning', actions: 'settle' },
            'none.pulled': '#run_taker.stopped',
            'pull.failed': '#run_taker.stopped',
          },
        },
        beginning: { on: { 'run.settled': '#run_taker.stopped' } },
      },
    },
    stopped: { type: 'final', entry: 'tellStopped' },
  },
});
