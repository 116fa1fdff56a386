import { TroupeError, errorInfo } from '../../core/errors.ts';
import { closeExpansion } from './close-member.ts';
import type { RunCore } from './core.ts';
import { defaultBounds } from './run-bounds.ts';
import { endTask } from './task-end.ts';

/** Share of a bound from which on it is warned of. */
const warnShare = 0.8;

/** Ends a task that would begin in a run whose journal has grown to its bound. False: it may begin. */
export function stopOverlong(core: RunCore, id: string): boolean {
  const { journalRecords = defaultBounds.journalRecords, journalBytes = Infinity } =
    core.services.bounds ?? {};
  const { seq } = core.ledger.state;
  const { bytes } = core.ledger;
  if (seq < journalRecords * warnShare && bytes < journalBytes * warnShare) return false;
  warnOnce(core, { seq, journalRecords, bytes, journalBytes });
  if (seq < journalRecords && bytes < journalBytes) return false;
  const bound =
    seq < journalRecords ? `${journalBytes} bytes` : `${journalRecords} records in its journal`;
  const message = `Run ${core.run} has ${bound}: nothing new is begun in it.`;
  const error = errorInfo(new TroupeError('TRP_RUN_TOO_LARGE', message, { place: id }));
  endTask(core, id, { outcome: 'failed', reason: 'run_too_large', error });
  closeExpansion(core, id);
  return true;
}

/** @throws TroupeError TRP_RUN_TOO_LARGE for more members than a task may be split into */
export function checkMembers({ services }: RunCore, task: string, count: number): void {
  const most = services.bounds?.members ?? defaultBounds.members;
  if (count <= most) return;
  const message = `Task ${task} would have ${count} members, and may have ${most}.`;
  throw new TroupeError('TRP_RUN_TOO_LARGE', message, { place: task });
}

function warnOnce(core: RunCore, size: object): void {
  if (core.warnedOfSize) return;
  core.warnedOfSize = true;
  core.services.logger.warn('a run comes near the bound of its journal', {
    run: core.run,
    ...size,
  });
}
