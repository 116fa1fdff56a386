import type { TaskRow } from './run-state.ts';

/** An attempt is over that held permits; a task that was split holds none. */
export function countHeld(row: TaskRow, at: number): void {
  if (row.phase !== 'running' || row.items) return;
  row.heldMs += Math.max(0, at - (row.dispatchedAt ?? at));
}
