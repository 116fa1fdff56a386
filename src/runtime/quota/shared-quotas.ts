import type { Bus } from '../../bus/bus.ts';
import type { KeyBucket } from '../../bus/key-bucket.ts';
import type { Clock } from '../../core/clock.ts';
import type { Logger } from '../../core/log.ts';
import type { LocalGate } from '../provider-gates.ts';
import { SharedQuota } from './shared-quota.ts';

/** What the quotas of a process need. */
export interface SharedQuotasOptions {
  readonly bus: () => Bus;
  readonly process: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A record that nobody has written for so long is of no use to anybody. */
const keptMs = 3_600_000;

/** The quotas that a process shares with others on its bus: one record per provider and key. */
export class SharedQuotas {
  private readonly options: SharedQuotasOptions;
  private readonly quotas: SharedQuota[] = [];
  private bucket: Promise<KeyBucket> | undefined;

  constructor(options: SharedQuotasOptions) {
    this.options = options;
  }

  /** Shares the limits of a gate from now on. */
  take(local: LocalGate): void {
    const { process, clock, logger } = this.options;
    const isConnected = (): boolean => this.options.bus().state === 'connected';
    const bucket = (): Promise<KeyBucket> => this.open();
    this.quotas.push(new SharedQuota({ local, process, clock, logger, bucket, isConnected }));
  }

  /** Gives all slices back. */
  async close(): Promise<void> {
    await Promise.all(this.quotas.map((quota) => quota.close()));
  }

  private open(): Promise<KeyBucket> {
    this.bucket ??= this.options
      .bus()
      .keys('quota', { history: 1, ttlMs: keptMs })
      .catch((error: unknown) => {
        this.bucket = undefined;
        throw error;
      });
    return this.bucket;
  }
}
