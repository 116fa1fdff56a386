import { link, mkdir, open, readdir, readFile, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileNumber, removedName, runFolder, runsFolder } from './layout.ts';
import { sealed, unsealed } from './sealed-json.ts';
import { corrupt } from './segment.ts';
import { syncFolder, systemCode } from './system-calls.ts';
import { fileMode, folderMode } from './modes.ts';

/** One ownership of a run, as its file tells it. */
export interface Epoch {
  readonly epoch: number;
  /** The node that owned the run; empty when the file was never finished, so that nothing was written. */
  readonly node: string;
  /** The node's segment when the epoch began. */
  readonly segment: number;
  /** Wall time of its beginning, milliseconds. */
  readonly at: number;
  readonly released: boolean;
}

const epochForm = /^epoch-(\d{6,})\.json$/;

const epochPath = (dataDir: string, run: string, epoch: number): string =>
  join(runFolder(dataDir, run), `epoch-${fileNumber(epoch)}.json`);

const releasedPath = (dataDir: string, run: string, epoch: number): string =>
  join(runFolder(dataDir, run), `epoch-${fileNumber(epoch)}.released`);

/**
 * All ownerships of a run, oldest first; empty when there is no such run, or it is being removed.
 * @param options.removed true: also of a run that is being removed
 */
export async function readEpochs(
  dataDir: string,
  run: string,
  { removed = false }: { readonly removed?: boolean } = {},
): Promise<readonly Epoch[]> {
  const names = new Set(await namesIn(runFolder(dataDir, run)));
  return names.has(removedName) && !removed ? [] : epochsIn(dataDir, run, names);
}

/** The nodes that have written records of a run, also of one that is being removed. */
export async function namesOfNodes(dataDir: string, run: string): Promise<readonly string[]> {
  const epochs = await readEpochs(dataDir, run, { removed: true });
  return [...new Set(epochs.map(({ node }) => node).filter((node) => node !== ''))];
}

async function epochsIn(
  dataDir: string,
  run: string,
  names: ReadonlySet<string>,
): Promise<readonly Epoch[]> {
  const numbers = [...names].flatMap(
    (name) => Number(epochForm.exec(name)?.[1] ?? Number.NaN) || [],
  );
  numbers.sort((a, b) => a - b);
  const read = numbers.map(async (epoch) => ({
    ...(await readEpochFile(epochPath(dataDir, run, epoch))),
    epoch,
    released: names.has(`epoch-${fileNumber(epoch)}.released`),
  }));
  return Promise.all(read);
}

/** Ids of all runs, those included that are being removed. */
export async function allRuns(dataDir: string): Promise<readonly string[]> {
  return namesIn(runsFolder(dataDir));
}

/** Makes the folder of a new run. One that is there stays: whose the run is, its first epoch decides. */
export async function makeRunFolder(dataDir: string, run: string): Promise<void> {
  await mkdir(runFolder(dataDir, run), { mode: folderMode }).catch((error: unknown) => {
    if (systemCode(error) !== 'EEXIST') throw error;
  });
}

/** A claim on the next ownership of a run. */
export interface Claim extends Omit<Epoch, 'released'> {
  readonly run: string;
  /** True: the claim is to survive a loss of power. */
  readonly sync: boolean;
}

/** Two calls of one process for one epoch must not write, or remove, the same draft. */
let drafts = 0;

/**
 * Takes an epoch: exactly one of those who try gets it. The file appears whole or not at all where the file
 * system can link, and else under the exclusive flag.
 */
export async function takeEpoch(dataDir: string, claim: Claim): Promise<boolean> {
  const path = epochPath(dataDir, claim.run, claim.epoch);
  const draft = join(runFolder(dataDir, claim.run), `draft-${claim.node}.${++drafts}`);
  const { node, segment, at } = claim;
  await writeDraft(draft, sealed({ node, segment, at }), claim.sync);
  try {
    await linkOrWrite(draft, path);
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    throw error;
  } finally {
    await unlink(draft);
  }
  if (claim.sync)
    await Promise.all([syncFolder(runFolder(dataDir, claim.run)), syncFolder(runsFolder(dataDir))]);
  return true;
}

/** Notes that the owner gave an epoch up. */
export async function markReleased(dataDir: string, run: string, epoch: number): Promise<void> {
  await writeFile(releasedPath(dataDir, run, epoch), '', { mode: fileMode });
}

async function writeDraft(path: string, text: string, sync: boolean): Promise<void> {
  const handle = await open(path, 'w', fileMode);
  try {
    await handle.write(text);
    if (sync) await handle.datasync();
  } finally {
    await handle.close();
  }
}

async function linkOrWrite(draft: string, path: string): Promise<void> {
  try {
    await link(draft, path);
  } catch (error) {
    if (
      !['EPERM', 'EACCES', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'].includes(systemCode(error))
    )
      throw error;
    await writeFile(path, await readFile(draft), { mode: fileMode, flag: 'wx' });
  }
}

async function readEpochFile(path: string): Promise<{ node: string; segment: number; at: number }> {
  const said = unsealed(await readFile(path, 'utf8'));
  if (said === 'damaged') throw corrupt(path, 'is damaged');
  if (said === 'unfinished') return { node: '', segment: 1, at: 0 };
  const { node, segment, at } = said as unknown as { node: string; segment: number; at: number };
  return { node, segment, at };
}

async function namesIn(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  });
}
