import type { Clock } from '../core/clock.ts';
import type { Deadline, Deadlines } from '../core/deadlines.ts';
import type { ProcessLoad } from '../policies/parallelism.ts';
import { setup } from './xstate.ts';

/** One look at the process, for a run. */
export interface Sample {
  readonly load: ProcessLoad;
  /** Tasks of the run that wait for their permits, and those of all runs. */
  readonly waiting: number;
  readonly waitingInAll: number;
}

/** Who wants samples. */
export interface Watch {
  readonly run: string;
  readonly intervalMs: number;
  readonly sampled: (sample: Sample) => void;
}

/** What the monitor is made from: where its samples come from. */
export interface MonitorInput {
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly load: () => ProcessLoad;
  /** Tasks that wait for permits, of one run or of all. */
  readonly waiting: (run?: string) => number;
}

/** Every message that the monitor may receive. */
export type MonitorEvent =
  | { readonly type: 'watch.begin'; readonly watch: Watch }
  | { readonly type: 'watch.end'; readonly run: string }
  | { readonly type: 'sample.due'; readonly run: string };

/** A watch and its timer. */
export interface Watched {
  readonly watch: Watch;
  timer: Deadline | undefined;
}

/** The monitor's data. */
export interface MonitorContext {
  readonly input: MonitorInput;
  /** Changed in place: who watches is nobody else's to know. */
  readonly watched: Map<string, Watched>;
}

type Self = { send(event: MonitorEvent): void };
type Args = { readonly context: MonitorContext; readonly event: MonitorEvent; readonly self: Self };

function begin({ context, event, self }: Args): void {
  if (event.type !== 'watch.begin') return;
  const { watch } = event;
  end(context, watch.run);
  const watched: Watched = { watch, timer: undefined };
  context.watched.set(watch.run, watched);
  // The first look sets the measuring going; what came before is nobody's.
  context.input.load();
  arm(context, watched, self);
}

function arm({ input }: MonitorContext, watched: Watched, self: Self): void {
  const { run, intervalMs } = watched.watch;
  watched.timer = input.deadlines.at(input.clock.now() + intervalMs, () =>
    self.send({ type: 'sample.due', run }),
  );
}

function sample({ context, event, self }: Args): void {
  if (event.type !== 'sample.due') return;
  const watched = context.watched.get(event.run);
  if (!watched) return;
  const { load, waiting } = context.input;
  watched.watch.sampled({
    load: load(),
    waiting: waiting(event.run),
    waitingInAll: waiting(),
  });
  arm(context, watched, self);
}

function end({ watched }: MonitorContext, run: string): void {
  watched.get(run)?.timer?.cancel();
  watched.delete(run);
}

const monitorSetup = setup({
  types: {} as { context: MonitorContext; events: MonitorEvent; input: MonitorInput },
  guards: {
    isLast: ({ context, event }) =>
      event.type === 'watch.end' && [...context.watched.keys()].every((run) => run === event.run),
  },
  actions: {
    begin,
    sample,
    end: ({ context, event }) => {
      if (event.type === 'watch.end') end(context, event.run);
    },
  },
});

/**
 * Looks at the process at each watching run's interval: event loop, memory and queues. As long as nobody
 * watches, it measures nothing and has no timer.
 *
 * Invariants: (1) every watch has exactly one timer; (2) `idle` is the state without watches; (3) a run that has
 * ended its watch hears nothing more.
 */
export const monitorMachine = monitorSetup.createMachine({
  id: 'monitor',
  context: ({ input }) => ({ input, watched: new Map() }),
  initial: 'idle',
  states: {
    idle: { on: { 'watch.begin': { target: 'sampling', actions: 'begin' } } },
    sampling: {
      on: {
        'watch.begin': { actions: 'begin' },
        'sample.due': { actions: 'sample' },
        'watch.end': [{ guard: 'isLast', target: 'idle', actions: 'end' }, { actions: 'end' }],
      },
    },
  },
});
