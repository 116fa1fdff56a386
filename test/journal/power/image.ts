import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, relative, join } from 'node:path';
import type { DiskCall } from './recorder.ts';

/** What becomes of what was not synced: nothing of it, all of it, some of its pages, or half a page in 512-byte parts. */
export const fates = ['dropped', 'kept', 'pages', 'torn'] as const;

/** One loss of power. */
export interface PowerLoss {
  readonly calls: readonly DiskCall[];
  /** Folder that the calls were made in. */
  readonly root: string;
  /** Calls that were made before it. */
  readonly at: number;
  readonly fate: (typeof fates)[number];
  /** A number from 0 to 1. */
  readonly random: () => number;
}

type Write = Extract<DiskCall, { call: 'write' | 'truncate' }>;
type Entry = Extract<DiskCall, { call: 'enter' | 'leave' | 'rename' | 'folder' }>;

const pageBytes = 4_096;
const sectorBytes = 512;

/**
 * Puts into an empty folder what a disk may hold after a loss of power, as ext4 and its like keep it: what was synced;
 * of the writes to a file since its last sync anything, where a hole reads as zeros; of the names in a folder since
 * that folder's last sync the first few.
 */
export function makeImage(loss: PowerLoss, target: string): void {
  const contents = contentsAfter(loss);
  const names = namesAfter(loss);
  for (const [path, inode] of names) {
    if (!isReachable(path, loss.root, names)) continue;
    const place = join(target, relative(loss.root, path));
    if (inode === folderMark) mkdirSync(place, { recursive: true });
    else {
      mkdirSync(dirname(place), { recursive: true });
      writeFileSync(place, contents.get(inode) ?? Buffer.alloc(0));
    }
  }
}

const folderMark = -1;

/** A file is found only where all the folders above it are. */
function isReachable(path: string, root: string, names: ReadonlyMap<string, number>): boolean {
  const above = dirname(path);
  if (above === root || above === dirname(root)) return true;
  return names.get(above) === folderMark && isReachable(above, root, names);
}

function contentsAfter({ calls, at, fate, random }: PowerLoss): ReadonlyMap<number, Buffer> {
  const durable = new Map<number, Write[]>();
  const loose = new Map<number, Write[]>();
  for (const call of calls.slice(0, at)) {
    if (call.call === 'write' || call.call === 'truncate') listOf(loose, call.inode).push(call);
    if (call.call !== 'sync') continue;
    listOf(durable, call.inode).push(...(loose.get(call.inode) ?? []));
    loose.delete(call.inode);
  }
  const contents = new Map<number, Buffer>();
  for (const inode of new Set([...durable.keys(), ...loose.keys()])) {
    let content: Buffer = Buffer.alloc(0);
    for (const write of durable.get(inode) ?? []) content = written(content, write);
    for (const write of loose.get(inode) ?? [])
      for (const part of partsOf(write, fate, random)) content = written(content, part);
    contents.set(inode, content);
  }
  return contents;
}

/** What of a write that was not synced got to the disk. */
function partsOf(write: Write, fate: PowerLoss['fate'], random: () => number): readonly Write[] {
  if (fate === 'dropped') return [];
  if (fate === 'kept') return [write];
  if (write.call === 'truncate') return random() < 0.5 ? [write] : [];
  const parts: Write[] = [];
  const step = fate === 'pages' ? pageBytes : sectorBytes;
  const last = write.position + write.bytes.length;
  for (let from = write.position; from < last;) {
    const to = Math.min(last, (Math.floor(from / step) + 1) * step);
    const bytes = write.bytes.subarray(from - write.position, to - write.position);
    if (random() < 0.5) parts.push({ ...write, position: from, bytes });
    from = to;
  }
  return parts;
}

function written(content: Buffer, write: Write): Buffer {
  if (write.call === 'truncate') return content.subarray(0, write.length);
  const end = Math.max(content.length, write.position + write.bytes.length);
  const next = Buffer.alloc(end);
  content.copy(next);
  write.bytes.copy(next, write.position);
  return next;
}

function namesAfter({ calls, at, fate, random }: PowerLoss): ReadonlyMap<string, number> {
  const pending = new Map<string, Entry[]>();
  const kept: { readonly entry: Entry; readonly index: number }[] = [];
  const order = new Map<Entry, number>();
  for (const [index, call] of calls.slice(0, at).entries()) {
    if (isEntry(call)) {
      order.set(call, index);
      listOf(pending, folderOf(call)).push(call);
    }
    if (call.call !== 'sync_folder') continue;
    for (const entry of pending.get(call.path) ?? [])
      kept.push({ entry, index: order.get(entry) ?? 0 });
    pending.delete(call.path);
  }
  for (const entries of pending.values()) {
    const count = { dropped: 0, kept: entries.length }[fate as 'dropped' | 'kept'];
    const first = count ?? Math.floor(random() * (entries.length + 1));
    for (const entry of entries.slice(0, first)) kept.push({ entry, index: order.get(entry) ?? 0 });
  }
  const names = new Map<string, number>();
  for (const { entry } of kept.sort((a, b) => a.index - b.index)) applyEntry(names, entry);
  return names;
}

function applyEntry(names: Map<string, number>, entry: Entry): void {
  if (entry.call === 'folder') names.set(entry.path, folderMark);
  if (entry.call === 'leave') names.delete(entry.path);
  if (entry.call === 'enter') names.set(entry.path, entry.inode);
  if (entry.call !== 'rename') return;
  names.delete(entry.from);
  names.set(entry.to, entry.inode);
}

function isEntry(call: DiskCall): call is Entry {
  return ['enter', 'leave', 'rename', 'folder'].includes(call.call);
}

function folderOf(entry: Entry): string {
  return dirname(entry.call === 'rename' ? entry.to : entry.path);
}

function listOf<Key, Value>(map: Map<Key, Value[]>, key: Key): Value[] {
  const known = map.get(key) ?? [];
  map.set(key, known);
  return known;
}
