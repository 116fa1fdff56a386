import { join } from 'node:path';
import type { Contribution } from '../../supervisors/run/workspace-merge.ts';
import { noted, readManifest } from './attempt-folder.ts';
import type { Manifest } from './attempt-folder.ts';
import { hashOfFile } from './file-content.ts';
import { filesBelow } from './file-walk.ts';

/** What one task left of a file, by where it is: contents are read when they are needed. */
export interface LeftFile {
  readonly task: string;
  readonly agent: string;
  /** Where it lies. */
  readonly file: string;
  readonly hash: string;
  readonly bytes: number;
  readonly mode: number;
  /** The task made the file, or changed its permission bits. */
  readonly isModeNew: boolean;
  readonly began: Contribution & { readonly manifest: Manifest };
}

/** The files that a task made, or whose content or permission bits it changed, by path. */
export async function changedFiles(
  contribution: Contribution,
): Promise<readonly (readonly [path: string, left: LeftFile])[]> {
  const { task, agent, path: folder } = contribution;
  const manifest = await readManifest(folder);
  const began = { ...contribution, manifest };
  const changed: [string, LeftFile][] = [];
  for (const { path, mode, bytes } of await filesBelow(folder)) {
    const file = join(folder, path);
    const hash = await hashOfFile(file);
    const before = noted(manifest.from, path);
    const isModeNew = before === undefined || (noted(manifest.modes, path) ?? mode) !== mode;
    if (hash !== before || isModeNew)
      changed.push([path, { task, agent, file, hash, bytes, mode, isModeNew, began }]);
  }
  return changed;
}
