import { link, mkdir, open, readdir, readFile, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileNumber, removedName, runFolder, runsFolder } from './layout.js';
import { corrupt } from './segment.js';
import { fileMode, folderMode, syncFolder, systemCode } from './system-calls.js';
const epochForm = /^epoch-(\d{6,})\.json$/;
const epochPath = (dataDir, run, epoch) =>
  join(runFolder(dataDir, run), `epoch-${fileNumber(epoch)}.json`);
const releasedPath = (dataDir, run, epoch) =>
  join(runFolder(dataDir, run), `epoch-${fileNumber(epoch)}.released`);
/**
 * All ownerships of a run, oldest first; empty when there is no such run, or it is being removed.
 * @param options.removed true: also of a run that is being removed
 */
export async function readEpochs(dataDir, run, { removed = false } = {}) {
  const names = new Set(await namesIn(runFolder(dataDir, run)));
  return names.has(removedName) && !removed ? [] : epochsIn(dataDir, run, names);
}
/** The nodes that have written records of a run, also of one that is being removed. */
export async function namesOfNodes(dataDir, run) {
  const epochs = await readEpochs(dataDir, run, { removed: true });
  return [...new Set(epochs.map(({ node }) => node).filter((node) => node !== ''))];
}
async function epochsIn(dataDir, run, names) {
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
export async function allRuns(dataDir) {
  return namesIn(runsFolder(dataDir));
}
/** Makes the folder of a new run. One that is there stays: whose the run is, its first epoch decides. */
export async function makeRunFolder(dataDir, run) {
  await mkdir(runFolder(dataDir, run), { mode: folderMode }).catch((error) => {
    if (systemCode(error) !== 'EEXIST') throw error;
  });
}
/** Two calls of one process for one epoch must not write, or remove, the same draft. */
let drafts = 0;
/**
 * Takes an epoch: exactly one of those who try gets it. The file appears whole or not at all where the file
 * system can link, and else under the exclusive flag.
 */
export async function takeEpoch(dataDir, claim) {
  const path = epochPath(dataDir, claim.run, claim.epoch);
  const draft = join(runFolder(dataDir, claim.run), `draft-${claim.node}.${++drafts}`);
  const { node, segment, at } = claim;
  await writeDraft(draft, `${JSON.stringify({ format: 1, node, segment, at })}\n`, claim.sync);
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
export async function markReleased(dataDir, run, epoch) {
  await writeFile(releasedPath(dataDir, run, epoch), '', { mode: fileMode });
}
async function writeDraft(path, text, sync) {
  const handle = await open(path, 'w', fileMode);
  try {
    await handle.write(text);
    if (sync) await handle.datasync();
  } finally {
    await handle.close();
  }
}
async function linkOrWrite(draft, path) {
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
async function readEpochFile(path) {
  const text = await readFile(path, 'utf8');
  if (!text.endsWith('\n')) return { node: '', segment: 1, at: 0 };
  try {
    const { node, segment, at } = JSON.parse(text);
    return { node, segment, at };
  } catch {
    throw corrupt(path, 'is not readable');
  }
}
async function namesIn(folder) {
  return readdir(folder).catch((error) => {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  });
}
