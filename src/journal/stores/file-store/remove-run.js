import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { TroupeError } from '../../../core/errors.js';
import { removeCheckpoints } from './checkpoint-file.js';
import { nodeFolder, nodesFolder, removedName, runFolder } from './layout.js';
import { isNodeAlive, isNodeDead } from './node-folder.js';
import { eraseFrames } from './rewrite-segment.js';
import { collectBlobs } from './run-blobs.js';
import { isRemoved } from './removal-mark.js';
import { allRuns, namesOfNodes } from './run-epochs.js';
import { segmentNumber } from './segment.js';
import { syncFolder } from './system-calls.js';
/**
 * Removes the records of a run from the journals of all nodes that have written any, then its folder. Done again after
 * a crash it goes on where it was.
 * @throws TroupeError TRP_RUN_OWNED while another process lives that has written records of the run
 */
export async function removeRun(removal) {
  const { dataDir, run } = removal;
  const nodes = await namesOfNodes(dataDir, run);
  for (const node of nodes) {
    if (node === removal.node || !(await isNodeAlive(dataDir, node))) continue;
    const message = `Node ${node}, which wrote records of run ${run}, is still running. Remove the run in that process, or when it has ended.`;
    throw new TroupeError('TRP_RUN_OWNED', message, { place: run });
  }
  for (const node of nodes) await eraseFrom(removal, node);
  const folder = runFolder(dataDir, run);
  const names = (await readdir(folder)).filter((name) => name !== removedName);
  await Promise.all(names.map((name) => rm(join(folder, name), { recursive: true, force: true })));
  await rm(folder, { recursive: true, force: true });
}
/** Finishes removals that were interrupted, and removes what belongs to no run any more. */
export async function sweep(dataDir, { node, rotate, nowMs }) {
  const runs = await allRuns(dataDir);
  for (const run of runs)
    if (await isRemoved(dataDir, run)) await removeRun({ dataDir, run, node, rotate });
  const named = new Set();
  for (const run of await allRuns(dataDir))
    for (const name of await namesOfNodes(dataDir, run)) named.add(name);
  for (const name of await readdir(nodesFolder(dataDir)).catch(() => [])) {
    if (named.has(name) || name === node || !(await isNodeDead(dataDir, name))) continue;
    await rm(nodeFolder(dataDir, name), { recursive: true, force: true });
  }
  await collectBlobs(dataDir, nowMs);
}
async function eraseFrom({ dataDir, run, node: own, rotate }, node) {
  const folder = nodeFolder(dataDir, node);
  const names = await readdir(folder).catch(() => []);
  if (names.length === 0) return;
  const open = node === own ? await rotate?.() : undefined;
  let erased = false;
  for (const name of names) {
    const segment = segmentNumber(name);
    if (segment === undefined || (open !== undefined && segment >= open)) continue;
    if (!(await stat(join(folder, name)).catch(() => undefined))) continue;
    if (!erased) await forgetPositions(dataDir, node);
    erased = (await eraseFrames(join(folder, name), { node, segment, run })) || erased;
  }
  if (erased) await syncFolder(folder);
}
/** What is written anew has other positions, and checkpoints tell positions. */
async function forgetPositions(dataDir, node) {
  for (const run of await allRuns(dataDir)) {
    const nodes = await namesOfNodes(dataDir, run);
    if (nodes.includes(node)) await removeCheckpoints(dataDir, run);
  }
}
