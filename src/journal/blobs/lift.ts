import { encode } from '../../bus/codec.ts';
import type { Plain } from '../../core/plain.ts';
import type { JournalRecord } from '../record.ts';
import { blobBytes } from './blob-port.ts';

/** Where a value was taken out of a record, and by what name it is found; null stands in its place. */
export interface BlobAt {
  /** Keys and indexes from the record down. */
  readonly at: readonly (string | number)[];
  /** SHA-256 of the encoded value, hexadecimal. */
  readonly hash: string;
  readonly bytes: number;
}

/** A record as a store holds it: `blobs` says what was taken out. */
export type StoredRecord = JournalRecord & { readonly blobs?: readonly BlobAt[] };

/** A value that was taken out, encoded. */
export interface LiftedValue {
  readonly at: readonly (string | number)[];
  readonly content: Uint8Array;
}

/** Whether a record may hold a value above the limit. One walk that makes nothing and ends when it knows. */
export function isHeavy(record: JournalRecord): boolean {
  return left(record as unknown as Plain, blobBytes) < 0;
}

/**
 * Takes the values above the limit out of a record: the smallest that are still above it, so that a list of large
 * texts gives one blob per text and not one for each list that they are in.
 */
export function lift(record: JournalRecord): {
  readonly record: JournalRecord;
  readonly values: readonly LiftedValue[];
} {
  const lifter = new Lifter();
  const fields = Object.entries(record as unknown as { [key: string]: Plain }).map(
    ([key, value]) => [key, lifter.visit(value, [key]).value] as const,
  );
  const { values } = lifter;
  return { values, record: Object.fromEntries(fields) as unknown as JournalRecord };
}

/** What is left of a budget of bytes after a value; below 0: it is larger. */
function left(value: Plain, budget: number): number {
  if (typeof value === 'string') return budget - value.length;
  if (value === null || typeof value !== 'object') return budget - 8;
  if (value instanceof Uint8Array) return budget - value.length;
  let rest = budget;
  if (Array.isArray(value)) {
    for (const item of value as readonly Plain[]) if ((rest = left(item, rest)) < 0) return rest;
    return rest;
  }
  const object = value as { readonly [key: string]: Plain };
  for (const key in object) {
    rest = left(object[key] as Plain, rest - key.length);
    if (rest < 0) return rest;
  }
  return rest;
}

interface Visited {
  readonly value: Plain;
  readonly bytes: number;
}

class Lifter {
  readonly values: LiftedValue[] = [];

  visit(value: Plain, at: readonly (string | number)[]): Visited {
    if (value === undefined || value === null || typeof value !== 'object')
      return this.leaf(value, at, typeof value === 'string' ? value.length : 8);
    if (value instanceof Uint8Array) return this.leaf(value, at, value.length);
    const before = this.values.length;
    const visited = Array.isArray(value)
      ? this.list(value as readonly Plain[], at)
      : this.object(value as { readonly [key: string]: Plain }, at);
    if (visited.bytes <= blobBytes)
      return this.values.length === before ? { ...visited, value } : visited;
    this.values.length = before;
    return this.taken(value, at);
  }

  private leaf(value: Plain, at: readonly (string | number)[], bytes: number): Visited {
    return bytes > blobBytes ? this.taken(value, at) : { value, bytes };
  }

  private taken(value: Plain, at: readonly (string | number)[]): Visited {
    this.values.push({ at, content: encode(value) });
    return { value: null, bytes: 1 };
  }

  private list(value: readonly Plain[], at: readonly (string | number)[]): Visited {
    const items = value.map((item, index) => this.visit(item, [...at, index]));
    return { value: items.map((item) => item.value), bytes: sum(items) };
  }

  private object(
    value: { readonly [key: string]: Plain },
    at: readonly (string | number)[],
  ): Visited {
    const entries = Object.entries(value).map(
      ([key, item]) => [key, this.visit(item, [...at, key])] as const,
    );
    const keys = entries.reduce((bytes, [key]) => bytes + key.length, 0);
    return {
      value: Object.fromEntries(entries.map(([key, item]) => [key, item.value])),
      bytes: keys + sum(entries.map(([, item]) => item)),
    };
  }
}

function sum(visited: readonly Visited[]): number {
  return visited.reduce((total, { bytes }) => total + bytes, 0);
}
