import { TroupeError } from '../../../core/errors.js';
import { randomIds } from '../../../core/ids.js';
import { withBlobs } from '../../blobs/with-blobs.js';
import { isRunId } from '../../run-id.js';
import { JournalWriter } from './journal-writer.js';
import { writeCheckpoint } from './checkpoint-file.js';
import { Inheritance } from './inheritance.js';
import { runFolder, runsFolder } from './layout.js';
import { underLock } from './maintenance-lock.js';
import { claimNode, isMarkedTaken, isNodeAlive, markTaken, syncNode } from './node-folder.js';
import { FileOwnedRun } from './owned-run.js';
import { allRuns, makeRunFolder, markReleased, readEpochs, takeEpoch } from './run-epochs.js';
import { isRemoved, markRemoved, unmarkRemoved } from './removal-mark.js';
import { removeRun, sweep } from './remove-run.js';
import { RunBlobs } from './run-blobs.js';
import { openSegmentFile } from './segment-file.js';
import { fileInTheWay, journalError, systemCode } from './system-calls.js';
const defaultSegmentBytes = 64 * 1024 * 1024;
/**
 * Opens the journals of a data folder. Nothing is written before a run is created or adopted, so looking
 * at runs leaves no trace.
 */
export async function openFileStore(options) {
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
class FileStore {
  level;
  node;
  options;
  owned = new Map();
  inheritance;
  removing = Promise.resolve();
  opening;
  /** This node's folder, once it is claimed. */
  folder;
  closing;
  constructor(options) {
    this.options = options;
    this.level = options.level;
    this.node = options.node ?? randomIds.node();
    this.inheritance = new Inheritance(options.dataDir, options.level === 'power');
  }
  async create(run) {
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
  async adopt(run) {
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
  async read(run) {
    return this.attempt(run, async () => this.inheritance.read(run, await this.epochsOf(run)));
  }
  async list() {
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
  close() {
    this.closing ??= this.finish();
    return this.closing;
  }
  async finish() {
    // A marker that cannot be written (disk full) is no loss: the end of the process releases as well.
    await Promise.allSettled([...this.owned.values()].map((run) => run.release()));
    const writer = await this.opening?.catch(() => undefined);
    await writer?.close();
  }
  /** Claims an epoch, then reads: whoever wrote before and was acknowledged is in the records. */
  async take(writer, run, epoch) {
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
  delete(run) {
    const removal = this.removing.then(() => this.attempt(run, () => this.remove(run)));
    this.removing = removal.catch(() => undefined);
    return removal;
  }
  async remove(run) {
    const { dataDir } = this.options;
    if (this.owned.has(run)) throw ownedError(run, 'This process owns it.');
    if (!isRunId(run) || !(await isRemoved(dataDir, run))) await this.claimRemoval(run);
    await underLock(dataDir, () => removeRun({ ...this.own(), run }));
  }
  /** Whoever takes the run later finds the mark; whoever was faster keeps it. */
  async claimRemoval(run) {
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
  async sweep() {
    const { dataDir, now } = this.options;
    await this.attempt(undefined, () =>
      underLock(dataDir, () => sweep(dataDir, { ...this.own(), nowMs: now() })),
    );
  }
  own() {
    const { dataDir } = this.options;
    const { opening, node } = this;
    const rotate = opening && (async () => (await opening).rotate());
    return { dataDir, node, rotate };
  }
  async release(owned) {
    if (this.owned.get(owned.run) !== owned) return;
    this.owned.delete(owned.run);
    await this.attempt(owned.run, () => markReleased(this.options.dataDir, owned.run, owned.epoch));
  }
  async epochsOf(run) {
    const epochs = isRunId(run) ? await readEpochs(this.options.dataDir, run) : [];
    if (epochs.length === 0) throw notFound(run);
    return epochs;
  }
  async isOwnedElsewhere({ node, released }) {
    if (released || node === '' || node === this.node) return false;
    return isNodeAlive(this.options.dataDir, node);
  }
  writer() {
    if (this.closing) throw new TroupeError('TRP_CLOSED', 'The journal store is closed.');
    this.opening ??= this.openWriter().catch((error) => {
      // The disk may have been full: whoever comes next tries again.
      this.opening = undefined;
      throw error;
    });
    return this.opening;
  }
  async openWriter() {
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
  async fenced(folder, owners) {
    const lost = new Set();
    if (!(await isMarkedTaken(folder))) return lost;
    for (const owner of owners) {
      const epochs = await readEpochs(this.options.dataDir, owner.run);
      if ((epochs.at(-1)?.epoch ?? Infinity) > owner.epoch) lost.add(owner);
    }
    return lost;
  }
  /** Errors of the system become errors of the journal. Without a run they are of all runs. */
  async attempt(run, act) {
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
function startOf(epochs) {
  return epochs[0]?.at ?? 0;
}
async function ownerOf(epochs, alive) {
  const last = epochs.at(-1);
  if (!last || last.released || last.node === '') return undefined;
  return (await alive(last.node)) ? last.node : undefined;
}
/** Each node is asked about once per listing. */
function rememberedLiveness(dataDir) {
  const known = new Map();
  return (node) => {
    const answer = known.get(node) ?? isNodeAlive(dataDir, node);
    known.set(node, answer);
    return answer;
  };
}
function notFound(run) {
  return new TroupeError('TRP_RUN_NOT_FOUND', `There is no run ${JSON.stringify(run)}.`);
}
function ownedError(run, message) {
  return new TroupeError('TRP_RUN_OWNED', `Run ${run} cannot be taken. ${message}`, { place: run });
}
