import type { Plain, PlainObject } from '../core/plain.ts';
import { isPlainObject, sameContent } from './content.ts';

/** A place that both sides changed, each in its own way. */
export interface Clash {
  /** JSON pointer (RFC 6901) of the place; empty: the whole value. */
  readonly path: string;
  /** What the loser wanted there; undefined: to delete it. */
  readonly lost: Plain | undefined;
}

/** How two edits of one value are combined. */
export interface StructuredMerge {
  readonly base: Plain | undefined;
  readonly winner: Plain | undefined;
  readonly loser: Plain | undefined;
  /**
   * False: deleting an object clashes with a change inside of it. True: a deletion counts for each leaf of
   * its own, so that only the changed leaf clashes.
   */
  readonly byLeaf: boolean;
}

/**
 * Three-way merge of two edits of one base: objects key by key, lists, bytes and scalars whole. What only
 * one side changed is taken from that side; what both changed alike is taken once; what both changed
 * differently is a clash, which the winner decides.
 */
export function mergeStructured(merge: StructuredMerge): {
  value: Plain | undefined;
  clashes: Clash[];
} {
  const clashes: Clash[] = [];
  return { value: merged(merge, '', clashes), clashes };
}

function merged(merge: StructuredMerge, path: string, clashes: Clash[]): Plain | undefined {
  const { base, winner, loser } = merge;
  if (sameContent(winner, loser) || sameContent(loser, base)) return winner;
  if (sameContent(winner, base)) return loser;
  if (mergesByKey(merge)) return mergedKeys(merge, path, clashes);
  clashes.push({ path, lost: loser });
  return winner;
}

function mergesByKey({ base, winner, loser, byLeaf }: StructuredMerge): boolean {
  if (isPlainObject(winner) && isPlainObject(loser)) return true;
  if (!byLeaf || !isPlainObject(base)) return false;
  return (
    (isPlainObject(winner) && loser === undefined) || (isPlainObject(loser) && winner === undefined)
  );
}

function mergedKeys(merge: StructuredMerge, path: string, clashes: Clash[]): Plain | undefined {
  const [base, winner, loser] = [keyed(merge.base), keyed(merge.winner), keyed(merge.loser)];
  const entries: [string, Plain][] = [];
  for (const key of new Set([...Object.keys(winner), ...Object.keys(loser)])) {
    const part = { ...merge, base: at(base, key), winner: at(winner, key), loser: at(loser, key) };
    const value = merged(part, `${path}/${escaped(key)}`, clashes);
    if (value !== undefined) entries.push([key, value]);
  }
  const deleted = merge.winner === undefined || merge.loser === undefined;
  return deleted && entries.length === 0 ? undefined : Object.fromEntries(entries);
}

function keyed(value: Plain | undefined): PlainObject {
  return isPlainObject(value) ? value : {};
}

/** Keys are free: only own ones count, whatever they are called. */
function at(value: PlainObject, key: string): Plain | undefined {
  return Object.hasOwn(value, key) ? value[key] : undefined;
}

function escaped(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}
