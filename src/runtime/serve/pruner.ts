import type { PatrolPort } from '../../actors/patrol.ts';
import type { Clock } from '../../core/clock.ts';
import { messageOf, TroupeError } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import type { Random } from '../../core/random.ts';
import type { JournalStore } from '../../journal/journal.ts';

/** What a pruner is made from. */
export interface PrunerOptions {
  readonly store: JournalStore;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: Random;
  /** Runs that ended longer ago are removed, in milliseconds. */
  readonly retainMs: number;
  /** Removes one run and all that is kept of it. */
  readonly remove: (run: string) => Promise<void>;
}

/** Between two looks at most, in milliseconds. */
const longestRestMs = 10 * 60_000;
/** And at least. */
const shortestRestMs = 1_000;

/** What a patrol does to remove runs whose time is over. Several processes may do it: a run is removed once. */
export class Pruner implements PatrolPort {
  private readonly options: PrunerOptions;

  constructor(options: PrunerOptions) {
    this.options = options;
  }

  hasRoom(): boolean {
    return true;
  }

  restMs(): number {
    const { random, retainMs } = this.options;
    const restMs = Math.min(longestRestMs, Math.max(shortestRestMs, retainMs / 10));
    return restMs * (0.5 + random() / 2);
  }

  async find(): Promise<readonly string[]> {
    const { clock, logger, retainMs, store } = this.options;
    try {
      const ended = (await store.ended?.()) ?? [];
      return ended.flatMap(({ endedAt, run }) => (endedAt + retainMs <= clock.now() ? run : []));
    } catch (error) {
      logger.debug('no look for runs whose time is over', { message: messageOf(error) });
      return [];
    }
  }

  async handle(run: string): Promise<void> {
    const { logger, remove } = this.options;
    try {
      await remove(run);
      logger.info('removed a run whose time was over', { run });
    } catch (error) {
      const isOthers =
        error instanceof TroupeError && /^TRP_RUN_(?:NOT_FOUND|OWNED)$/.test(error.code);
      if (!isOthers) logger.warn('a run could not be removed', { run, message: messageOf(error) });
    }
  }
}
