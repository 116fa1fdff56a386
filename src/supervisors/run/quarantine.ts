import type { ErrorInfo } from '../../core/errors.ts';
import { isPoison } from '../../policies/quarantine.ts';
import type { RunCore } from './core.ts';
import { endTask } from './task-end.ts';
import { closeExpansion } from './close-member.ts';

/** Whether this failure is the one after which the task is left alone. */
export function isQuarantined(core: RunCore, id: string, error: ErrorInfo): boolean {
  if (error.errorClass !== 'lost') return false;
  const { lost = 0 } = core.ledger.state.tasks.get(id) ?? {};
  return isPoison(lost + 1, core.book.task(id).retry.quarantineAfter);
}

/** Ends a task that has killed its process too often, before it does so again. True: it has ended. */
export function stopPoison(core: RunCore, id: string): boolean {
  const lost = core.ledger.state.tasks.get(id)?.lost;
  if (lost === undefined || !isPoison(lost, core.book.task(id).retry.quarantineAfter)) return false;
  endTask(core, id, { outcome: 'failed', reason: 'quarantined', error: poisonError(id, lost) });
  closeExpansion(core, id);
  return true;
}

function poisonError(id: string, lost: number): ErrorInfo {
  return {
    code: 'TRP_QUARANTINED',
    message: `The process that carried task ${id} has died ${lost} times.`,
    errorClass: 'permanent',
    place: id,
    hint: 'Find out what it does to its process. Resuming the ended run tries it anew.',
  };
}
