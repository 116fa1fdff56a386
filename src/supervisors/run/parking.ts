import { enqueue } from './agenda.ts';
import type { RunCore } from './core.ts';
import { shiftBarriers } from './barrier-shift.ts';

/** A run that is paused, and what is kept back meanwhile. */

/** Whether nothing new may be dispatched. */
export function isPaused({ ledger }: RunCore): boolean {
  return ledger.state.paused !== undefined;
}

/** Keeps ready tasks back while the run is paused. */
export function holdBack(core: RunCore, ids: Iterable<string>): void {
  core.heldBack ??= new Set();
  for (const id of ids) core.heldBack.add(id);
}

/** The run goes on: barriers wait longer by the time in which nothing could happen, and what is ready may start. */
export function goOn(core: RunCore, pausedMs: number): void {
  const ids = core.heldBack ?? [];
  core.heldBack = undefined;
  shiftBarriers(core, pausedMs);
  enqueue(core.agenda.ready, ids);
  core.plan?.lookAgain();
}

/** Tasks that the run was paused for. */
export function exhaustedTasks({ ledger }: RunCore): readonly string[] {
  const rows = [...ledger.state.tasks.values()];
  return rows
    .filter(({ phase, recovery }) => phase === 'parked' && recovery?.parked === 'exhausted')
    .map(({ id }) => id);
}
