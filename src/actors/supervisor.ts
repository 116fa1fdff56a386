import { SupervisedChildren } from './supervised-children.ts';
import type { SupervisorInput, SupervisorPhase } from './supervised-children.ts';
import type { ActorLogic, AnyActorRef, Snapshot } from './xstate.ts';

/** What a supervisor shows: in which phase it is, and its children that live, in the order of their start. */
export interface SupervisorSnapshot {
  readonly status: Snapshot<undefined>['status'];
  readonly output: undefined;
  readonly error: unknown;
  readonly value: SupervisorPhase;
  readonly children: ReadonlyMap<string, AnyActorRef>;
}

/** Every message that a supervisor may receive. */
export type SupervisorEvent =
  /** Stop the children in reverse order, each within its time, then end. */
  | { readonly type: 'supervisor.stop' }
  /** The backoff of a restart is over. */
  | { readonly type: 'restart.due' }
  /** A child that was asked to end has not done so in its time. */
  | { readonly type: 'shutdown.due'; readonly id: string }
  | { readonly type: 'xstate.stop' }
  /** What XState sends to the parent of a child that has ended. */
  | {
      readonly type: `xstate.done.actor.${string}` | `xstate.error.actor.${string}`;
      readonly actorId: string;
      readonly error?: unknown;
    };

/** Actor logic of a supervisor; see {@link createSupervisor}. */
export type SupervisorLogic = ActorLogic<
  SupervisorSnapshot & Snapshot<undefined>,
  SupervisorEvent,
  SupervisorInput
>;

/**
 * The life of any supervisor, in the shape of a machine, so that charts can show it. Its events say what has
 * happened: a child has died and is restarted, restarts are used up, the last child is gone.
 */
const chart = {
  initial: 'running',
  states: {
    running: {
      on: {
        'child.died': 'restarting',
        'restarts.exhausted': 'escalating',
        'supervisor.stop': 'stopping',
      },
    },
    restarting: {
      on: {
        'child.died': {},
        'shutdown.due': {},
        'restart.due': 'running',
        'restarts.exhausted': 'escalating',
        'supervisor.stop': 'stopping',
      },
    },
    stopping: { on: { 'shutdown.due': {}, 'children.gone': 'stopped' } },
    escalating: { on: { 'shutdown.due': {}, 'children.gone': 'escalated' } },
    stopped: { type: 'final' },
    escalated: { type: 'final' },
  },
} as const;

/**
 * Logic of a supervisor with a fixed, ordered set of children: it starts them in order, restarts them by its
 * strategy, stops them in reverse order, and tells its own supervisor, by dying, when restarts do not help.
 * @param id name in charts.
 */
export function createSupervisor(id: string): SupervisorLogic {
  const trees = new WeakMap<object, SupervisedChildren>();
  return {
    config: { id, ...chart },
    getInitialSnapshot: (scope, input) => {
      const tree = new SupervisedChildren(scope, input);
      trees.set(scope.self, tree);
      return snapshotOf(tree);
    },
    start: (_snapshot, scope) => trees.get(scope.self)?.start(),
    transition: (snapshot, event, scope) => {
      const tree = trees.get(scope.self);
      if (!tree || snapshot.status !== 'active') return snapshot;
      const before = tree.phase;
      receive(tree, event);
      if (event.type === 'xstate.stop') return snapshotOf(tree, 'stopped');
      return tree.phase === before ? snapshot : snapshotOf(tree);
    },
    getPersistedSnapshot: (snapshot) => snapshot,
  };
}

function receive(tree: SupervisedChildren, event: SupervisorEvent): void {
  switch (event.type) {
    case 'supervisor.stop':
      return tree.stop();
    case 'restart.due':
      return tree.restartDue();
    case 'shutdown.due':
      return tree.shutdownDue(event.id);
    case 'xstate.stop':
      return tree.kill();
    default:
      return tree.ended(
        event.actorId,
        event.type.startsWith('xstate.error.')
          ? { end: 'failed', error: event.error }
          : { end: 'done' },
      );
  }
}

function snapshotOf(
  tree: SupervisedChildren,
  forced?: 'stopped',
): SupervisorSnapshot & Snapshot<undefined> {
  const { phase: value, children, error } = tree;
  const ends = { stopped: 'done', escalated: 'error' } as const;
  const status = forced ?? (value === 'stopped' || value === 'escalated' ? ends[value] : 'active');
  return { status, output: undefined, error, value, children } as never;
}
