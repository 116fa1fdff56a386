import type { Clock } from '../../core/clock.ts';

import type { Plain } from '../../core/plain.ts';
import type { KeyBucketOptions, KeyEntry } from '../key-bucket.ts';
import { subjectMatches } from '../subject-grammar.ts';
import { conflictError } from './bus-errors.ts';
import { SubjectTrie } from './subject-trie.ts';

/** What a {@link StoredBucket} is made of. */
export interface StoredBucketOptions extends KeyBucketOptions {
  readonly clock: Clock;
  /** Told of every new value; undefined: nobody wants to know. */
  readonly republished: ((key: string, value: Plain) => void) | undefined;
}

/** A write of one key. */
export interface KeyWrite {
  readonly key: string;
  /** Undefined: a deletion. */
  readonly value: Plain | undefined;
  /** Revision that the key's latest change must have; `absent`: it must have no value. Undefined: whatever. */
  readonly expected?: number | 'absent' | undefined;
}

/** Whoever is told of changes. */
export type ChangeListener = (entry: KeyEntry) => void;

interface Written {
  readonly key: string;
  readonly revision: number;
  readonly atMs: number;
}

const defaultHistory = 8;

/**
 * Versions of keys.
 *
 * Invariants:
 * 1. Revisions grow over all keys, and none is given twice.
 * 2. A key has one to `history` versions, oldest first, or is not there.
 * 3. Before anything is read or written, what has outlived its time is gone.
 */
export class StoredBucket {
  private readonly options: StoredBucketOptions;
  private readonly history: number;
  private readonly versions = new Map<string, KeyEntry[]>();
  private readonly watches = new SubjectTrie<ChangeListener>();
  /** In order of time, when versions have a time to live; what is before `outlived` is gone. */
  private written: Written[] = [];
  private outlived = 0;
  private last = 0;

  constructor(options: StoredBucketOptions) {
    this.options = options;
    this.history = options.history ?? defaultHistory;
  }

  /** Of the latest change of any key. */
  get revision(): number {
    return this.last;
  }

  latest(key: string): KeyEntry | undefined {
    this.expire();
    return this.versions.get(key)?.at(-1);
  }

  historyOf(key: string): readonly KeyEntry[] {
    this.expire();
    return [...(this.versions.get(key) ?? [])];
  }

  /** The new revision. Throws TRP_BUS_CONFLICT. */
  write({ key, value, expected }: KeyWrite): number {
    this.checkExpected(key, expected);
    const entry: KeyEntry = Object.freeze({ key, value, revision: ++this.last });
    this.keep(entry);
    for (const listener of this.watches.match(key)) listener(entry);
    if (value !== undefined) this.options.republished?.(key, value);
    return entry.revision;
  }

  /** Keys that have a value, sorted. */
  keys(pattern: string): readonly string[] {
    return this.matching(pattern)
      .filter(([, versions]) => versions.at(-1)?.value !== undefined)
      .map(([key]) => key)
      .sort();
  }

  purge(pattern: string): void {
    for (const [key] of this.matching(pattern)) this.versions.delete(key);
  }

  /** What every key that fits holds now. */
  present(pattern: string): readonly KeyEntry[] {
    const entries = this.matching(pattern).map(([, versions]) => versions.at(-1) as KeyEntry);
    return inOrder(entries.filter(({ value }) => value !== undefined));
  }

  /** What is still kept of the changes after a revision. */
  changesAfter(revision: number, pattern: string): readonly KeyEntry[] {
    const entries = this.matching(pattern).flatMap(([, versions]) => versions);
    return inOrder(entries.filter((entry) => entry.revision > revision));
  }

  watch(pattern: string, listener: ChangeListener): () => void {
    this.watches.add(pattern, listener);
    return () => this.watches.delete(pattern, listener);
  }

  private matching(pattern: string): readonly (readonly [string, KeyEntry[]])[] {
    this.expire();
    const one = this.versions.get(pattern);
    if (one) return [[pattern, one]];
    if (pattern === '>') return [...this.versions];
    return [...this.versions].filter(([key]) => subjectMatches(pattern, key));
  }

  private checkExpected(key: string, expected: KeyWrite['expected']): void {
    if (expected === undefined) return;
    const latest = this.latest(key);
    const revision = latest?.revision ?? 0;
    if (expected === 'absent') {
      if (latest?.value !== undefined) throw conflictError(`The key ${key}`, 0, revision);
    } else if (expected !== revision) throw conflictError(`The key ${key}`, expected, revision);
  }

  private keep(entry: KeyEntry): void {
    const versions = this.versions.get(entry.key) ?? [];
    versions.push(entry);
    if (versions.length > this.history) versions.shift();
    this.versions.set(entry.key, versions);
    if (this.options.ttlMs === undefined) return;
    this.expire();
    this.written.push({ ...entry, atMs: this.options.clock.now() });
  }

  /** Removes what was written too long ago; without a timer, since nobody sees it before the next call. */
  private expire(): void {
    const { ttlMs, clock } = this.options;
    if (ttlMs === undefined) return;
    const latest = clock.now() - ttlMs;
    for (let next = this.written[this.outlived]; next && next.atMs <= latest;) {
      this.remove(next);
      next = this.written[++this.outlived];
    }
    if (this.outlived * 2 <= this.written.length) return;
    this.written = this.written.slice(this.outlived);
    this.outlived = 0;
  }

  private remove({ key, revision }: Written): void {
    const versions = this.versions.get(key);
    if (versions?.[0]?.revision !== revision) return;
    if (versions.length === 1) this.versions.delete(key);
    else versions.shift();
  }
}

function inOrder(entries: readonly KeyEntry[]): readonly KeyEntry[] {
  return entries.toSorted((a, b) => a.revision - b.revision);
}
