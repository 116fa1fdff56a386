import type { Plain, PlainObject } from '../core/plain.ts';
import { isPlainObject, sameContent } from './content.ts';

/** How two edits of one value are combined. */
export interface StructuredMerge {
  readonly base: Plain | undefined;
  readonly winner: Plain | undefined;
  readonly loser: Plain | undefined;
}

/**
 * Three-way merge of two edits of one base: objects key by key, lists, bytes and scalars whole. What only
 * one side changed is taken from that side; what both changed alike is taken once; what both changed
 * differently is a clash, which the winner decides.
 */
export function mergeStructured(merge: StructuredMerge): {
  value: Plain | undefined;
  /** Places that both sides changed, each in its own way. */
  clashes: number;
} {
  const count = { clashes: 0 };
  const value = merged(merge, count);
  return { value, clashes: count.clashes };
}

function merged(merge: StructuredMerge, count: { clashes: number }): Plain | undefined {
  const { base, winner, loser } = merge;
  if (sameContent(winner, loser) || sameContent(loser, base)) return winner;
  if (sameContent(winner, base)) return loser;
  if (isPlainObject(winner) && isPlainObject(loser)) return mergedKeys(merge, count);
  count.clashes++;
  return winner;
}

function mergedKeys(merge: StructuredMerge, count: { clashes: number }): Plain {
  const [base, winner, loser] = [keyed(merge.base), keyed(merge.winner), keyed(merge.loser)];
  const entries: [string, Plain][] = [];
  for (const key of new Set([...Object.keys(winner), ...Object.keys(loser)])) {
    const part = { base: at(base, key), winner: at(winner, key), loser: at(loser, key) };
    const value = merged(part, count);
    if (value !== undefined) entries.push([key, value]);
  }
  return Object.freeze(Object.fromEntries(entries));
}

function keyed(value: Plain | undefined): PlainObject {
  return isPlainObject(value) ? value : {};
}

/** Keys are free: only own ones count, whatever they are called. */
function at(value: PlainObject, key: string): Plain | undefined {
  return Object.hasOwn(value, key) ? value[key] : undefined;
}
