import type { AnyActorRef } from './xstate.ts';

/**
 * Stops what an actor that has died has left behind. XState marks an actor whose own action threw as dead and
 * lets its children run on; they still stand in its last snapshot. Nothing happens to what has ended itself.
 */
export function sweep(dead: AnyActorRef): void {
  for (const child of childrenOf(dead)) {
    const { status } = child.getSnapshot() as { readonly status: string };
    if (status === 'active') stopQuietly(child);
    else if (status === 'error') sweep(child);
  }
}

/** The event that an owner's `stopChild` sends; the owner itself can send nothing any more. */
function stopQuietly(child: AnyActorRef): void {
  try {
    child.send({ type: 'xstate.stop' });
  } catch {
    // An inspector that throws reaches whoever sends; the others are stopped all the same.
  }
  const { status } = child.getSnapshot() as { readonly status: string };
  if (status === 'error') sweep(child);
}

type Children =
  | ReadonlyMap<string, AnyActorRef>
  | { readonly [id: string]: AnyActorRef | undefined };

function childrenOf(actor: AnyActorRef): AnyActorRef[] {
  const { children } = actor.getSnapshot() as { readonly children?: Children };
  if (!children) return [];
  const all = children instanceof Map ? [...children.values()] : Object.values(children);
  return all.filter((child): child is AnyActorRef => child !== undefined).toReversed();
}
