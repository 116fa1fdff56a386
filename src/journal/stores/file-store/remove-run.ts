import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { TroupeError } from '../../../core/errors.ts';
import { removeCheckpoints } from './checkpoint-file.ts';
import { nodeFolder, nodesFolder, removedName, runFolder } from './layout.ts';
import { isNodeAlive, isNodeDead } from './node-folder.ts';
import { eraseFrames } from './rewrite-segment.ts';
import { collectBlobs } from './run-blobs.ts';
import { isRemoved } from './removal-mark.ts';
import { allRuns, namesOfNodes } from './run-epochs.ts';
import { segmentNumber } from './segment.ts';
import { syncFolder } from './system-calls.ts';

/** A run that is being removed; its folder says so already, so that nobody takes or reads it. */
export interface Removal {
  readonly dataDir: string;
  readonly run: string;
  /** This process's node. */
  readonly node: string;
  /** Makes this process's own segments stand still, all but the newest; undefined: it has none. */
  readonly rotate: (() => Promise<number>) | undefined;
}

/**
 * Removes the records of a run from the journals of all nodes that have written any, then its folder. Done again after
 * a crash it goes on where it was.
 * @throws TroupeError TRP_RUN_OWNED while another process lives that has written records of the run
 */
export async function removeRun(removal: Removal): Promise<void> {
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
export async function sweep(dataDir: string, { node, rotate, nowMs }: Sweep): Promise<void> {
  const runs = await allRuns(dataDir);
  for (const run of runs)
    if (await isRemoved(dataDir, run)) await removeRun({ dataDir, run, node, rotate });
  const named = new Set<string>();
  for (const run of await allRuns(dataDir))
    for (const name of await namesOfNodes(dataDir, run)) named.add(name);
  for (const name of await readdir(nodesFolder(dataDir)).catch(() => [])) {
    if (named.has(name) || name === node || !(await isNodeDead(dataDir, name))) continue;
    await rm(nodeFolder(dataDir, name), { recursive: true, force: true });
  }
  await collectBlobs(dataDir, nowMs);
}

/** Who sweeps, and when. */
export interface Sweep extends Pick<Removal, 'node' | 'rotate'> {
  readonly nowMs: number;
}

async function eraseFrom(
  { dataDir, run, node: own, rotate }: Removal,
  node: string,
): Promise<void> {
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
async function forgetPositions(dataDir: string, node: string): Promise<void> {
  for (const run of await allRuns(dataDir)) {
    const nodes = await namesOfNodes(dataDir, run);
    if (nodes.includes(node)) await removeCheckpoints(dataDir, run);
  }
}
