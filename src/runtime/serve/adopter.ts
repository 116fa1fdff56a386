import type { PatrolPort } from '../../actors/patrol.ts';
import type { Clock } from '../../core/clock.ts';
import { messageOf, TroupeError } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import type { Random } from '../../core/random.ts';
import type { JournalStore } from '../../journal/journal.ts';
import { defaultLeaseTerms } from '../../journal/lease.ts';

/** What an adopter is made from. */
export interface AdopterOptions {
  readonly store: JournalStore;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: Random;
  /** Whether another run may be here. */
  readonly hasRoom: () => boolean;
  /**
   * Takes a run over and carries it on; resolves when it goes on here, or when nothing of it is left to do. Rejects
   * with TRP_RUN_OWNED when somebody else has it.
   */
  readonly adopt: (run: string) => Promise<'adopted' | 'over'>;
}

/** How long a run that could not be taken over is left alone, in milliseconds. */
const aloneMs = 60_000;

/**
 * What a patrol does to take over runs that nobody carries.
 *
 * Invariant: a run that it takes over was without an owner when it looked; when two look at the same time, the journal
 * lets one of them have it.
 */
export class Adopter implements PatrolPort {
  private readonly options: AdopterOptions;
  /** When to try again, by the monotonic clock; never, for runs of which nothing is left to do. */
  private readonly resting = new Map<string, number>();

  constructor(options: AdopterOptions) {
    this.options = options;
  }

  hasRoom(): boolean {
    return this.options.hasRoom();
  }

  /** Not all processes at the same time, so that several share what a dead one has left. */
  restMs(): number {
    const { random, store } = this.options;
    const { renewMs } = store.lease?.terms ?? defaultLeaseTerms;
    return renewMs * (0.5 + random() / 2);
  }

  async find(): Promise<readonly string[]> {
    const { clock, logger } = this.options;
    try {
      const now = clock.monotonic();
      return (await this.orphans()).filter((run) => (this.resting.get(run) ?? 0) <= now);
    } catch (error) {
      logger.debug('no look for runs without an owner', { message: messageOf(error) });
      return [];
    }
  }

  async handle(run: string): Promise<void> {
    const { adopt, clock, logger } = this.options;
    try {
      if ((await adopt(run)) === 'over') this.resting.set(run, Infinity);
      else logger.info('took a run over that nobody carried', { run });
    } catch (error) {
      if (error instanceof TroupeError && error.code === 'TRP_RUN_OWNED') return;
      this.resting.set(run, clock.monotonic() + aloneMs);
      const fields = { run, message: messageOf(error) };
      logger.warn('a run without an owner could not be taken over', fields);
    }
  }

  private async orphans(): Promise<readonly string[]> {
    const { store } = this.options;
    if (store.orphans) return store.orphans();
    return (await store.list()).flatMap(({ owner, run }) => (owner === undefined ? run : []));
  }
}
