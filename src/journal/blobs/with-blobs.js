import { TroupeError, messageOf } from '../../core/errors.js';
import { isHeavy, lift } from './lift.js';
import { lower } from './lower.js';
/**
 * A store whose records hold no large values: they are kept by content, each once, and are back in their places when
 * records are read. Whoever uses the store sees nothing of it.
 * @param blobsOf where the values of a run are kept
 */
export function withBlobs(store, blobsOf) {
  return new BlobbedStore(store, blobsOf);
}
class BlobbedStore {
  level;
  node;
  orphans;
  delete;
  sweep;
  follow;
  lease;
  store;
  blobsOf;
  constructor(store, blobsOf) {
    this.store = store;
    this.level = store.level;
    this.node = store.node;
    this.blobsOf = blobsOf;
    if (store.orphans) this.orphans = store.orphans.bind(store);
    if (store.sweep) this.sweep = store.sweep.bind(store);
    if (store.lease) this.lease = store.lease;
    if (store.delete) this.delete = store.delete.bind(store);
    if (store.follow) this.follow = (run, take) => this.followed(run, take);
  }
  async create(run) {
    return new BlobbedRun(await this.store.create(run), this.blobsOf(run), []);
  }
  async adopt(run) {
    const owned = await this.store.adopt(run);
    const blobs = this.blobsOf(run);
    try {
      return new BlobbedRun(owned, blobs, await lower(owned.records, blobs));
    } catch (error) {
      await owned.release();
      throw error;
    }
  }
  async read(run) {
    return lower(await this.store.read(run), this.blobsOf(run));
  }
  list() {
    return this.store.list();
  }
  close() {
    return this.store.close();
  }
  /** Groups are handed over in order, each when its values are there. One whose values are lost ends the following. */
  async followed(run, take) {
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
    const stop = () => {
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
class BlobbedRun {
  run;
  epoch;
  records;
  checkpoint;
  keep;
  inDoubt;
  onLost;
  owned;
  blobs;
  underWay;
  lost;
  constructor(owned, blobs, records) {
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
  append(records, durable) {
    if (!this.underWay && !this.lost && !records.some(isHeavy))
      return this.owned.append(records, durable);
    const turn = (this.underWay ?? Promise.resolve()).then(() => this.inTurn(records, durable));
    this.underWay = turn;
    void turn.finally(() => {
      if (this.underWay === turn) this.underWay = undefined;
    });
  }
  async release() {
    await this.underWay;
    await this.owned.release();
  }
  /** Never rejects. */
  async inTurn(records, durable) {
    let stored = [];
    try {
      if (!this.lost) stored = await Promise.all(records.map((record) => this.stored(record)));
    } catch (error) {
      this.lost = errorOf(error, this.run);
    }
    const { lost } = this;
    // An append of nothing keeps the order of the answers.
    this.owned.append(lost ? [] : stored, lost ? () => durable(lost) : durable);
  }
  async stored(record) {
    if (!isHeavy(record)) return record;
    const { record: light, values } = lift(record);
    if (values.length === 0) return record;
    const blobs = [];
    for (const { at, content } of values) blobs.push({ at, ...(await this.blobs.put(content)) });
    const stored = { ...light, blobs };
    return stored;
  }
}
function errorOf(error, run) {
  if (error instanceof TroupeError) return error;
  return new TroupeError('TRP_JOURNAL_IO', messageOf(error), { place: run, cause: error });
}
