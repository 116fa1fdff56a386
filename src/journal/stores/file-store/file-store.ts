import { TroupeError } from '../../../core/errors.ts';
import { randomIds } from '../../../core/ids.ts';
import type { RunOutcome } from '../../../core/outcome.ts';
import { outcomeIn } from '../../run-past.ts';
import { withBlobs } from '../../blobs/with-blobs.ts';
import type { JournalStore, OwnedRun, StoredRun } from '../../journal.ts';
import type { JournalRecord } from '../../record.ts';
import { isRunId } from '../../run-id.ts';
import { BulkReader } from './bulk-reader.ts';
import { JournalWriter } from './journal-writer.ts';
import type { Ownership } from './journal-writer.ts';
import { writeCheckpoint } from './checkpoint-file.ts';
import { Inheritance } from './inheritance.ts';
import { runFolder, runsFolder } from './layout.ts';
import { underLock } from './maintenance-lock.ts';
import { claimNode, isMarkedTaken, isNodeAlive, markTaken, syncNode } from './node-folder.ts';
import { FileOwnedRun } from './owned-run.ts';
import { allRuns, makeRunFolder, markReleased, readEpochs, takeEpoch } from './run-epochs.ts';
import type { Epoch } from './run-epochs.ts';
import { isRemoved, markRemoved, unmarkRemoved } from './removal-mark.ts';
import { removeRun, sweep } from './remove-run.ts';
import type { Removal } from './remove-run.ts';
import { RunBlobs } from './run-blobs.ts';
import { openSegmentFile } from './segment-file.ts';
import type { OpenSegment } from './segment-file.ts';
import { fileInTheWay, journalError, systemCode } from './system-calls.ts';

/** How a file store is opened. */
export interface FileStoreOptions {
  /** Shared by all processes of this host that know the same runs. Made when first needed. */
  readonly dataDir: string;
  /** `power`: nothing is acknowledged before fdatasync. */
  readonly level: 'process' | 'power';
  /** Wall time in milliseconds. */
  readonly now: () => number;
  /** Collects the appends of one turn; the runtime gives `setImmediate`. Default: the end of the microtask. */
  readonly schedule?: (fn: () => void) => void;
  /** This process's name. Default: a random one. */
  readonly node?: string;
  /** Size from which a new segment is begun, in bytes. Default 64 MiB. */
  readonly segmentBytes?: number;
  /** How segments are made; tests give files that fail. */
  readonly openSegment?: OpenSegment;
}

const defaultSegmentBytes = 64 * 1024 * 1024;

/**
 * Opens the journals of a data folder. Nothing is written before a run is created or adopted, so looking
 * at runs leaves no trace.
 */
export async function openFileStore(options: FileStoreOptions): Promise<JournalStore> {
  const { dataDir, level } = options;
  if (dataDir === '') throw new TroupeError('TRP_OPTION_INVALID', 'dataDir is empty.');
  const sync = level === 'power';
  return withBlobs(new FileStore(options), (run) => new RunBlobs(dataDir, { run, sync }));
}

/**
 * Invariants:
 * 1. This process writes into its own node folder only; journals of others are read, never changed.
 * 2. A run belongs to the highest of its epochs. Taking one is exclusive by the file system; before it, the
 *    node of the epoch below is marked, after it, that node's records are read.
 * 3. What another node left is made durable before this one builds on it (level `power`).
 */
class FileStore implements JournalStore {
  readonly level: 'process' | 'power';
  readonly node: string;
  private readonly options: FileStoreOptions;
  private readonly owned = new Map<string, FileOwnedRun>();
  private readonly inheritance: Inheritance;
  private removing: Promise<unknown> = Promise.resolve();
  private opening: Promise<JournalWriter> | undefined;
  /** This node's folder, once it is claimed. */
  private folder: string | undefined;
  private closing: Promise<void> | undefined;

  constructor(options: FileStoreOptions) {
    this.options = options;
    this.level = options.level;
    this.node = options.node ?? randomIds.node();
    this.inheritance = new Inheritance(options.dataDir, options.level === 'power');
  }

  async create(run: string): Promise<OwnedRun> {
    if (!isRunId(run)) {
      const hint = 'Letters, digits, - and _, at most 128, beginning with a letter or digit.';
      throw new TroupeError(
        'TRP_OPTION_INVALID',
        `${JSON.stringify(run)} cannot be the id of a run.`,
        { hint },
      );
    }
    return this.attempt(run, async () => {
      const writer = await this.writer();
      await makeRunFolder(this.options.dataDir, run);
      return this.take(writer, run, 1);
    });
  }

