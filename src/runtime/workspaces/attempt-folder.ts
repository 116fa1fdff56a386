import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { copyFileHashed } from './file-content.ts';
import { filesBelow } from './file-walk.ts';

/** What an attempt began with. */
export interface Manifest {
  /** SHA-256 of each file that was copied in, by its path. */
  readonly from: { readonly [path: string]: string };
  /** Permission bits of each file that was copied in; absent in folders of earlier versions. */
  readonly modes?: { readonly [path: string]: number };
  /** Mark of each file that the target held, by its path; see FoundFile. */
  readonly into: { readonly [path: string]: string };
}

/** An attempt's folder, and what it is filled from. */
export interface AttemptFolder {
  readonly path: string;
  readonly from: string | undefined;
  readonly into: string | undefined;
  /** Folder that is never copied, since the workspaces are in it. */
  readonly apart: string;
}

/** Makes an attempt's folder anew, readable by its owner alone, fills it, and notes what it began with. */
export async function makeFolder({ path, from, into, apart }: AttemptFolder): Promise<void> {
  await rm(path, { recursive: true, force: true });
  await mkdir(path, { recursive: true, mode: 0o700 });
  const seen: [string, string][] = [];
  const copied: [string, string][] = [];
  const modes: [string, number][] = [];
  if (into !== undefined)
    for (const file of await filesBelow(into, apart)) seen.push([file.path, file.mark]);
  if (from !== undefined) {
    for (const file of await filesBelow(from, apart)) {
      const target = join(path, file.path);
      await mkdir(dirname(target), { recursive: true });
      copied.push([file.path, await copyFileHashed(join(from, file.path), target, file.mode)]);
      modes.push([file.path, file.mode]);
    }
  }
  // Entries, not assignments: a file may be called __proto__.
  const manifest = {
    from: Object.fromEntries(copied),
    modes: Object.fromEntries(modes),
    into: Object.fromEntries(seen),
  };
  await writeFile(manifestPath(path), JSON.stringify(manifest), { mode: 0o600 });
}

/** What an attempt began with. */
export async function readManifest(path: string): Promise<Manifest> {
  return JSON.parse(await readFile(manifestPath(path), 'utf8')) as Manifest;
}

/** What a manifest holds of a path; undefined: nothing, whatever the file is called. */
export function noted<T>(
  part: { readonly [path: string]: T } | undefined,
  path: string,
): T | undefined {
  return part && Object.hasOwn(part, path) ? part[path] : undefined;
}

/** Beside the folder, so that it is no file of the attempt. */
function manifestPath(path: string): string {
  return `${path}.json`;
}
