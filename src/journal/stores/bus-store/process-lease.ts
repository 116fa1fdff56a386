import type { Clock } from '../../../core/clock.ts';
import type { LeaseKeeper } from '../../journal.ts';
import { standing } from '../../lease.ts';
import type { LeaseTerms } from '../../lease.ts';
import type { BusOwnedRun } from './owned-run.ts';
import type { SignsOfLife } from './signs-of-life.ts';

/** What a process's lease is made from. */
export interface ProcessLeaseOptions {
  readonly clock: Clock;
  readonly terms: LeaseTerms;
  readonly signs: SignsOfLife;
  /** The runs that it holds, by id; it only reads them. */
  readonly owned: ReadonlyMap<string, BusOwnedRun>;
}

/**
 * One lease for all runs of a process: what is alive is the process.
 *
 * Invariants:
 * 1. `confirmedAt` is when the last renewal that was answered was sent, never later.
 * 2. Once in doubt it stays so until {@link verify} has looked at every run.
 */
export class ProcessLease implements LeaseKeeper {
  readonly terms: LeaseTerms;
  private readonly options: ProcessLeaseOptions;
  private confirmedAt: number | undefined;
  private doubted = false;
  private waiting: (() => void)[] = [];

  constructor(options: ProcessLeaseOptions) {
    this.options = options;
    this.terms = options.terms;
  }

  /** Others can see that this process is alive. */
  get holds(): boolean {
    return this.confirmedAt !== undefined;
  }

  /** Also notes a doubt that time has brought. */
  isDoubted(): boolean {
    this.doubted ||= this.standing() === 'doubt';
    return this.doubted;
  }

  /** The first sign of life. */
  begin(): Promise<void> {
    return this.confirm();
  }

  async renew(): Promise<void> {
    if (!this.holds) return;
    this.isDoubted();
    await this.confirm();
  }

  async verify(): Promise<void> {
    await Promise.all([...this.options.owned.values()].map((run) => run.verify()));
    if (this.standing() === 'doubt') return;
    this.doubted = false;
    for (const sure of this.waiting.splice(0)) sure();
  }

  /** True: `sure` is called when the lease was confirmed and every run looked at. */
  inDoubt(sure: () => void): boolean {
    if (!this.isDoubted()) return false;
    this.waiting.push(sure);
    return true;
  }

  private standing(): 'sure' | 'doubt' {
    const { confirmedAt, options } = this;
    if (confirmedAt === undefined) return 'sure';
    return standing(this.terms, options.clock.monotonic() - confirmedAt);
  }

  private async confirm(): Promise<void> {
    const sentAt = this.options.clock.monotonic();
    await this.options.signs.renew();
    this.confirmedAt = Math.max(this.confirmedAt ?? 0, sentAt);
  }
}
