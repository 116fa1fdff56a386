import type { Logger } from '../core/log.ts';
import type { LeaseKeeper } from '../journal/journal.ts';
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
