import type { ErrorInfo } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import type { LeaseKeeper } from '../journal/journal.ts';
import type { LiveRun } from './live-run.ts';
import type { System } from './system.ts';

/** Has the lease of this process's runs kept, and tells when it is in doubt. */
export function holdLease(system: System, keeper: LeaseKeeper, logger: Logger): void {
  system.holdLease({
    keeper,
    onChange: (standing) => {
      if (standing === 'sure') return logger.info('the lease of this process is confirmed again');
      logger.warn('the lease of this process is in doubt: no new attempts start', {
        next: 'Look at the bus; runs go on when it answers, here or in the process that has taken them over.',
      });
    },
  });
}

/** Somebody else has the run: it is said, and nothing of it is shown from here any more. */
export function runLost(
  logger: Logger,
  { id, window }: LiveRun,
  { code, message }: ErrorInfo,
): void {
  if (code !== 'TRP_JOURNAL_FENCED') return;
  window.abandon();
  logger.warn('a run was taken over by another process', { run: id, code, message });
}
