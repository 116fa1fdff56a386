import type { TaskSpec } from '../../workflow/model.ts';
import { isLockKind } from '../../workflow/model.ts';
import type { RunCore } from './core.ts';

/** What attempts of this run hold of its locks, so that who waits for one need not look at all who run. */

/** An attempt has got its permits (1), or gives them back (-1). */
export function countLocks({ heldLocks }: RunCore, { demand }: TaskSpec, change: 1 | -1): void {
  for (const kind in demand) {
    if (!isLockKind(kind)) continue;
    const held = (heldLocks.get(kind) ?? 0) + change * (demand[kind] ?? 0);
    if (held > 0) heldLocks.set(kind, held);
    else heldLocks.delete(kind);
  }
}

/** The first lock that a task wants and others hold too much of; undefined: it waits for something else. */
export function lockedBy(core: RunCore, { demand }: TaskSpec): string | undefined {
  const { capacity } = core.book.workflow.resources;
  return Object.keys(demand)
    .filter(isLockKind)
    .find((kind) => (core.heldLocks.get(kind) ?? 0) + (demand[kind] ?? 0) > (capacity[kind] ?? 1));
}
