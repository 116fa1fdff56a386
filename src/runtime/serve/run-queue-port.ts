import type { RunTakerPort } from '../../actors/run-taker.ts';
import type { Bus } from '../../bus/bus.ts';
import { isPassing } from '../../bus/fenced-append.ts';
import type { WorkItem } from '../../bus/work-queue.ts';
import { messageOf, TroupeError } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import type { JournalStore, OwnedRun } from '../../journal/journal.ts';
import type { RunStarted } from '../../journal/record.ts';
import { forgetSubmission, openRunQueue, submittedRun, submittedStart } from './submission.ts';

/** What submitted runs are begun with. */
export interface RunQueueOptions {
  readonly bus: Bus;
  readonly store: JournalStore;
  readonly logger: Logger;
  /** Whether another run may be here. */
  readonly hasRoom: () => boolean;
  /** Carries a run that this process owns; resolves when its start is durable. */
  readonly open: (owned: OwnedRun, start: RunStarted) => Promise<unknown>;
}

/** How long one look into the queue waits for a run, in milliseconds. */
const pullMs = 5_000;
/** After which a submission that could not be started here is tried again, in milliseconds. */
const againMs = 1_000;

/**
 * The queue of submitted runs of a bus, as a taker sees it.
 *
 * Invariants:
 * 1. A submission is acknowledged only when the start of its run is in the journal: whoever dies before leaves it in
 *    the queue.
 * 2. A submission whose run has begun already, by whomever, starts nothing.
 */
export class RunQueuePort implements RunTakerPort<WorkItem> {
  private readonly options: RunQueueOptions;

  constructor(options: RunQueueOptions) {
    this.options = options;
  }

  hasRoom(): boolean {
    return this.options.hasRoom();
  }

  async pull(signal: AbortSignal): Promise<WorkItem | undefined> {
    const { bus } = this.options;
    return this.told(async () => (await openRunQueue(bus)).pull({ waitMs: pullMs, signal }));
  }

  settle(item: WorkItem): Promise<void> {
    return this.told(() => this.begin(item));
  }

  private async told<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      const message = messageOf(error);
      if (!isPassing(error)) this.options.logger.warn('no submitted run was taken', { message });
      throw error;
    }
  }

  private async begin(item: WorkItem): Promise<void> {
    const { bus, logger } = this.options;
    let start: RunStarted;
    try {
      start = await submittedStart(bus, item.payload);
    } catch (error) {
      if (!hasCode(error, 'TRP_BUS_PAYLOAD')) throw error;
      return (await this.hasBegun(submittedRun(item.payload)))
        ? item.ack()
        : item.term(messageOf(error));
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
    await forgetSubmission(bus, item.payload);
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
    if (await this.hasBegun(start.run)) return;
    const owned = await store.adopt(start.run);
    if (owned.records.length > 0) await owned.release();
    else await open(owned, start);
  }

  private async hasBegun(run: string | undefined): Promise<boolean> {
    if (run === undefined) return false;
    try {
      return (await this.options.store.read(run)).length > 0;
    } catch (error) {
      if (hasCode(error, 'TRP_RUN_NOT_FOUND')) return false;
      throw error;
    }
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof TroupeError && error.code === code;
}
