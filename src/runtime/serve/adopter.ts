import { pause } from '../../bus/fenced-append.ts';
import type { Patience } from '../../bus/fenced-append.ts';
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
  /** Runs that may be here at one time, and how many there are. */
  readonly maxRuns: number;
  readonly live: () => number;
  /**
   * Takes a run over and carries it on; resolves when it goes on here, or when nothing of it is left to do. Rejects
   * with TRP_RUN_OWNED when somebody else has it.
   */
  readonly adopt: (run: string) => Promise<'adopted' | 'over'>;
}

/** How long a run that could not be taken over is left alone, in milliseconds. */
const restMs = 60_000;

/**
 * Takes over runs that nobody carries, one after the other: looking, waiting, and stopped for good.
 *
 * Invariant: a run that it takes over was without an owner when it looked; when two look at the same time, the journal
 * lets one of them have it.
 */
export class Adopter {
  private readonly options: AdopterOptions;
  private readonly ending = new AbortController();
  private readonly looking: Promise<void>;
  /** When to try again, by the monotonic clock; never, for runs of which nothing is left to do. */
  private readonly resting = new Map<string, number>();

  /** Begins to look. */
  constructor(options: AdopterOptions) {
    this.options = options;
    this.looking = this.look();
  }

  /** Resolves when no run is taken over any more. */
  async stop(): Promise<void> {
    this.ending.abort();
    await this.looking;
  }

  private async look(): Promise<void> {
    const { clock, logger, random, store } = this.options;
    const patience: Patience = { clock, signal: this.ending.signal };
    const { renewMs } = store.lease?.terms ?? defaultLeaseTerms;
    while (!this.ending.signal.aborted) {
      try {
        await this.adoptAll();
      } catch (error) {
        logger.debug('no look for runs without an owner', { message: messageOf(error) });
      }
      // Not all at the same time, so that several share what a dead one has left.
      await pause(patience, renewMs * (0.5 + random() / 2));
    }
  }

  private async adoptAll(): Promise<void> {
    const { live, maxRuns } = this.options;
    for (const run of await this.orphans()) {
      if (this.ending.signal.aborted || live() >= maxRuns) return;
      await this.adoptOne(run);
    }
  }

  private async orphans(): Promise<readonly string[]> {
    const { clock, store } = this.options;
    const now = clock.monotonic();
    const found = store.orphans
      ? await store.orphans()
      : (await store.list()).flatMap(({ owner, run }) => (owner === undefined ? run : []));
    return found.filter((run) => (this.resting.get(run) ?? 0) <= now);
  }

  private async adoptOne(run: string): Promise<void> {
    const { adopt, clock, logger } = this.options;
    try {
      if ((await adopt(run)) === 'over') this.resting.set(run, Infinity);
      else logger.info('took a run over that nobody carried', { run });
    } catch (error) {
      if (error instanceof TroupeError && error.code === 'TRP_RUN_OWNED') return;
      this.resting.set(run, clock.monotonic() + restMs);
      logger.warn('a run without an owner could not be taken over', {
        run,
        message: messageOf(error),
      });
    }
  }
}
