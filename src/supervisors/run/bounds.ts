import { TroupeError, errorInfo } from '../../core/errors.ts';
import { closeExpansion } from './close-member.ts';
import type { RunCore } from './core.ts';
import { endTask } from './task-end.ts';

/** How large one run may grow in this process. */
export interface RunBounds {
  /** Records of its journal; then nothing new is begun. Default 5,000,000. */
  readonly journalRecords?: number | undefined;
  /** Bytes of its records as JSON, measured only where this is set; then nothing new is begun. Default: no bound. */
  readonly journalBytes?: number | undefined;
  /** Members that one task may be split into; more fail the task. Default 1,000,000. */
  readonly members?: number | undefined;
  /** Changes to its memory that others propose and that wait for an answer; more are refused. Default 10,000. */
  readonly proposals?: number | undefined;
}

/** The bounds of a run that nobody has said anything of. */
export const defaultBounds = {
  journalRecords: 5_000_000,
  journalBytes: Infinity,
  members: 1_000_000,
  proposals: 10_000,
} as const;

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
