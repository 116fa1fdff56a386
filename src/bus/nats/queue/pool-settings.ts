import { TroupeError } from '../../../core/errors.ts';
import type { WorkQueueOptions } from '../../work-queue.ts';

/** What a pool's queue was made with. */
export type PoolSettings = Required<WorkQueueOptions>;

const defaults: PoolSettings = {
  ackWaitMs: 30_000,
  maxDeliveries: 5,
  dedupeWindowMs: 120_000,
  maxInFlight: 1_000,
  maxWaiting: 100_000,
};

/**
 * The options of a queue with their defaults.
 * @throws TroupeError TRP_OPTION_INVALID
 */
export function poolSettings(options: WorkQueueOptions = {}): PoolSettings {
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || (Number.isSafeInteger(value) && value > 0)) continue;
    const message = `${name} is ${String(value)}; it must be a whole number above 0.`;
    throw new TroupeError('TRP_OPTION_INVALID', message, { place: name });
  }
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return { ...defaults, ...(Object.fromEntries(given) as WorkQueueOptions) };
}
