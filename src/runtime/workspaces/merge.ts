import { lstat, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { TroupeError } from '../../core/errors.ts';
import { mergeFile } from '../../results/files.ts';
import type { FileVersion } from '../../results/files.ts';
import type {
  Contribution,
  MergedFiles,
  WorkspaceMerge,
} from '../../supervisors/run/workspace-merge.ts';
import { hashOf, readManifest } from './attempt-folder.ts';
import type { Manifest } from './attempt-folder.ts';
import { filesBelow } from './file-walk.ts';

/** A version of a file with what its task began from. */
interface Version extends FileVersion {
  readonly mode: number;
  readonly began: Contribution & { readonly manifest: Manifest };
}

/**
 * Merges what several tasks have written into one folder. A file that only one of them wrote is copied; one that
 * several wrote is merged, and what does not make it is kept beside as `<name>.<task>`. Files that a task deleted
 * stay. Nothing is written through a link. Doing it again changes nothing.
 */
export async function mergeInto({ into, contributions }: WorkspaceMerge): Promise<MergedFiles> {
  const byPath = new Map<string, Version[]>();
  for (const contribution of contributions) {
    for (const [path, version] of await changedFiles(contribution))
      byPath.set(path, [...(byPath.get(path) ?? []), version]);
  }
  const conflicts: MergedFiles['conflicts'][number][] = [];
  const marks = new Map((await filesBelow(into)).map((file) => [file.path, file.mark]));
  for (const [path, versions] of [...byPath].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const found = await mergePath({ into, path, versions, mark: marks.get(path) });
    conflicts.push(...found);
  }
  return { files: byPath.size, conflicts };
}

async function changedFiles(contribution: Contribution): Promise<readonly [string, Version][]> {
  const { task, agent, path: folder } = contribution;
  const manifest = await readManifest(folder);
  const began = { ...contribution, manifest };
  const changed: [string, Version][] = [];
  for (const { path, mode } of await filesBelow(folder)) {
    const bytes = await readFile(join(folder, path));
    if (hashOf(bytes) !== manifest.from[path])
      changed.push([path, { task, agent, bytes, mode, began }]);
  }
  return changed;
}

interface PathMerge {
  readonly into: string;
  readonly path: string;
  readonly versions: readonly Version[];
  /** What the target holds now. */
  readonly mark: string | undefined;
}

async function mergePath(merge: PathMerge): Promise<MergedFiles['conflicts']> {
  const { into, path, versions, mark } = merge;
  const [strongest] = versions;
  if (!strongest) return [];
  await refuseLinks(into, path);
  const isSeen = versions.every(({ began }) => began.manifest.into[path] === mark);
  const there = isSeen || mark === undefined ? undefined : await readFile(join(into, path));
  const { bytes, conflicts } = mergeFile({ versions, base: await baseOf(versions, path), there });
  if (bytes) await write(join(into, path), bytes, strongest.mode);
  const kept = conflicts.map((conflict) => ({
    ...conflict,
    path,
    keptAs: `${path}.${conflict.loser.task}`,
  }));
  for (const { keptAs, loser } of kept) {
    await refuseLinks(into, keptAs);
    await write(join(into, keptAs), loser.bytes, strongest.mode);
  }
  return kept;
}

/** What all versions began from, if it was one content and is still there. */
async function baseOf(versions: readonly Version[], path: string): Promise<Uint8Array | undefined> {
  const [first, ...rest] = versions.map(({ began }) => began);
  const hash = first?.manifest.from[path];
  if (!first?.from || hash === undefined) return undefined;
  if (!rest.every((began) => began.manifest.from[path] === hash)) return undefined;
  try {
    const bytes = await readFile(join(first.from, path));
    return hashOf(bytes) === hash ? bytes : undefined;
  } catch {
    return undefined;
  }
}

/** A link in the target, made by whoever, may lead out of it. */
async function refuseLinks(into: string, path: string): Promise<void> {
  const parts = path.split('/');
  for (let depth = 1; depth <= parts.length; depth++) {
    const below = join(into, ...parts.slice(0, depth));
    const isLink = await lstat(below).then(
      (found) => found.isSymbolicLink(),
      () => false,
    );
    if (isLink)
      throw new TroupeError('TRP_WORKSPACE', `${below} is a link; nothing is written there.`);
  }
}

/** Whole or not at all. */
async function write(target: string, bytes: Uint8Array, mode: number): Promise<void> {
  await mkdir(dirname(target), { recursive: true });
  const beside = `${target}.${process.pid}.part`;
  await writeFile(beside, bytes, { mode });
  await rename(beside, target);
}
