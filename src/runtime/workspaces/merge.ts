import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { mergeFile } from '../../results/files.ts';
import type {
  MergedConflict,
  MergedFiles,
  WorkspaceMerge,
} from '../../supervisors/run/workspace-merge.ts';
import { noted } from './attempt-folder.ts';
import { changedFiles } from './changed-files.ts';
import type { LeftFile } from './changed-files.ts';
import { contentOfFile, hashOfFile } from './file-content.ts';
import { filesBelow } from './file-walk.ts';
import { Target } from './target.ts';
import type { Source } from './target.ts';

/** Bytes above which a file is never merged with another, but stands whole or is kept beside. */
const maxMergedBytes = 16 * 1024 * 1024;

/** A merge under way. */
interface Merging {
  readonly target: Target;
  /** What tasks left, by path; of each the strongest first. */
  readonly left: ReadonlyMap<string, readonly LeftFile[]>;
  /** Mark of each file that the target held when the merge began. */
  readonly marks: ReadonlyMap<string, string>;
  /** Who stands at the paths that have been written. */
  readonly written: Map<string, LeftFile>;
}

/**
 * Merges what several tasks have written into one folder. A file that only one of them wrote is copied; one that
 * several wrote is merged, and what does not make it is kept beside as `<name>.<task>`. Where one wrote a file and
 * another a folder of its name, the stronger stands. Files that a task deleted stay. Nothing is written through a
 * link. Doing it again changes nothing.
 */
export async function mergeInto({ into, contributions }: WorkspaceMerge): Promise<MergedFiles> {
  const left = new Map<string, LeftFile[]>();
  for (const contribution of contributions) {
    for (const [path, file] of await changedFiles(contribution)) {
      const known = left.get(path);
      if (known) known.push(file);
      else left.set(path, [file]);
    }
  }
  const marks = new Map((await filesBelow(into)).map((file) => [file.path, file.mark]));
  const merging = { target: new Target(into), left, marks, written: new Map<string, LeftFile>() };
  const rank = new Map(contributions.map(({ task }, index) => [task, index]));
  const rankOf = (files: readonly LeftFile[]): number => rank.get(files[0]?.task ?? '') ?? 0;
  const inOrder = [...left].sort(
    ([a, one], [b, other]) => rankOf(one) - rankOf(other) || (a < b ? -1 : 1),
  );
  const conflicts: MergedConflict[] = [];
  for (const [path, files] of inOrder) conflicts.push(...(await mergePath(merging, path, files)));
  return { files: left.size, conflicts };
}

async function mergePath(
  merging: Merging,
  path: string,
  files: readonly LeftFile[],
): Promise<readonly MergedConflict[]> {
  const { target, marks, written } = merging;
  const [strongest] = files;
  if (!strongest) return [];
  const obstacle = await target.obstacle(path);
  if (obstacle !== undefined) return keptAside(merging, { path, files, obstacle });
  const mark = marks.get(path);
  const isSeen = files.every(({ began }) => noted(began.manifest.into, path) === mark);
  const there = isSeen || mark === undefined ? undefined : target.at(path);
  const { source, conflicts } = await contentFor({ path, files, there });
  const mode = (files.find(({ isModeNew }) => isModeNew) ?? strongest).mode;
  if (source) await target.write(path, source, mode);
  else if (conflicts.length === 0 && files.some(({ isModeNew }) => isModeNew))
    await target.setMode(path, mode);
  written.set(path, strongest);
  const kept: MergedConflict[] = [];
  for (const conflict of conflicts) {
    const file = files.find(({ task }) => task === conflict.loser.task) ?? strongest;
    kept.push(await keep(merging, { ...conflict, path }, { file, wanted: `${path}.${file.task}` }));
  }
  return kept;
}

interface PathFiles {
  readonly path: string;
  readonly files: readonly LeftFile[];
  /** The target's file, when somebody else has changed it since the tasks began. */
  readonly there: string | undefined;
}

/** A conflict whose loser's content may have been made by merging. */
type Met = Pick<MergedConflict, 'winner' | 'lost'> & {
  readonly loser: { readonly task: string; readonly agent: string; readonly made?: Uint8Array };
};

