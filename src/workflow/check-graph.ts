import type { Draft } from './draft.ts';
import { placeOf } from './draft.ts';
import { findCycles } from './waiting.ts';
import type { Waiting } from './waiting.ts';

/** Names every circle of waiting; true when there is none. */
export function checkCycles(waiting: Waiting, draft: Draft): boolean {
  const cycles = findCycles(waiting);
  for (const cycle of cycles) {
    const [start = ''] = cycle;
    const path = placeOf(draft, start);
    const source =
      draft.tasks.has(start) &&
      path[0] === 'tasks' &&
      draft.document.tasks[start]?.needs !== undefined;
    const message = `waiting in a circle: ${cycle.join(' -> ')}${togetherText(cycle, draft)}`;
    draft.faults.add('TRP_WORKFLOW_CYCLE', message, {
      path: source ? [...path, 'needs'] : path,
      point: 'key',
    });
  }
  return cycles.length === 0;
}

/** Why a check on the circle waits, which no `needs` says: the checks of one task end together. */
function togetherText(cycle: readonly string[], { tasks }: Draft): string {
  for (const [index, id] of cycle.slice(1).entries()) {
    const waiting = tasks.get(cycle[index] ?? '');
    const checked = tasks.get(id)?.validates;
    const needed = waiting?.needs.find(
      ({ on }) => on !== id && tasks.get(on)?.validates === checked,
    );
    if (checked === undefined || !needed || waiting?.needs.some(({ on }) => on === id)) continue;
    return `; "${waiting?.id}" needs "${needed.on}", and "${id}" checks "${checked}" as well: its checks end together`;
  }
  return '';
}
