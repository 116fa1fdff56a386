import { TroupeError } from '../core/errors.ts';
import { MemberRestarts } from './member-restarts.ts';
import type { MemberRestartSpec, MemberStart } from './member-restarts.ts';
import { sweep } from './sweep.ts';
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
 * 4. Nothing that a child does makes the collection fail, unless its members are restarted and die too often.
 * 5. What lived below a child that has died is stopped.
 */
export interface CollectionSnapshot {
  readonly status: Snapshot<undefined>['status'];
  readonly output: undefined;
  readonly error: unknown;
  /** `draining`: its children were asked to end, and it ends with the last of them. */
  readonly value: 'open' | 'draining' | 'closed' | 'failed';
  readonly children: ReadonlyMap<string, AnyActorRef>;
}

/** Whom a collection tells of its children's ends. */
export interface CollectionInput {
  /** Called after a child has died of an error and left the Map; `child` is absent where it was never made. */
  readonly onFault?: (id: string, error: unknown, child?: AnyActorRef) => void;
  /** Called for a child that was stopped since it did not end when it was asked to. */
  readonly onKilled?: (id: string, child: AnyActorRef) => void;
  /** Default: what has died is not started again. */
  readonly restart?: MemberRestartSpec;
}

/** Every message that a collection may receive. */
export type CollectionEvent =
  | MemberStart
  | { readonly type: 'child.stop'; readonly id: string }
  /** Ask every child to end; the collection ends when all have. */
  | { readonly type: 'children.drain'; readonly ask: { readonly type: string } }
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
  readonly restarts: MemberRestarts | undefined;
  value: CollectionSnapshot['value'];
  /** Why it has failed. */
  error?: unknown;
}

type Scope = ActorScope<CollectionSnapshot & Snapshot<undefined>, CollectionEvent>;

/** The life of any collection, in the shape of a machine, so that charts can show it. */
const chart = {
  initial: 'open',
  states: {
    open: {
      on: {
        'child.start': {},
        'child.stop': {},
        'children.drain': { target: 'draining' },
        'restarts.exhausted': { target: 'failed' },
        stop: { target: 'closed' },
      },
    },
    draining: { on: { 'child.stop': {}, 'children.gone': 'closed', stop: 'closed' } },
    closed: { type: 'final' },
    failed: { type: 'final' },
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
      const collection = newCollection(logics, input ?? {}, scope);
      collections.set(scope.self, collection);
      return snapshotOf(collection);
    },
    transition: (snapshot, event, scope) => {
      const collection = collections.get(scope.self);
      if (!collection) return snapshot;
      const before = collection.value;
      receive(collection, event, scope);
      if (event.type === 'xstate.stop') return snapshotOf(collection, 'stopped');
      return collection.value === before ? snapshot : snapshotOf(collection);
    },
    getPersistedSnapshot: (snapshot) => snapshot,
  };
}

function newCollection(
  logics: Collection['logics'],
  input: CollectionInput,
  scope: Scope,
): Collection {
  const restarts =
    input.restart && new MemberRestarts(input.restart, (start) => scope.self.send(start));
  return { logics, children: new Map(), input, restarts, value: 'open' };
}

const statuses = { open: 'active', draining: 'active', closed: 'done', failed: 'error' } as const;

function snapshotOf(
  { children, value, error }: Collection,
  stopped?: 'stopped',
): CollectionSnapshot & Snapshot<undefined> {
  const status = stopped ?? statuses[value];
  return { status, output: undefined, error, value, children } as never;
}

function receive(collection: Collection, event: CollectionEvent, scope: Scope): void {
  switch (event.type) {
    case 'child.start':
      return start(collection, event, scope);
    case 'child.stop':
      return stop(collection, event.id, scope);
    case 'children.drain':
      return drain(collection, event.ask);
    case 'xstate.stop':
      return close(collection, scope);
    default:
      return ended(collection, event, scope);
  }
}

function start(
  collection: Collection,
  event: Extract<CollectionEvent, { type: 'child.start' }>,
  scope: Scope,
): void {
  const { children, logics, input, restarts } = collection;
  const { id, src } = event;
  const logic = logics[src];
  // The fault is that of the second start: the child that lives has done nothing wrong.
  if (children.has(id)) return input.onFault?.(`${id} (second)`, new Error('the id is taken'));
  try {
    if (!logic) throw new Error(`no logic named ${src}`);
    restarts?.started(event);
    const child = createActor(logic, { parent: scope.self, id, src, input: event.input });
    children.set(id, child);
    child.start();
  } catch (error) {
    stop(collection, id, scope);
    input.onFault?.(id, error);
  }
}

function stop(collection: Collection, id: string, scope: Scope): void {
  collection.restarts?.forget(id);
  const child = collection.children.get(id);
  if (!child) return;
  collection.children.delete(id);
  scope.stopChild(child);
  sweep(child);
}

function ended(
  collection: Collection,
  event: Extract<CollectionEvent, { actorId: string }>,
  scope: Scope,
): void {
  const { children, input, restarts } = collection;
  const { actorId, type } = event;
  const child = children.get(actorId);
  if (!child) return;
  children.delete(actorId);
  const hasFailed = type.startsWith('xstate.error.');
  if (hasFailed) {
    sweep(child);
    input.onFault?.(actorId, event.error, child);
  }
  if (restarts?.ended(actorId, hasFailed ? 'failed' : 'done'))
    fail(collection, { id: actorId, error: event.error }, scope);
  if (collection.value === 'draining' && children.size === 0) collection.value = 'closed';
}

/** Members die too often: whoever supervises the collection decides what that means. */
function fail(collection: Collection, last: { id: string; error: unknown }, scope: Scope): void {
  collection.error = new TroupeError(
    'TRP_RESTARTS_EXHAUSTED',
    `Members were restarted as often as allowed; "${last.id}" was the last to die.`,
    { place: last.id, cause: last.error },
  );
  close(collection, scope);
  collection.value = 'failed';
}

function drain(collection: Collection, ask: { readonly type: string }): void {
  if (collection.value !== 'open') return;
  collection.restarts?.stop();
  collection.value = collection.children.size === 0 ? 'closed' : 'draining';
  for (const child of collection.children.values()) child.send(ask);
}

function close(collection: Collection, scope: Scope): void {
  const { children, input, value } = collection;
  collection.restarts?.stop();
  for (const [id, child] of [...children].toReversed()) {
    try {
      stop(collection, id, scope);
      if (value === 'draining') input.onKilled?.(id, child);
    } catch (error) {
      input.onFault?.(id, error, child);
    }
  }
}
