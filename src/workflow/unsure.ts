import type { Draft } from './draft.ts';
import type { Waiting } from './waiting.ts';

/**
 * Tasks and groups of which it is not known what they wait for: something they need, or wait for at some
 * remove, has a fault. That they do not wait for something else is no news then.
 */
export function unsureOf(draft: Draft, waiting: Waiting): ReadonlySet<string> {
  const found = new Set(draft.unsure);
  for (const id of draft.tasks.keys()) {
    if (draft.faults.isMuted(['tasks', id, 'needs'])) found.add(id);
  }
  if (found.size === 0) return found;
  const waiters = waitersOf(waiting);
  // A set that grows while it is walked: whoever waits for one that is unsure is unsure as well.
  for (const id of found) for (const waiter of waiters.get(id) ?? []) found.add(waiter);
  return found;
}

function waitersOf(waiting: Waiting): ReadonlyMap<string, readonly string[]> {
  const waiters = new Map<string, string[]>();
  for (const [waiter, on] of waiting) {
    for (const id of on) {
      const known = waiters.get(id);
      if (known) known.push(waiter);
      else waiters.set(id, [waiter]);
    }
  }
  return waiters;
}
