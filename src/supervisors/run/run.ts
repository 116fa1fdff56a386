import { createCollection } from '../../actors/collection.ts';
import type { CollectionInput } from '../../actors/collection.ts';
import { setup } from '../../actors/xstate.ts';
import type { AnyActorRef } from '../../actors/xstate.ts';
import { errorInfo } from '../../core/errors.ts';
import type { ErrorInfo } from '../../core/errors.ts';
import { asyncMergeMachine } from '../async-merge.ts';
import { crewLogic } from '../crew.ts';
import { escalationMachine } from '../escalation.ts';
import { forkJoinMachine } from '../fork-join.ts';
import type { CollectionRef, Mailbox, RunCore } from './core.ts';
import { abandonRun, cancelRun, closeRun, freeRun, interruptRun, runDeadline } from './run-end.ts';
import type { RunEvent } from './events.ts';
import { handle } from './handle.ts';
import { isDone } from './pump.ts';
import { isHalted } from './restore.ts';
import { openRun } from './opening.ts';
import { abandonedSettled } from './attempt-end.ts';

/** What a run's machine is given: how to make its core, and whom to tell. */
export interface RunInput {
  readonly run: string;
  /** Makes the core; called once, when the run's own collections exist. */
  readonly assemble: (parts: RunParts) => RunCore;
  /** The start, or the takeover, is durable. */
  readonly onOpened: () => void;
  readonly onEnded: () => void;
  /** Stopped without an end; the run can be resumed. */
  readonly onInterrupted: () => void;
  /** Cannot go on here: the journal is lost, or a fault of ours. */
  readonly onFault: (error: ErrorInfo) => void;
}

/** The run's own actors, as its core needs them. */
export interface RunParts {
  readonly self: Mailbox<RunEvent>;
  readonly supervisors: CollectionRef;
  readonly crew: CollectionRef;
  readonly escalations: CollectionRef;
}

interface RunContext {
  readonly input: RunInput;
  /** One object for the whole life: the machine's states carry the policy, the core carries the data. */
  readonly box: { core: RunCore | undefined; fault?: ErrorInfo; cancelBy?: string };
}

/** Supervisors of a run's groups, by mode. */
const groupSupervisors = createCollection('groups', {
  fork_join: forkJoinMachine,
  async_merge: asyncMergeMachine,
});

/** Failures on their way up, by task. */
const escalationsLogic = createCollection('escalations', { escalation: escalationMachine });

type Args = { readonly context: RunContext; readonly event: RunEvent; readonly self: AnyActorRef };

/** Runs a step of the core; a throw is a fault of ours and becomes an event, so that no child is orphaned. */
function guarded(step: (core: RunCore, args: Args) => void): (args: Args) => void {
  return (args) => {
    const { core } = args.context.box;
    if (!core) return;
    try {
      step(core, args);
    } catch (error) {
      core.services.logger.error('a fault in a run', { run: core.run, error: String(error) });
      args.self.send({ type: 'run.faulted', error: { ...errorInfo(error), code: 'TRP_INTERNAL' } });
    }
  };
}

function assemble({ context, self }: Args): void {
  const { children } = self.getSnapshot() as { children: Record<string, AnyActorRef> };
  const { groups, crew, escalations } = children;
  if (!groups || !crew || !escalations) throw new Error('the collections of a run are missing');
  try {
    context.box.core = context.input.assemble({ self, supervisors: groups, crew, escalations });
    openRun(context.box.core);
  } catch (error) {
    self.send({ type: 'run.faulted', error: errorInfo(error) });
  }
}

/** The first fault is the one to tell. */
function noteFault({ context, event }: Args): void {
  if (event.type === 'run.faulted') context.box.fault ??= event.error;
}

/** Stops what runs; before there is a core, nothing does. */
function abandon(args: Args): void {
  if (args.context.box.core) guarded(abandonRun)(args);
  else args.self.send({ type: 'work.stopped' });
}

/** A group's supervisor that died cannot be made again without its past: the run stops and can be resumed. */
function supervisorFaults({ self }: Pick<Args, 'self'>): CollectionInput {
  return {
    onFault: (_id, error) =>
      self.send({ type: 'run.faulted', error: { ...errorInfo(error), code: 'TRP_INTERNAL' } }),
  };
}

function workerFaults({ context }: Pick<Args, 'context'>): CollectionInput {
  return { onFault: (worker, error) => context.box.core?.port.fault(worker, error) };
}

