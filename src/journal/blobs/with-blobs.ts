import { TroupeError, messageOf } from '../../core/errors.ts';
import type { Checkpoint } from '../checkpoint.ts';
import type {
  DurabilityLevel,
  JournalFollowing,
  JournalStore,
  OwnedRun,
  StoredRun,
} from '../journal.ts';
import type { JournalRecord } from '../record.ts';
import type { BlobPort } from './blob-port.ts';
import { isHeavy, lift } from './lift.ts';
import type { BlobAt, StoredRecord } from './lift.ts';
import { lower } from './lower.ts';

/**
 * A store whose records hold no large values: they are kept by content, each once, and are back in their places when
 * records are read. Whoever uses the store sees nothing of it.
 * @param blobsOf where the values of a run are kept
 */
export function withBlobs(store: JournalStore, blobsOf: (run: string) => BlobPort): JournalStore {
  return new BlobbedStore(store, blobsOf);
}

class BlobbedStore implements JournalStore {
  readonly level: DurabilityLevel;
  readonly node: string;
  readonly endedAs?: NonNullable<JournalStore['endedAs']>;
  readonly orphans?: NonNullable<JournalStore['orphans']>;
  readonly ended?: NonNullable<JournalStore['ended']>;
  readonly bulkReader?: NonNullable<JournalStore['bulkReader']>;
  readonly delete?: NonNullable<JournalStore['delete']>;
  readonly sweep?: NonNullable<JournalStore['sweep']>;
  readonly follow?: NonNullable<JournalStore['follow']>;
  readonly lease?: NonNullable<JournalStore['lease']>;
  private readonly store: JournalStore;
  private readonly blobsOf: (run: string) => BlobPort;

  constructor(store: JournalStore, blobsOf: (run: string) => BlobPort) {
    this.store = store;
    this.level = store.level;
    this.node = store.node;
    this.blobsOf = blobsOf;
    if (store.endedAs) this.endedAs = store.endedAs.bind(store);
    if (store.orphans) this.orphans = store.orphans.bind(store);
    if (store.ended) this.ended = store.ended.bind(store);
    if (store.sweep) this.sweep = store.sweep.bind(store);
    if (store.lease) this.lease = store.lease;
    if (store.delete) this.delete = store.delete.bind(store);
    const bulkReader = store.bulkReader?.bind(store);
    if (bulkReader) this.bulkReader = () => this.bulk(bulkReader);
    if (store.follow) this.follow = (run, take) => this.followed(run, take);
  }

  async create(run: string): Promise<OwnedRun> {
    return new BlobbedRun(await this.store.create(run), this.blobsOf(run), []);
  }

  async adopt(run: string): Promise<OwnedRun> {
    const owned = await this.store.adopt(run);
    const blobs = this.blobsOf(run);
    try {
      return new BlobbedRun(owned, blobs, await lower(owned.records, blobs));
    } catch (error) {
      await owned.release();
      throw error;
    }
  }

  async read(run: string): Promise<readonly JournalRecord[]> {
    return lower(await this.store.read(run), this.blobsOf(run));
  }

  list(): Promise<readonly StoredRun[]> {
    return this.store.list();
  }

  close(): Promise<void> {
    return this.store.close();
  }

  private async bulk(
    bulkReader: NonNullable<JournalStore['bulkReader']>,
  ): Promise<JournalStore['read']> {
    const read = await bulkReader();
    return async (run) => lower(await read(run), this.blobsOf(run));
  }

  /** Groups are handed over in order, each when its values are there. One whose values are lost ends the following. */
  private async followed(
    run: string,
    take: (records: readonly JournalRecord[]) => void,
  ): Promise<JournalFollowing> {
    const blobs = this.blobsOf(run);
    let last = Promise.resolve();
    let isOver = false;
    const following = await this.store.follow?.(run, (records) => {
      last = last.then(async () => {
        const whole = await lower(records, blobs);
        if (!isOver) take(whole);
      });
      last.catch(() => stop());
    });
    const stop = (): void => {
      isOver = true;
      following?.stop();
    };
    return { stop };
  }
}

/**
 * Invariant: a record is appended after the blobs that it names are stored, and after the records before it. While
 * nothing large is under way, appends go straight through.
 */
class BlobbedRun implements OwnedRun {
  readonly run: string;
  readonly epoch: number;
  readonly records: readonly JournalRecord[];
  readonly checkpoint: Checkpoint | undefined;
  readonly keep?: NonNullable<OwnedRun['keep']>;
  readonly inDoubt?: NonNullable<OwnedRun['inDoubt']>;
  readonly onLost?: NonNullable<OwnedRun['onLost']>;
  private readonly owned: OwnedRun;
  private readonly blobs: BlobPort;
  private underWay: Promise<void> | undefined;
  private lost: TroupeError | undefined;

  constructor(owned: OwnedRun, blobs: BlobPort, records: readonly JournalRecord[]) {
    this.owned = owned;
    this.blobs = blobs;
    this.run = owned.run;
    this.epoch = owned.epoch;
    this.records = records;
    this.checkpoint = owned.checkpoint;
    if (owned.keep) this.keep = owned.keep.bind(owned);
    if (owned.inDoubt) this.inDoubt = owned.inDoubt.bind(owned);
    if (owned.onLost) this.onLost = owned.onLost.bind(owned);
  }

  append(records: readonly JournalRecord[], durable: (error?: TroupeError) => void): void {
    if (!this.underWay && !this.lost && !records.some(isHeavy))
      return this.owned.append(records, durable);
    const turn = (this.underWay ?? Promise.resolve()).then(() => this.inTurn(records, durable));
    this.underWay = turn;
    void turn.finally(() => {
      if (this.underWay === turn) this.underWay = undefined;
    });
  }

  async release(): Promise<void> {
    await this.underWay;
    await this.owned.release();
  }

  /** Never rejects. */
  private async inTurn(
    records: readonly JournalRecord[],
    durable: (error?: TroupeError) => void,
  ): Promise<void> {
    let stored: readonly JournalRecord[] = [];
    try {
      if (!this.lost) stored = await Promise.all(records.map((record) => this.stored(record)));
    } catch (error) {
      this.lost = errorOf(error, this.run);
    }
    const { lost } = this;
    // An append of nothing keeps the order of the answers.
    this.owned.append(lost ? [] : stored, lost ? () => durable(lost) : durable);
  }

  private async stored(record: JournalRecord): Promise<JournalRecord> {
    if (!isHeavy(record)) return record;
    const { record: light, values } = lift(record);
    if (values.length === 0) return record;
    const blobs: BlobAt[] = [];
    for (const { at, content } of values) blobs.push({ at, ...(await this.blobs.put(content)) });
    const stored: StoredRecord = { ...light, blobs };
    return stored;
  }
}

function errorOf(error: unknown, run: string): TroupeError {
  if (error instanceof TroupeError) return error;
  return new TroupeError('TRP_JOURNAL_IO', messageOf(error), { place: run, cause: error });
}
