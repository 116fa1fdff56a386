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
    const message = `waiting in a circle: ${cycle.join(' -> ')}`;
    draft.faults.add('TRP_WORKFLOW_CYCLE', message, {
      path: source ? [...path, 'needs'] : path,
      point: 'key',
    });
  }
  return cycles.length === 0;
}
