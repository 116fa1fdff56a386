import type { Bus } from '../../bus/bus.ts';
import { isPassing, pause } from '../../bus/fenced-append.ts';
import type { Patience } from '../../bus/fenced-append.ts';
import type { WorkItem } from '../../bus/work-queue.ts';
import type { Clock } from '../../core/clock.ts';
import { messageOf, TroupeError } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import type { JournalStore, OwnedRun } from '../../journal/journal.ts';
import type { RunStarted } from '../../journal/record.ts';
import { openRunQueue, submittedStart } from './submission.ts';

/** What a taker is made from. */
export interface RunTakerOptions {
  readonly bus: Bus;
  readonly store: JournalStore;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Runs that may be here at one time. */
  readonly maxRuns: number;
  /** Runs that are here now. */
  readonly live: () => number;
  /** Carries a run that this process owns; resolves when its start is durable. */
  readonly open: (owned: OwnedRun, start: RunStarted) => Promise<unknown>;
}

/** How long one look into the queue waits for a run, in milliseconds. */
const pullMs = 5_000;
/** Between looks while there is no room, or no bus, in milliseconds. */
const pauseMs = 200;
/** After which a submission that could not be started here is tried again, in milliseconds. */
const againMs = 1_000;

/**
 * Takes submitted runs from the queue of a bus, one after the other, while there is room: looking, starting, and
 * stopped for good.
 *
 * Invariants:
 * 1. A submission is acknowledged only when the start of its run is in the journal: whoever dies before leaves it in
 *    the queue.
 * 2. A submission whose run has begun already, by whomever, starts nothing.
 */
export class RunTaker {
  private readonly options: RunTakerOptions;
  private readonly ending = new AbortController();
  private readonly taking: Promise<void>;

  /** Begins to take. */
  constructor(options: RunTakerOptions) {
    this.options = options;
    this.taking = this.take();
  }

  /** Resolves when nothing is taken any more; a submission in hand is started first. */
  async stop(): Promise<void> {
    this.ending.abort();
    await this.taking;
  }

  private get patience(): Patience {
    return { clock: this.options.clock, signal: this.ending.signal };
  }

  private async take(): Promise<void> {
    const { live, maxRuns, logger } = this.options;
    while (!this.ending.signal.aborted) {
      try {
        if (live() >= maxRuns) await pause(this.patience, pauseMs);
        else await this.takeOne();
      } catch (error) {
        if (!isPassing(error))
          logger.warn('no submitted run was taken', { message: messageOf(error) });
        await pause(this.patience, pauseMs);
      }
    }
  }

  private async takeOne(): Promise<void> {
    const queue = await openRunQueue(this.options.bus);
    const item = await queue.pull({ waitMs: pullMs, signal: this.ending.signal });
    if (item) await this.settle(item);
  }

  private async settle(item: WorkItem): Promise<void> {
    const { bus, logger } = this.options;
    let start: RunStarted;
    try {
      start = await submittedStart(bus, item.payload);
    } catch (error) {
      if (!hasCode(error, 'TRP_BUS_PAYLOAD')) throw error;
      return item.term(messageOf(error));
    }
    try {
      await this.start(start);
    } catch (error) {
      const fields = { run: start.run, message: messageOf(error) };
      if (!hasCode(error, 'TRP_RUN_OWNED'))
        logger.warn('a submitted run could not be started', fields);
      return item.nak(againMs);
    }
    await item.ack();
  }

  /** Resolves when the run has begun, here or anywhere; rejects with TRP_RUN_OWNED while somebody is about to begin it. */
  private async start(start: RunStarted): Promise<void> {
    const { open, store } = this.options;
    try {
      await open(await store.create(start.run), start);
    } catch (error) {
      if (!hasCode(error, 'TRP_RUN_OWNED')) throw error;
      await this.startAgain(start);
    }
  }

  /** There is a run of that id: it has begun, or whoever took it died before it could begin. */
  private async startAgain(start: RunStarted): Promise<void> {
    const { open, store } = this.options;
    if ((await store.read(start.run)).length > 0) return;
    const owned = await store.adopt(start.run);
    if (owned.records.length > 0) await owned.release();
    else await open(owned, start);
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof TroupeError && error.code === code;
}
