import { TroupeError } from '../../core/errors.ts';

/** Whether it may work when it is tried again. */
export function isAway(error: unknown): boolean {
  if (!(error instanceof TroupeError)) return false;
  const { code } = error;
  return code === 'TRP_BUS_DISCONNECTED' || code === 'TRP_BUS_TIMEOUT' || code === 'TRP_BUS_FULL';
}