/** What a path becomes; no source: it stays as it is. */
async function contentFor(
  question: PathFiles,
): Promise<{ source: Source | undefined; conflicts: readonly Met[] }> {
  const { path, files, there } = question;
  const [strongest, ...weaker] = files as [LeftFile, ...LeftFile[]];
  const differing = weaker.filter(({ hash }) => hash !== strongest.hash);
  if (there === undefined && differing.length === 0) return { source: strongest, conflicts: [] };
  if (files.some(({ bytes }) => bytes > maxMergedBytes)) return wholeFor(question, differing);
  const versions = await Promise.all(
    files.map(async ({ task, agent, file }) => ({ task, agent, bytes: await contentOfFile(file) })),
  );
  const { bytes, conflicts } = mergeFile({
    versions,
    base: await baseOf(files, path),
    there: there === undefined ? undefined : await contentOfFile(there),
  });
  const met = conflicts.map(({ loser, ...rest }) => ({
    ...rest,
    loser: { task: loser.task, agent: loser.agent, made: loser.bytes },
  }));
  return { source: bytes && { made: bytes }, conflicts: met };
}

/** Files too large to be merged: what somebody else has put there stands, else the strongest. */
async function wholeFor(
  { files, there }: PathFiles,
  differing: readonly LeftFile[],
): Promise<{ source: Source | undefined; conflicts: readonly Met[] }> {
  const [strongest] = files as [LeftFile, ...LeftFile[]];
  const isSame = there !== undefined && (await hashOfFile(there)) === strongest.hash;
  const losers = there === undefined || isSame ? differing : [strongest, ...differing];
  const winner = there === undefined || isSame ? strongest : undefined;
  return {
    source: there === undefined ? strongest : undefined,
    conflicts: losers.map(({ task, agent }) => ({
      loser: { task, agent },
      winner,
      lost: [],
    })),
  };
}

/** Somebody has put something else where the file, or a folder around it, would be. */
async function keptAside(
  merging: Merging,
  { path, files, obstacle }: { path: string; files: readonly LeftFile[]; obstacle: string },
): Promise<readonly MergedConflict[]> {
  const winner = merging.written.get(obstacle) ?? writtenBelow(merging, obstacle);
  const rest = path.slice(obstacle.length).replaceAll('/', '.');
  const kept: MergedConflict[] = [];
  for (const file of files) {
    const { task, agent } = file;
    const met = { path, loser: { task, agent }, winner, lost: [] };
    kept.push(await keep(merging, met, { file, wanted: `${obstacle}.${task}${rest}` }));
  }
  return kept;
}

function writtenBelow({ written }: Merging, folder: string): LeftFile | undefined {
  for (const [path, file] of written) if (path.startsWith(`${folder}/`)) return file;
  return undefined;
}

/** Puts what did not make it beside what stands. */
async function keep(
  { target, left }: Merging,
  { loser, ...met }: Met & { readonly path: string },
  { file, wanted }: { readonly file: LeftFile; readonly wanted: string },
): Promise<MergedConflict> {
  const { task, agent, made } = loser;
  const source: Source = made ? { made } : file;
  const hash = made ? createHash('sha256').update(made).digest('hex') : file.hash;
  const keptAs = await target.freeName(wanted, hash, (name) => left.has(name));
  await target.obstacle(keptAs);
  await target.write(keptAs, source, file.mode);
  return { ...met, loser: { task, agent }, keptAs };
}

/** What all files began from, if it was one content and is still there. */
async function baseOf(files: readonly LeftFile[], path: string): Promise<Uint8Array | undefined> {
  const [first, ...rest] = files.map(({ began }) => began);
  const hash = first && noted(first.manifest.from, path);
  if (!first?.from || hash === undefined) return undefined;
  if (!rest.every((began) => noted(began.manifest.from, path) === hash)) return undefined;
  try {
    const base = join(first.from, path);
    return (await hashOfFile(base)) === hash ? await contentOfFile(base) : undefined;
  } catch {
    return undefined;
  }
}
