import { placeOf } from './draft.ts';
import type { Draft, TaskDraft } from './draft.ts';
import { filePattern } from './file-patterns.ts';
import { isWildcard, patternsOverlap } from './key-patterns.ts';
import type { WaitingOrder } from './reach.ts';
import { unsureOf } from './unsure.ts';
import { waitingOrder } from './waiting.ts';

/** Pairs that are looked at: a document with more has been told enough. */
const maxPairs = 100_000;

interface Use {
  readonly task: TaskDraft;
  readonly path: string;
  readonly pattern: string;
  readonly place: number;
  readonly mode: 'reads' | 'writes';
  readonly index: number;
}

/** Warns of tasks that may touch one file at the same time, at least one of them writing. */
export function checkFiles(draft: Draft, { waiting, reach }: WaitingOrder): void {
  const uses = usesOf(draft, waitingOrder(waiting));
  if (uses.length === 0) return;
  const unsure = unsureOf(draft, waiting);
  const told = new Set<string>();
  for (const [one, other] of overlapping(uses)) {
    const pair = `${one.task.id}\n${other.task.id}`;
    const [first, second] = one.place <= other.place ? [one, other] : [other, one];
    if (told.has(pair) || unsure.has(first.task.id) || unsure.has(second.task.id)) continue;
    if (reach.waits(second.task.id, first.task.id) || sharesLock(first.task, second.task)) continue;
    told.add(pair);
    warn(draft, first, second);
  }
}

function usesOf(draft: Draft, order: readonly string[]): Use[] {
  const places = new Map(order.map((id, place) => [id, place]));
  return [...draft.tasks.values()].flatMap((task) =>
    (['reads', 'writes'] as const).flatMap((mode) =>
      (task.files?.[mode] ?? []).map((path, index) => {
        const place = places.get(task.id) ?? 0;
        return { task, path, pattern: filePattern(path), place, mode, index };
      }),
    ),
  );
}

/** Pairs of different tasks with one path in common that one of them writes. */
function* overlapping(uses: readonly Use[]): Generator<readonly [Use, Use]> {
  let left = maxPairs;
  for (const [one, other] of meetings(uses)) {
    if (left-- <= 0) return;
    const writes = one.mode === 'writes' || other.mode === 'writes';
    if (writes && one.task !== other.task) yield [one, other];
  }
}

/** Uses of one path, and those of folders with all that lie below. */
function* meetings(uses: readonly Use[]): Generator<readonly [Use, Use]> {
  const byPattern = new Map<string, Use[]>();
  for (const use of uses) byPattern.set(use.pattern, [...(byPattern.get(use.pattern) ?? []), use]);
  const folders = [...byPattern.keys()].filter(isWildcard);
  for (const [pattern, same] of byPattern) {
    // Two folders meet once, not from both sides.
    const others = folders
      .filter((folder) => folder !== pattern && (folder > pattern || !isWildcard(pattern)))
      .filter((folder) => patternsOverlap(folder, pattern))
      .flatMap((folder) => byPattern.get(folder) ?? []);
    for (const [at, one] of same.entries())
      for (const other of [...same.slice(at + 1), ...others]) yield [one, other];
  }
}

/** A lock or another kind of which both take the only unit keeps two tasks apart. */
function sharesLock(one: TaskDraft, other: TaskDraft): boolean {
  return Object.keys(one.demand).some(
    (kind) => kind.startsWith('lock:') && other.demand[kind] !== undefined,
  );
}

function warn(draft: Draft, first: Use, second: Use): void {
  const both = first.mode === 'writes' && second.mode === 'writes';
  const verb = both ? 'both write' : `${verbOf(first)} and ${verbOf(second)}`;
  const where =
    first.path === second.path ? `"${second.path}"` : `"${first.path}" and "${second.path}"`;
  draft.faults.warn(
    'TRP_WORKFLOW_CONFLICT',
    `"${first.task.id}" and "${second.task.id}" may run at the same time and ${verb} ${where}`,
    {
      path: [...placeOf(draft, second.task.id), 'files', second.mode, second.index],
      hint: `Let one need the other, or give both exclusive: [${lockName(second.path)}].`,
    },
  );
}

function verbOf({ mode }: Use): string {
  return mode === 'writes' ? 'write' : 'read';
}

function lockName(path: string): string {
  return path.replaceAll(/[^A-Za-z0-9]+/g, '_').replaceAll(/^_+|_+$/g, '') || 'files';
}
