import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { filesBelow } from './file-walk.ts';

/** What an attempt began with. */
export interface Manifest {
  /** SHA-256 of each file that was copied in, by its path. */
  readonly from: { readonly [path: string]: string };
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

/** SHA-256 in lower-case hex. */
export function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Makes an attempt's folder anew, readable by its owner alone, fills it, and notes what it began with. */
export async function makeFolder({ path, from, into, apart }: AttemptFolder): Promise<void> {
  await rm(path, { recursive: true, force: true });
  await mkdir(path, { recursive: true, mode: 0o700 });
  const seen: Record<string, string> = {};
  const copied: Record<string, string> = {};
  if (into !== undefined)
    for (const file of await filesBelow(into, apart)) seen[file.path] = file.mark;
  if (from !== undefined) {
    for (const file of await filesBelow(from, apart)) {
      const bytes = await readFile(join(from, file.path));
      const target = join(path, file.path);
      await mkdir(dirname(target), { recursive: true });
      await writeFile(target, bytes, { mode: file.mode });
      copied[file.path] = hashOf(bytes);
    }
  }
  await writeFile(manifestPath(path), JSON.stringify({ from: copied, into: seen }), {
    mode: 0o600,
  });
}

/** What an attempt began with. */
export async function readManifest(path: string): Promise<Manifest> {
  return JSON.parse(await readFile(manifestPath(path), 'utf8')) as Manifest;
}

/** Beside the folder, so that it is no file of the attempt. */
function manifestPath(path: string): string {
  return `${path}.json`;
}