  async adopt(run: string): Promise<OwnedRun> {
    return this.attempt(run, async () => {
      const epochs = await this.epochsOf(run);
      const last = epochs.at(-1);
      if (last && (await this.isOwnedElsewhere(last)))
        throw ownedError(run, `Node ${last.node} owns it.`);
      const writer = await this.writer();
      if (last && last.node !== this.node) await markTaken(this.options.dataDir, last.node);
      return this.take(writer, run, (last?.epoch ?? 0) + 1);
    });
  }

  async read(run: string): Promise<readonly JournalRecord[]> {
    return this.attempt(run, async () => this.inheritance.read(run, await this.epochsOf(run)));
  }

  /** Damage in one part of a journal hides no run that lies in others: those are then read by themselves. */
  async bulkReader(): Promise<JournalStore['read']> {
    const { dataDir } = this.options;
    const runs = await allRuns(dataDir);
    const read = runs.map(async (run) => [run, await readEpochs(dataDir, run)] as const);
    const reader = new BulkReader({ dataDir, epochs: new Map(await Promise.all(read)) });
    return (run) => reader.read(run).catch(() => this.read(run));
  }

  async endedAs(run: string): Promise<RunOutcome | undefined> {
    return this.attempt(run, async () =>
      outcomeIn(await this.inheritance.look(run, await this.epochsOf(run))),
    );
  }

  async list(): Promise<readonly StoredRun[]> {
    const { dataDir } = this.options;
    return this.attempt(undefined, async () => {
      const alive = rememberedLiveness(dataDir);
      const read = (await allRuns(dataDir)).map(async (run) => ({
        run,
        epochs: await readEpochs(dataDir, run),
      }));
      const runs = (await Promise.all(read)).filter(({ epochs }) => epochs.length > 0);
      runs.sort((a, b) => startOf(a.epochs) - startOf(b.epochs) || (a.run < b.run ? -1 : 1));
      return Promise.all(
        runs.map(async ({ run, epochs }) => ({ run, owner: await ownerOf(epochs, alive) })),
      );
    });
  }

  close(): Promise<void> {
    this.closing ??= this.finish();
    return this.closing;
  }

  private async finish(): Promise<void> {
    // A marker that cannot be written (disk full) is no loss: the end of the process releases as well.
    await Promise.allSettled([...this.owned.values()].map((run) => run.release()));
    const writer = await this.opening?.catch(() => undefined);
    await writer?.close();
  }

  /** Claims an epoch, then reads: whoever wrote before and was acknowledged is in the records. */
  private async take(writer: JournalWriter, run: string, epoch: number): Promise<OwnedRun> {
    const { dataDir, now } = this.options;
    const sync = this.level === 'power';
    const claim = { run, epoch, node: this.node, segment: writer.segment, at: now(), sync };
    if (!(await takeEpoch(dataDir, claim)))
      throw ownedError(run, `Somebody else has epoch ${epoch} of it.`);
    if (await isRemoved(dataDir, run)) throw notFound(run);
    this.owned.get(run)?.fence();
    // Appends of this process's own older handle are waited for.
    if (epoch > 1) await writer.settled();
    const before = (await readEpochs(dataDir, run)).filter((one) => one.epoch < epoch);
    const owned = new FileOwnedRun(writer, {
      run,
      epoch,
      ...(await this.inheritance.take(run, before)),
      keep: (encoded, place) =>
        writeCheckpoint(dataDir, run, { ...encoded, node: this.node, epoch, ...place }),
      release: (self) => this.release(self),
    });
    this.owned.set(run, owned);
    return owned;
  }

  /** Removals take turns: each writes journals anew that the next one reads. */
  delete(run: string): Promise<void> {
    const removal = this.removing.then(() => this.attempt(run, () => this.remove(run)));
    this.removing = removal.catch(() => undefined);
    return removal;
  }

  private async remove(run: string): Promise<void> {
    const { dataDir } = this.options;
    if (this.owned.has(run)) throw ownedError(run, 'This process owns it.');
    if (!isRunId(run) || !(await isRemoved(dataDir, run))) await this.claimRemoval(run);
    await underLock(dataDir, () => removeRun({ ...this.own(), run }));
  }

  /** Whoever takes the run later finds the mark; whoever was faster keeps it. */
  private async claimRemoval(run: string): Promise<void> {
    const { dataDir, now } = this.options;
    const last = (await this.epochsOf(run)).at(-1);
    if (last && (await this.isOwnedElsewhere(last)))
      throw ownedError(run, `Node ${last.node} owns it.`);
    const epoch = (last?.epoch ?? 0) + 1;
    const claim = { run, epoch, node: this.node, segment: 1, at: now(), sync: false };
    if (!(await takeEpoch(dataDir, claim)))
      throw ownedError(run, `Somebody else has epoch ${epoch} of it.`);
    await markRemoved(dataDir, run);
    const epochs = await readEpochs(dataDir, run, { removed: true });
    if (epochs.at(-1)?.epoch === epoch) return;
    await unmarkRemoved(dataDir, run);
    throw ownedError(run, 'Somebody else has taken it.');
  }