const runSetup = setup({
  types: {} as { context: RunContext; events: RunEvent; input: RunInput },
  actors: { groups: groupSupervisors, crew: crewLogic, escalations: escalationsLogic },
  guards: {
    isDone: ({ context }) => context.box.core === undefined || isDone(context.box.core),
    isHalted: ({ context }) => context.box.core !== undefined && isHalted(context.box.core),
  },
  actions: {
    open: assemble,
    begin: guarded((core, { context, self }) => {
      handle(core, { type: 'run.opened' });
      const { cancelBy } = context.box;
      if (cancelBy !== undefined) self.send({ type: 'run.cancel', by: cancelBy });
    }),
    cancelLater: ({ context, event }) => {
      if (event.type === 'run.cancel') context.box.cancelBy = event.by;
    },
    handle: guarded((core, { event }) => handle(core, event)),
    cancel: guarded((core, { event }) =>
      cancelRun(core, event.type === 'run.cancel' ? event.by : ''),
    ),
    expire: guarded((core) => runDeadline(core)),
    interrupt: guarded((core) => interruptRun(core)),
    pump: guarded((core) => handle(core, { type: 'records.durable' })),
    close: guarded((core) => closeRun(core)),
    free: guarded((core) => freeRun(core)),
    tellOpened: ({ context }) => context.input.onOpened(),
    tellEnded: ({ context }) => context.input.onEnded(),
    tellInterrupted: ({ context }) => context.input.onInterrupted(),
    noteFault,
    abandon,
    countOut: guarded((core, { event }) => {
      if (event.type === 'attempt.settled') abandonedSettled(core, event.task, event.settlement);
      if (event.type === 'attempts.settled')
        for (const { task, settlement } of event.attempts) abandonedSettled(core, task, settlement);
      if (event.type === 'hedge.settled') core.hedges?.abandoned(event.task, event);
    }),
    tellFault: ({ context }) => {
      if (context.box.fault) context.input.onFault(context.box.fault);
    },
  },
});

/**
 * One execution of a workflow. The machine says in which phase the run is and what it listens to; what it
 * does about an event is decided by the functions beside it, on the fold of the journal.
 */
export const runMachine = runSetup.createMachine({
  id: 'run',
  context: ({ input }) => ({ input, box: { core: undefined } }),
  invoke: [
    { id: 'groups', src: 'groups', input: supervisorFaults },
    { id: 'crew', src: 'crew', input: workerFaults },
    { id: 'escalations', src: 'escalations', input: supervisorFaults },
  ],
  initial: 'opening',
  on: { 'run.faulted': { target: '.faulting', actions: 'noteFault' } },
  states: {
    opening: {
      entry: 'open',
      on: {
        'records.durable': { actions: 'handle' },
        'run.opened': [
          {
            guard: 'isHalted',
            target: 'active.cancelling',
            actions: ['tellOpened', 'begin'],
          },
          { target: 'active', actions: ['tellOpened', 'begin'] },
        ],
        'run.cancel': { actions: 'cancelLater' },
        'run.interrupt': 'interrupted',
      },
    },
    active: {
      initial: 'running',
      on: {
        'records.durable': { actions: 'handle' },
        'permits.granted': { actions: 'handle' },
        'permit.refused': { actions: 'handle' },
        'attempt.settled': { actions: 'handle' },
        'attempts.settled': { actions: 'handle' },
        'attempt.timed_out': { actions: 'handle' },
        'step.done': { actions: 'handle' },
        'result.late': { actions: 'handle' },
        'letter.dropped': { actions: 'handle' },
        'spend.reported': { actions: 'handle' },
        'budget.time_over': { actions: 'handle' },
        'memory.proposed': { actions: 'handle' },
        'conflict.resolve': { actions: 'handle' },
        'load.sampled': { actions: 'handle' },
        'lock.timed_out': { actions: 'handle' },
        'workspaces.merged': { actions: 'handle' },
        'retry.due': { actions: 'handle' },
        'breaker.ready': { actions: 'handle' },
        'hedge.due': { actions: 'handle' },
        'hedge.settled': { actions: 'handle' },
        'rung.expired': { actions: 'handle' },
        'verb.asked': { actions: 'handle' },
        'stuck.check': { actions: 'handle' },
        'start.due': { actions: 'handle' },
        'task.deadline': { actions: 'handle' },
        'barrier.decided': { actions: 'handle' },
        'member.contributed': { actions: 'handle' },
        'group.deadline': { actions: 'handle' },
        'run.interrupt': '.interrupting',
        'work.stopped': 'interrupted',
      },
      states: {
        running: {
          on: {
            'run.cancel': { target: 'cancelling', actions: ['cancel', 'pump'] },
            'run.deadline': { target: 'cancelling', actions: ['expire', 'pump'] },
            'work.finished': { guard: 'isDone', target: 'closing' },
          },
        },
        cancelling: { on: { 'work.finished': { guard: 'isDone', target: 'closing' } } },
        closing: {
          entry: 'close',
          on: {
            'run.interrupt': {},
            'run.closed': '#run.ended',
            // Nothing follows the run's last record, not even what would be worth one.
            'result.late': {},
            'letter.dropped': {},
            'spend.reported': {},
            'budget.time_over': {},
            'load.sampled': {},
          },
        },
        interrupting: { entry: ['interrupt', 'pump'] },
      },
    },
    ended: { type: 'final', entry: ['free', 'tellEnded'] },
    interrupted: { type: 'final', entry: ['free', 'tellInterrupted'] },
    faulting: {
      entry: 'abandon',
      on: {
        'attempt.settled': { actions: 'countOut' },
        'attempts.settled': { actions: 'countOut' },
        'hedge.settled': { actions: 'countOut' },
        'work.stopped': 'faulted',
        'run.faulted': 'faulted',
      },
    },
    faulted: { type: 'final', entry: ['free', 'tellFault'] },
  },
});
