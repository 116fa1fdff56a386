import type { BlobStore } from '../../../bus/blob-store.ts';
import type { Bus } from '../../../bus/bus.ts';
import type { EventLog } from '../../../bus/event-log.ts';
import { appendSurely } from '../../../bus/fenced-append.ts';
import type { Clock } from '../../../core/clock.ts';
import { TroupeError } from '../../../core/errors.ts';
import type {
  DurabilityLevel,
  EndedRun,
  JournalFollowing,
  JournalStore,
  OwnedRun,
  StoredRun,
} from '../../journal.ts';
import { defaultLeaseTerms } from '../../lease.ts';
import type { LeaseTerms } from '../../lease.ts';
import type { JournalRecord } from '../../record.ts';
import { isRunId } from '../../run-id.ts';
import { framePayload } from './frame.ts';
import { followRun } from './follow.ts';
import { IndexRepair } from './index-repair.ts';
import { OrphanWatch } from './orphan-watch.ts';
import { BusOwnedRun } from './owned-run.ts';
import { ProcessLease } from './process-lease.ts';
import { endOf } from './run-end.ts';
import { RunIndex } from './run-index.ts';
import type { IndexedRun } from './run-index.ts';
import { blobsOf, nothingRead, readOn } from './run-log.ts';
import type { RunPast } from './run-log.ts';
import { SignsOfLife } from './signs-of-life.ts';

/** How a store on a bus is opened. */
export interface BusStoreOptions {
  readonly bus: Bus;
  /** This process's name: unlike any other's, also unlike its own after a restart. */
  readonly node: string;
  readonly clock: Clock;
  /**
   * What the bus's server promises. Default `process`; `power` is the operator's word that it was set up with
   * `sync_interval: always`, which cannot be seen from here.
   */
  readonly level?: DurabilityLevel;
  /** Collects the appends of one turn; the runtime gives `setImmediate`. Default: the end of the microtask. */
  readonly schedule?: (fn: () => void) => void;
  readonly terms?: LeaseTerms;
}

/** How long beginning to own a run, or giving it up, goes on trying without an answer, in milliseconds. */
const patienceMs = 15_000;

/** Between two repairs of the index by a process that looks for runs without an owner, in milliseconds. */
const repairMs = 10 * 60_000;

/** How often a takeover reads on when the last owner is still writing. */
const takeTries = 5;

/** Opens the journals of a namespace of a bus: the log `jrn` of each run. Nothing is written before a run is owned. */
export function openBusStore(options: BusStoreOptions): JournalStore {
  return new BusStore(options);
}

/**
 * Journals on a bus.
 *
 * Invariants:
 * 1. Who owns a run is decided by its log alone: the last frame's epoch. Index and signs of life are hints that can be
 *    lost and made again.
 * 2. A takeover reads the whole log, then appends its epoch directly behind what it has read: nobody else's frame can
 *    come between or after.
 * 3. `owned` holds the newest handle of each run of this process that is neither released nor lost.
 */
class BusStore implements JournalStore {
  readonly level: DurabilityLevel;
  readonly node: string;
  readonly lease: ProcessLease;
  private readonly options: BusStoreOptions;
  private readonly index: RunIndex;
  private readonly signs: SignsOfLife;
  private readonly orphanWatch: OrphanWatch;
  private readonly repair: IndexRepair;
  private readonly owned = new Map<string, BusOwnedRun>();
  private readonly finishing = new AbortController();
  private openedBlobs: Promise<BlobStore> | undefined;
  private closing: Promise<void> | undefined;
  /** When the index is mended next, by the monotonic clock. */
  private repairAt = -Infinity;
  /** Each beginning of an ownership is an operation of its own. */
  private takes = 0;

  constructor(options: BusStoreOptions) {
    const { bus, node, clock, level = 'process', terms = defaultLeaseTerms } = options;
    this.options = options;
    this.level = level;
    this.node = node;
    this.index = new RunIndex(bus);
    this.signs = new SignsOfLife({ bus, node, clock, terms });
    this.lease = new ProcessLease({ clock, terms, signs: this.signs, owned: this.owned });
    this.orphanWatch = new OrphanWatch({ node, index: this.index, signs: this.signs });
    this.repair = new IndexRepair({
      bus,
      node,
      index: this.index,
      blobs: () => this.blobs(),
      isOwned: (run) => this.owned.has(run),
    });
  }

