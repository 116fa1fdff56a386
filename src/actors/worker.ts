import type { AttemptSettlement } from './behaviours/behaviour.ts';
import { assign, setup } from './xstate.ts';

/** Why a running attempt was asked to end. */
export type AbortReason =
  | 'timeout'
  | 'deadline'
  | 'cancelled'
  | 'barrier_released'
  | 'barrier_fallback'
  | 'group_restarted'
  | 'hedge_lost'
  | 'shutdown';

/** How a worker's task ended, as its supervisor decided. */
export type Verdict = 'succeeded' | 'failed' | 'timed_out' | 'cancelled';

/** What a worker asks of those around it; one object for a whole run, so that a worker stays small. */
export interface WorkerPort {
  /** Carry out the task's next attempt; the answer is an `attempt.settled`. */
  begin(task: string): void;
  /** Ask the running attempt to end; it answers with `attempt.settled` within its kill time. */
  abort(task: string, reason: AbortReason): void;
  /** The attempt is over; the answer is a verdict. */
  report(task: string, settlement: AttemptSettlement, aborted: AbortReason | undefined): void;
  /** The worker itself has died: a fault of ours. */
  fault(worker: string, error: unknown): void;
}

/** Which task a worker carries, and whom it asks. */
export interface WorkerInput {
  readonly task: string;
  readonly port: WorkerPort;
}

interface WorkerContext extends WorkerInput {
  /** Set while the running attempt is being aborted. */
  readonly aborted: AbortReason | undefined;
  /** The time limit that it has passed, whatever it is being ended for since: a result is refused all the same. */
  readonly overran: 'timeout' | 'deadline' | undefined;
}

/** Every message that a worker may receive. */
export type WorkerEvent =
  | { readonly type: 'attempt.settled'; readonly settlement: AttemptSettlement }
  | { readonly type: 'attempt.abort'; readonly reason: AbortReason }
  | { readonly type: 'dispatch' }
  | { readonly type: 'verdict.retry' }
  | { readonly type: `verdict.${Verdict}` };

/** Which reason counts when two meet: what ends more outranks what ends less. */
const strength: Readonly<Record<AbortReason, number>> = {
  timeout: 0,
  barrier_fallback: 0,
  group_restarted: 0,
  deadline: 1,
  barrier_released: 2,
  hedge_lost: 2,
  cancelled: 2,
  shutdown: 3,
};

const workerSetup = setup({
  types: {} as { context: WorkerContext; events: WorkerEvent; input: WorkerInput },
  guards: {
    isStronger: ({ context, event }) =>
      event.type === 'attempt.abort' &&
      strength[event.reason] > strength[context.aborted ?? 'timeout'],
  },
  actions: {
    beginAttempt: ({ context }) => context.port.begin(context.task),
    keepAbortReason: assign(({ context }, { aborted }: { aborted: AbortReason }) => {
      const isLimit = aborted === 'timeout' || aborted === 'deadline';
      return { aborted, overran: context.overran ?? (isLimit ? aborted : undefined) };
    }),
    forgetAbort: assign({ aborted: undefined, overran: undefined }),
    abortAttempt: ({ context }) => {
      if (context.aborted) context.port.abort(context.task, context.aborted);
    },
    reportSettlement: ({ context }, { settlement }: { settlement: AttemptSettlement }) => {
      const { task, port, aborted, overran } = context;
      port.report(
        task,
        settlement,
        settlement.status === 'succeeded' ? (overran ?? aborted) : aborted,
      );
    },
  },
});

/**
 * Carries one task from dispatch to its end, attempt by attempt. It decides nothing: it has an attempt
 * carried out, reports how that ended, and waits for its supervisor's verdict, which is in the journal
 * before it comes. It holds a permit only in `running` and `aborting`.
 */
export const workerMachine = workerSetup.createMachine({
  id: 'worker',
  context: ({ input }) => ({ ...input, aborted: undefined, overran: undefined }),
  initial: 'running',
  on: {
    'verdict.succeeded': '.succeeded',
    'verdict.failed': '.failed',
    'verdict.timed_out': '.timed_out',
    'verdict.cancelled': '.cancelled',
  },
  states: {
    running: {
      tags: ['permit'],
      entry: 'beginAttempt',
      on: {
        'attempt.settled': {
          target: 'reporting',
          actions: {
            type: 'reportSettlement',
            params: ({ event }) => ({ settlement: event.settlement }),
          },
        },
        'attempt.abort': {
          target: 'aborting',
          actions: { type: 'keepAbortReason', params: ({ event }) => ({ aborted: event.reason }) },
        },
      },
    },
    aborting: {
      tags: ['permit'],
      entry: 'abortAttempt',
      on: {
        'attempt.abort': {
          guard: 'isStronger',
          actions: {
            type: 'keepAbortReason',
            params: ({ event }) => ({ aborted: event.reason }),
          },
        },
        'attempt.settled': {
          target: 'reporting',
          actions: {
            type: 'reportSettlement',
            params: ({ event }) => ({ settlement: event.settlement }),
          },
        },
      },
    },
    reporting: {
      on: { 'verdict.retry': { target: 'backing_off', actions: 'forgetAbort' } },
    },
    backing_off: { on: { dispatch: 'running' } },
    succeeded: { type: 'final' },
    failed: { type: 'final' },
    timed_out: { type: 'final' },
    cancelled: { type: 'final' },
  },
});
