import { enqueue } from './agenda.ts';
import type { TaskRow } from '../../journal/run-state.ts';
import type { RunCore } from './core.ts';
import { scheduleAgain } from './barrier-shift.ts';

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

/** The run goes on, and that is durable: what is ready may start. */
export function goOn(core: RunCore): void {
  const ids = core.heldBack ?? [];
  core.heldBack = undefined;
  enqueue(core.agenda.ready, ids);
  core.plan?.lookAgain();
}

/**
 * Lifts a pause whose tasks have all ended otherwise: by a deadline, or since their group was released without them.
 * @returns whether it did.
 */
export function liftPause(core: RunCore): boolean {
  const { paused, tasks } = core.ledger.state;
  if (paused?.task === undefined || core.halted) return false;
  if (isExhausted(tasks.get(paused.task)) || exhaustedTasks(core).length > 0) return false;
  core.ledger.commit([{ type: 'run.resumed', by: 'policy' }], () => goOn(core));
  scheduleAgain(core);
  return true;
}

/** Tasks that the run was paused for. */
export function exhaustedTasks({ ledger }: RunCore): readonly string[] {
  return [...ledger.state.tasks.values()].filter(isExhausted).map(({ id }) => id);
}

function isExhausted(row: TaskRow | undefined): boolean {
  return row?.phase === 'parked' && row.recovery?.parked === 'exhausted';
}