  async create(run: string): Promise<OwnedRun> {
    if (!isRunId(run)) throw badId(run);
    this.assertOpen();
    const log = await this.log(run);
    try {
      return await this.begin(log, nothingRead);
    } catch (error) {
      if (isCode(error, 'TRP_JOURNAL_FENCED'))
        throw ownedError(run, 'There is a run of that id already.', error);
      throw error;
    }
  }

  async adopt(run: string): Promise<OwnedRun> {
    this.assertOpen();
    const known = await this.past(run);
    const own = this.owned.get(run);
    if (own) await own.fence();
    else await this.assertOwnerless(run, known);
    const log = await this.log(run);
    let past = known;
    for (let tries = 1; ; tries++) {
      past = await readOn(log, () => this.blobs(), past);
      if (past.epoch > known.epoch) throw ownedError(run, `Node ${past.node} was faster.`);
      try {
        return await this.begin(log, past);
      } catch (error) {
        if (!isCode(error, 'TRP_JOURNAL_FENCED')) throw error;
        if (tries === takeTries) throw ownedError(run, 'Its owner goes on writing.', error);
      }
    }
  }

  async read(run: string): Promise<readonly JournalRecord[]> {
    return (await this.past(run)).records;
  }

  async list(): Promise<readonly StoredRun[]> {
    const runs = await this.indexed();
    const nodes = new Set(runs.filter(({ state }) => state === 'owned').map(({ node }) => node));
    const alive = new Map<string, boolean>();
    await Promise.all(
      [...nodes].map(async (node) => alive.set(node, await this.signs.answers(node))),
    );
    return runs.map(({ run, node, state }) => ({
      run,
      owner: state === 'owned' && alive.get(node) === true ? node : undefined,
    }));
  }

  /** The index is mended first, when this process looks for the first time and then from time to time. */
  async orphans(): Promise<readonly string[]> {
    const now = this.options.clock.monotonic();
    if (now >= this.repairAt) {
      await this.indexed();
      this.repairAt = now + repairMs;
    }
    return this.orphanWatch.orphans();
  }

  async ended(): Promise<readonly EndedRun[]> {
    const found: EndedRun[] = [];
    for (const { run, state, endedAt } of await this.indexed()) {
      if (state !== 'ended') continue;
      const at = endedAt ?? endOf((await this.past(run)).records);
      if (at !== undefined) found.push({ run, endedAt: at });
    }
    return found.sort((a, b) => a.endedAt - b.endedAt);
  }

  async follow(
    run: string,
    take: (records: readonly JournalRecord[]) => void,
  ): Promise<JournalFollowing> {
    await this.past(run);
    return followRun(await this.log(run), () => this.blobs(), take);
  }

  async delete(run: string): Promise<void> {
    const indexed = isRunId(run) ? await this.index.get(run) : undefined;
    if (!indexed) await this.past(run);
    if (indexed?.state === 'owned' && (await this.signs.answers(indexed.node)))
      throw ownedError(run, `Node ${indexed.node} owns it.`);
    const log = await this.log(run);
    // The journal goes after what only it names, the index last: a removal that was cut short can be done again.
    const hashes = await blobsOf(log, () => this.blobs());
    const blobs = await this.blobs();
    for (const hash of hashes) await blobs.delete(hash);
    await log.purge();
    await this.index.remove(run);
  }

  close(): Promise<void> {
    this.closing ??= this.finish();
    return this.closing;
  }

  /** All runs, oldest first, whatever the index has lost. */
  private async indexed(): Promise<readonly IndexedRun[]> {
    const known = await this.index.all();
    const mended = await this.repair.mend(known);
    return mended.length === 0 ? known : [...known, ...mended].sort((a, b) => a.order - b.order);
  }

  private async finish(): Promise<void> {
    const { clock } = this.options;
    const limit = clock.setTimeout(() => this.finishing.abort(), patienceMs);
    await Promise.allSettled([...this.owned.values()].map((run) => run.release()));
    this.orphanWatch.stop();
    this.signs.stopWatching();
    await this.signs.end().catch(() => undefined);
    clock.clearTimeout(limit);
    this.finishing.abort();
  }

