import type { BlobStore } from '../../../bus/blob-store.ts';
import type { Bus } from '../../../bus/bus.ts';
import { TroupeError } from '../../../core/errors.ts';
import { isRunId } from '../../run-id.ts';
import { isJournalEntry } from './frame.ts';
import { endOf } from './run-end.ts';
import type { IndexedRun, RunIndex } from './run-index.ts';
import { readOn } from './run-log.ts';

/** What the repair of an index works with. */
export interface IndexRepairOptions {
  readonly bus: Bus;
  /** This process. */
  readonly node: string;
  readonly index: RunIndex;
  readonly blobs: () => Promise<BlobStore>;
  /** Whether this process owns the run. */
  readonly isOwned: (run: string) => boolean;
}

/**
 * Makes entries of the index again for runs whose journals are there and which it does not name: it was lost, or who
 * began a run died before telling it. Costs one request, and the reading of what is missing.
 */
export class IndexRepair {
  private readonly options: IndexRepairOptions;
  /** Logs of the same kind that are no journals: other things of runs that have their journals elsewhere. */
  private readonly others = new Set<string>();

  constructor(options: IndexRepairOptions) {
    this.options = options;
  }

  /** Runs that the index did not name; oldest first. They are in it from now on, where this process may write it. */
  async mend(known: readonly IndexedRun[]): Promise<readonly IndexedRun[]> {
    const { bus } = this.options;
    const named = new Set(known.map(({ run }) => run));
    const missing = (await bus.logs('jrn')).filter(
      (name) => !named.has(name) && !this.others.has(name) && isRunId(name),
    );
    const found: IndexedRun[] = [];
    for (const run of missing) {
      const indexed = await this.read(run);
      if (indexed) found.push(indexed);
    }
    return found.sort((a, b) => a.order - b.order);
  }

  private async read(run: string): Promise<IndexedRun | undefined> {
    const { bus, blobs, index } = this.options;
    const log = await bus.log('jrn', run);
    if (!(await isJournal(log))) {
      this.others.add(run);
      return undefined;
    }
    const indexed = await this.entryOf(run, () => readOn(log, blobs));
    if (indexed) await index.put(indexed).catch(ignoreDenied);
    return indexed;
  }

  private async entryOf(
    run: string,
    read: () => ReturnType<typeof readOn>,
  ): Promise<IndexedRun | undefined> {
    const { isOwned, node: self } = this.options;
    try {
      const { epoch, node, records, firstSeq: order } = await read();
      const entry = { run, node, epoch, order };
      const endedAt = endOf(records);
      if (endedAt !== undefined) return { ...entry, state: 'ended', endedAt };
      // Others are found alive or dead by their signs of life; of itself a process knows.
      const isLeft = node === self && !isOwned(run);
      return epoch === 0 ? undefined : { ...entry, state: isLeft ? 'released' : 'owned' };
    } catch (error) {
      // What cannot be read can be neither listed nor taken over.
      if (error instanceof TroupeError && error.code.startsWith('TRP_JOURNAL_')) return undefined;
      throw error;
    }
  }
}

async function isJournal(log: {
  read(): AsyncIterable<Parameters<typeof isJournalEntry>[0]>;
}): Promise<boolean> {
  for await (const entry of log.read()) return isJournalEntry(entry);
  return false;
}

/** Who may only look mends what he sees. */
function ignoreDenied(error: unknown): void {
  if (!(error instanceof TroupeError) || error.code !== 'TRP_BUS_DENIED') throw error;
}
