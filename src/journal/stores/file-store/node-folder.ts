import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { isAlive, thisProcess } from './liveness.ts';
import type { ProcessIdentity } from './liveness.ts';
import { nodeFolder, runsFolder } from './layout.ts';
import { sealed, unsealed } from './sealed-json.ts';
import { makeFolder, syncFolder, systemCode } from './system-calls.ts';
import { fileMode, folderMode } from './modes.ts';

const ownerName = 'owner.json';
const takenName = 'taken';

/** Makes this process's own node folder and says in it whose it is; also the folder of the runs. */
export async function claimNode(dataDir: string, node: string, at: number): Promise<string> {
  const folder = nodeFolder(dataDir, node);
  await Promise.all([makeFolder(dirname(folder)), makeFolder(runsFolder(dataDir))]);
  await mkdir(folder, { mode: folderMode });
  const owner = sealed({ ...(await thisProcess()), at });
  try {
    await writeFile(join(folder, ownerName), owner, { mode: fileMode, flag: 'wx' });
  } catch (error) {
    // A folder that nobody owns would be in the way of a second try.
    await rm(folder, { recursive: true, force: true }).catch(() => undefined);
    throw error;
  }
  return folder;
}

/** Makes the folders of a new node survive a loss of power. */
export async function syncNode(dataDir: string, node: string): Promise<void> {
  const folder = nodeFolder(dataDir, node);
  await Promise.all([folder, dirname(folder), dataDir, dirname(resolve(dataDir))].map(syncFolder));
}

/**
 * Whether the process that writes there still runs. No folder or no readable owner: nobody does, and should it
 * run all the same, it finds itself fenced off.
 */
export async function isNodeAlive(dataDir: string, node: string): Promise<boolean> {
  const identity = await ownerOf(nodeFolder(dataDir, node));
  return identity !== undefined && isAlive(identity);
}

/** Whether the process that wrote there has surely ended; a node that is only just being made may have no owner yet. */
export async function isNodeDead(dataDir: string, node: string): Promise<boolean> {
  const identity = await ownerOf(nodeFolder(dataDir, node));
  return identity !== undefined && !(await isAlive(identity));
}

/** Tells a node, should it run against all appearance, to look whether its runs are still its own. */
export async function markTaken(dataDir: string, node: string): Promise<void> {
  await mkdir(join(nodeFolder(dataDir, node), takenName), { mode: folderMode }).catch(
    (error: unknown) => {
      if (!['EEXIST', 'ENOENT'].includes(systemCode(error))) throw error;
    },
  );
}

/** Whether any run of the node was taken over: one call that fails, as a rule. */
export async function isMarkedTaken(folder: string): Promise<boolean> {
  return exists(join(folder, takenName));
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false;
    throw error;
  }
}

async function ownerOf(folder: string): Promise<ProcessIdentity | undefined> {
  const owner = unsealed(await readFile(join(folder, ownerName), 'utf8').catch(() => ''));
  if (typeof owner === 'string') return undefined;
  const { pid, start = '', boot = '' } = owner as Partial<ProcessIdentity>;
  return typeof pid === 'number' ? { pid, start, boot } : undefined;
}