  private async begin(log: EventLog, past: RunPast): Promise<BusOwnedRun> {
    const { node } = this;
    const epoch = past.epoch + 1;
    // Before the run is ours: who sees the new epoch must find somebody alive behind it.
    if (!this.lease.holds) await this.lease.begin();
    const logSeq = await appendSurely(log, this.patience(), {
      payload: framePayload({ epoch, node, chunks: [] }),
      expectedSeq: past.logSeq,
      op: `${node}:take:${++this.takes}`,
      epoch,
    });
    const order = past.firstSeq || logSeq;
    const owned = this.ownedRun(log, { ...past, epoch, logSeq }, order);
    this.owned.set(log.name, owned);
    // The log has made the run ours; what the index misses is found there.
    await this.index
      .put({ run: log.name, node, epoch, state: 'owned', order })
      .catch(() => (this.repairAt = -Infinity));
    return owned;
  }

  private ownedRun(log: EventLog, past: RunPast, order: number): BusOwnedRun {
    const { clock, schedule = queueMicrotask } = this.options;
    const { node } = this;
    return new BusOwnedRun({
      ...past,
      log,
      node,
      blobs: () => this.blobs(),
      patience: { clock, signal: this.finishing.signal },
      schedule,
      inDoubt: (sure) => this.lease.inDoubt(sure),
      onRelease: (owned) => this.released(owned, order),
      onLost: (owned) => this.forget(owned),
    });
  }

  private async released(owned: BusOwnedRun, order: number): Promise<void> {
    const { run, epoch, endedAt } = owned;
    if (!this.forget(owned)) return;
    const state: IndexedRun['state'] = endedAt === undefined ? 'released' : 'ended';
    await this.index.put({ run, node: this.node, epoch, state, order, endedAt });
  }

  /** False: a newer handle of this process owns the run, or none does. */
  private forget(owned: BusOwnedRun): boolean {
    if (this.owned.get(owned.run) !== owned) return false;
    return this.owned.delete(owned.run);
  }

  /** What the index says counts only if it is as new as the log: the log's last owner may not have told it yet. */
  private async assertOwnerless(run: string, { epoch, node }: RunPast): Promise<void> {
    if (node === this.node) return;
    const indexed = await this.index.get(run);
    if (indexed && indexed.epoch >= epoch && indexed.state !== 'owned') return;
    if (!(await this.signs.diesOut(node))) throw ownedError(run, `Node ${node} owns it.`);
  }

  private async past(run: string): Promise<RunPast> {
    const past = isRunId(run) ? await readOn(await this.log(run), () => this.blobs()) : nothingRead;
    if (past.epoch > 0) return past;
    throw new TroupeError('TRP_RUN_NOT_FOUND', `There is no run ${JSON.stringify(run)}.`);
  }

  private log(run: string): Promise<EventLog> {
    return this.options.bus.log('jrn', run);
  }

  private blobs(): Promise<BlobStore> {
    this.openedBlobs ??= this.options.bus.blobs('journal');
    this.openedBlobs.catch(() => (this.openedBlobs = undefined));
    return this.openedBlobs;
  }

  /** For what somebody waits for, and which can be asked for again. */
  private patience(): { readonly clock: Clock; readonly signal: AbortSignal } {
    const { clock } = this.options;
    const limit = new AbortController();
    clock.setTimeout(() => limit.abort(), patienceMs);
    return { clock, signal: limit.signal };
  }

  private assertOpen(): void {
    if (this.closing) throw new TroupeError('TRP_CLOSED', 'The journal store is closed.');
  }
}

function badId(run: string): TroupeError {
  return new TroupeError(
    'TRP_OPTION_INVALID',
    `${JSON.stringify(run)} cannot be the id of a run.`,
    { hint: 'Letters, digits, - and _, at most 128, beginning with a letter or digit.' },
  );
}

function ownedError(run: string, message: string, cause?: unknown): TroupeError {
  return new TroupeError('TRP_RUN_OWNED', `Run ${run} cannot be taken. ${message}`, {
    place: run,
    ...(cause === undefined ? {} : { cause }),
  });
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof TroupeError && error.code === code;
}
