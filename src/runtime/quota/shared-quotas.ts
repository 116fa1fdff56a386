import type { Bus } from '../../bus/bus.ts';
import type { KeyBucket } from '../../bus/key-bucket.ts';
import type { TroupeConfig } from '../options.ts';
import type { LocalGate } from '../provider-gates.ts';
import { SharedQuota } from './shared-quota.ts';

/** What the quotas of a process need. */
type Config = Pick<TroupeConfig, 'bus' | 'clock' | 'ids' | 'logger'>;

/** A record that nobody has written for so long is of no use to anybody. */
const keptMs = 3_600_000;

/** The quotas that a process shares with others on its bus: one record per provider and key. */
export class SharedQuotas {
  private readonly config: Config;
  private readonly bus: () => Bus;
  private readonly process: string;
  private readonly quotas: SharedQuota[] = [];
  private bucket: Promise<KeyBucket> | undefined;

  constructor(config: Config, bus: () => Bus) {
    this.config = config;
    this.bus = bus;
    this.process = config.ids.node();
  }

  /** Shares the limits of a gate from now on; a process with a bus of its own has nobody to share with. */
  take(local: LocalGate): void {
    const { process } = this;
    const { bus: choice = 'embedded', clock, logger } = this.config;
    if (choice === 'embedded') return;
    const isConnected = (): boolean => this.bus().state === 'connected';
    const bucket = (): Promise<KeyBucket> => this.open();
    this.quotas.push(new SharedQuota({ local, process, clock, logger, bucket, isConnected }));
  }

  /** Gives all slices back. */
  async close(): Promise<void> {
    await Promise.all(this.quotas.map((quota) => quota.close()));
  }

  private open(): Promise<KeyBucket> {
    this.bucket ??= this.bus()
      .keys('quota', { history: 1, ttlMs: keptMs })
      .catch((error: unknown) => {
        this.bucket = undefined;
        throw error;
      });
    return this.bucket;
  }
}
