import { createActor } from './xstate.ts';
import type { ActorLogic, ActorScope, AnyActorLogic, AnyActorRef, Snapshot } from './xstate.ts';

/**
 * One-to-many edges of the supervision tree. A machine copies its record of children on every spawn and
 * stop, which is quadratic; a collection keeps its children in a Map of its own and is linear to 100,000.
 *
 * Invariants:
 * 1. A child is in the Map from its start until it has ended, failed or been stopped, and never longer.
 * 2. An id that is taken is not started again: the event is reported as a fault.
 * 3. Stopping the collection stops every child; a throw in one child's stop does not spare the others.
 * 4. Nothing that a child does makes the collection fail.
 */
export interface CollectionSnapshot {
  readonly status: Snapshot<undefined>['status'];
  readonly output: undefined;
  readonly error: undefined;
  readonly value: 'open' | 'closed';
  readonly children: ReadonlyMap<string, AnyActorRef>;
}

/** Whom a collection tells of its children's ends. */
export interface CollectionInput {
  /** Called after a child has died of an error and left the Map. */
  readonly onFault?: (id: string, error: unknown) => void;
}

/** Every message that a collection may receive. */
export type CollectionEvent =
  | {
      readonly type: 'child.start';
      readonly id: string;
      readonly src: string;
      readonly input: unknown;
    }
  | { readonly type: 'child.stop'; readonly id: string }
  | { readonly type: 'xstate.stop' }
  /** What XState sends to the parent of a child that has ended: `xstate.done.actor.*` or `xstate.error.actor.*`. */
  | {
      readonly type: `xstate.done.actor.${string}` | `xstate.error.actor.${string}`;
      readonly actorId: string;
      readonly output?: unknown;
      readonly error?: unknown;
    };

/** Actor logic of a collection; see {@link createCollection}. */
export type CollectionLogic = ActorLogic<
  CollectionSnapshot & Snapshot<undefined>,
  CollectionEvent,
  CollectionInput
>;

interface Collection {
  readonly logics: { readonly [src: string]: AnyActorLogic };
  readonly children: Map<string, AnyActorRef>;
  readonly input: CollectionInput;
}

type Scope = ActorScope<CollectionSnapshot & Snapshot<undefined>, CollectionEvent>;

/** The life of any collection, in the shape of a machine, so that charts can show it. */
const chart = {
  initial: 'open',
  states: {
    open: { on: { 'child.start': {}, 'child.stop': {}, stop: { target: 'closed' } } },
    closed: { type: 'final' },
  },
} as const;

/**
 * Logic of a collection whose children are made from the logics given, by name.
 * @param id name in charts.
 */
export function createCollection(
  id: string,
  logics: { readonly [src: string]: AnyActorLogic },
): CollectionLogic {
  const collections = new WeakMap<object, Collection>();
  return {
    config: { id, ...chart },
    getInitialSnapshot: (scope, input) => {
      const children = new Map<string, AnyActorRef>();
      collections.set(scope.self, { logics, children, input: input ?? {} });
      return snapshotOf(children, 'active');
    },
    transition: (snapshot, event, scope) => {
      const collection = collections.get(scope.self);
      if (!collection) return snapshot;
      if (event.type === 'xstate.stop') {
        stopAll(collection, scope);
        return snapshotOf(collection.children, 'stopped');
      }
      receive(collection, event, scope);
      return snapshot;
    },
    getPersistedSnapshot: (snapshot) => snapshot,
  };
}

function snapshotOf(
  children: ReadonlyMap<string, AnyActorRef>,
  status: 'active' | 'stopped',
): CollectionSnapshot & Snapshot<undefined> {
  const value = status === 'active' ? 'open' : 'closed';
  return { status, output: undefined, error: undefined, value, children } as never;
}

function receive(collection: Collection, event: CollectionEvent, scope: Scope): void {
  switch (event.type) {
    case 'child.start':
      return start(collection, event, scope);
    case 'child.stop':
      return stop(collection, event.id, scope);
    case 'xstate.stop':
      return;
    default:
      return ended(collection, event);
  }
}

function start(
  collection: Collection,
  event: Extract<CollectionEvent, { type: 'child.start' }>,
  scope: Scope,
): void {
  const { children, logics, input } = collection;
  const { id, src } = event;
  const logic = logics[src];
  // The fault is that of the second start: the child that lives has done nothing wrong.
  if (children.has(id)) return input.onFault?.(`${id} (second)`, new Error('the id is taken'));
  try {
    if (!logic) throw new Error(`no logic named ${src}`);
    const child = createActor(logic, { parent: scope.self, id, src, input: event.input });
    children.set(id, child);
    child.start();
  } catch (error) {
    children.delete(id);
    input.onFault?.(id, error);
  }
}

function stop(collection: Collection, id: string, scope: Scope): void {
  const child = collection.children.get(id);
  if (!child) return;
  collection.children.delete(id);
  scope.stopChild(child);
}

function ended(
  { children, input }: Collection,
  event: Extract<CollectionEvent, { actorId: string }>,
): void {
  const { actorId, type } = event;
  if (!children.delete(actorId)) return;
  if (type.startsWith('xstate.error.')) input.onFault?.(actorId, event.error);
}

function stopAll(collection: Collection, scope: Scope): void {
  for (const id of [...collection.children.keys()].toReversed()) {
    try {
      stop(collection, id, scope);
    } catch (error) {
      collection.input.onFault?.(id, error);
    }
  }
}