  async sweep(): Promise<void> {
    const { dataDir, now } = this.options;
    await this.attempt(undefined, () =>
      underLock(dataDir, () => sweep(dataDir, { ...this.own(), nowMs: now() })),
    );
  }

  private own(): Omit<Removal, 'run'> {
    const { dataDir } = this.options;
    const { opening, node } = this;
    const rotate = opening && (async (): Promise<number> => (await opening).rotate());
    return { dataDir, node, rotate };
  }

  private async release(owned: FileOwnedRun): Promise<void> {
    if (this.owned.get(owned.run) !== owned) return;
    this.owned.delete(owned.run);
    await this.attempt(owned.run, () => markReleased(this.options.dataDir, owned.run, owned.epoch));
  }

  private async epochsOf(run: string): Promise<readonly Epoch[]> {
    const epochs = isRunId(run) ? await readEpochs(this.options.dataDir, run) : [];
    if (epochs.length === 0) throw notFound(run);
    return epochs;
  }

  private async isOwnedElsewhere({ node, released }: Epoch): Promise<boolean> {
    if (released || node === '' || node === this.node) return false;
    return isNodeAlive(this.options.dataDir, node);
  }

  private writer(): Promise<JournalWriter> {
    if (this.closing) throw new TroupeError('TRP_CLOSED', 'The journal store is closed.');
    this.opening ??= this.openWriter().catch((error: unknown) => {
      // The disk may have been full: whoever comes next tries again.
      this.opening = undefined;
      throw error;
    });
    return this.opening;
  }

  private async openWriter(): Promise<JournalWriter> {
    const {
      dataDir,
      now,
      schedule = queueMicrotask,
      segmentBytes = defaultSegmentBytes,
    } = this.options;
    this.folder ??= await claimNode(dataDir, this.node, now());
    const { folder } = this;
    const sync = this.level === 'power';
    const writer = await JournalWriter.open({
      folder,
      node: this.node,
      sync,
      segmentBytes,
      openSegment: this.options.openSegment ?? openSegmentFile,
      schedule,
      fenced: (owners) => this.fenced(folder, owners),
    });
    if (sync) await syncNode(dataDir, this.node);
    return writer;
  }

  private async fenced(
    folder: string,
    owners: Iterable<Ownership>,
  ): Promise<ReadonlySet<Ownership>> {
    const lost = new Set<Ownership>();
    if (!(await isMarkedTaken(folder))) return lost;
    for (const owner of owners) {
      const epochs = await readEpochs(this.options.dataDir, owner.run);
      if ((epochs.at(-1)?.epoch ?? Infinity) > owner.epoch) lost.add(owner);
    }
    return lost;
  }

  /** Errors of the system become errors of the journal. Without a run they are of all runs. */
  private async attempt<T>(run: string | undefined, act: () => Promise<T>): Promise<T> {
    const { dataDir } = this.options;
    try {
      return await act();
    } catch (error) {
      const cause = systemCode(error) === 'ENOTDIR' ? await fileInTheWay(dataDir) : undefined;
      const place =
        run !== undefined && isRunId(run) ? runFolder(dataDir, run) : runsFolder(dataDir);
      throw journalError(cause ?? error, place);
    }
  }
}

function startOf(epochs: readonly Epoch[]): number {
  return epochs[0]?.at ?? 0;
}

async function ownerOf(
  epochs: readonly Epoch[],
  alive: (node: string) => Promise<boolean>,
): Promise<string | undefined> {
  const last = epochs.at(-1);
  if (!last || last.released || last.node === '') return undefined;
  return (await alive(last.node)) ? last.node : undefined;
}

/** Each node is asked about once per listing. */
function rememberedLiveness(dataDir: string): (node: string) => Promise<boolean> {
  const known = new Map<string, Promise<boolean>>();
  return (node) => {
    const answer = known.get(node) ?? isNodeAlive(dataDir, node);
    known.set(node, answer);
    return answer;
  };
}

function notFound(run: string): TroupeError {
  return new TroupeError('TRP_RUN_NOT_FOUND', `There is no run ${JSON.stringify(run)}.`);
}

function ownedError(run: string, message: string): TroupeError {
  return new TroupeError('TRP_RUN_OWNED', `Run ${run} cannot be taken. ${message}`, { place: run });
}
