import { contentHash } from '../core/canonical.ts';
import { keyPattern } from '../core/key-pattern.ts';
import type { Plain } from '../core/plain.ts';
import type { MemoryChange, MemoryCommitted, MergedKey } from '../journal/record.ts';
import { Entry } from './entry.ts';
import type { EntryWrite } from './entry.ts';
import type { MemoryReader } from './view.ts';

/** A changeset with its place in the journal, which is its revision. */
export type CommittedRecord = MemoryCommitted & { readonly seq: number };

/** The value that a change sets; undefined: it deletes the key. */
export function valueOf(change: MemoryChange): Plain | undefined {
  return 'deleted' in change ? undefined : change.value;
}

/**
 * The memory of one run: the fold of its `memory.committed` records.
 *
 * Invariants:
 * 1. A changeset becomes visible whole: all its keys at one revision, the record's sequence number.
 * 2. What a view reads never changes, whatever is applied later.
 * 3. An operation is applied once; its record a second time changes nothing.
 */
export class RunMemory {
  private readonly entries = new Map<string, Entry>();
  private readonly applied = new Set<string>();
  private sortedKeys: readonly string[] | undefined;
  private latest = 0;

  /** The revision of the last changeset; 0: nothing was written yet. */
  get revision(): number {
    return this.latest;
  }

  /** Applies a record of the journal. Records come in order of sequence. */
  apply(record: CommittedRecord): void {
    if (record.seq <= this.latest || this.applied.has(record.op)) return;
    const proposed = new Map(record.proposed?.map((change) => [change.key, change]));
    for (const change of record.changes)
      this.write(record, change, proposed.get(change.key) ?? change);
    for (const merged of record.merged ?? []) this.writeMerged(record, merged, proposed);
    this.applied.add(record.op);
    this.latest = record.seq;
  }

  /** Whether an operation's changes are in. */
  hasApplied(op: string): boolean {
    return this.applied.has(op);
  }

  /** What a key holds; undefined: it was never written. A deleted key holds undefined. */
  entry(key: string): Entry | undefined {
    return this.entries.get(key);
  }

  /** A consistent view at a revision, by default the latest. Costs nothing to make and to keep. */
  view(revision: number = this.latest): MemoryReader {
    const get = (key: string): Plain | undefined => this.entries.get(key)?.at(revision)?.value;
    return {
      revision,
      get,
      keys: (pattern = '>') => {
        const matches = keyPattern(pattern);
        return this.allKeys().filter((key) => matches(key) && get(key) !== undefined);
      },
    };
  }

  /** SHA-256 of a key's canonical content, by default the latest, made when first asked for; undefined: it is not there. */
  keyHash(key: string, revision: number = this.latest): string | undefined {
    return this.entries.get(key)?.hash(revision);
  }

  /** SHA-256 of the current content: equal contents have equal hashes, however they came about. */
  hash(): string {
    const view = this.view();
    return contentHash(view.keys().map((key) => [key, view.get(key) as Plain]));
  }

  private write(record: CommittedRecord, change: MemoryChange, proposed: MemoryChange): void {
    this.entryFor(change.key).add(valueOf(change), writeOf(record, proposed));
  }

  private writeMerged(
    record: CommittedRecord,
    { key, rule, mergeType: type }: MergedKey,
    proposed: ReadonlyMap<string, MemoryChange>,
  ): void {
    const change = proposed.get(key);
    if (change) this.entryFor(key).addMerged({ rule, type }, writeOf(record, change));
  }

  private entryFor(key: string): Entry {
    const known = this.entries.get(key);
    if (known) return known;
    const entry = new Entry();
    this.entries.set(key, entry);
    this.sortedKeys = undefined;
    return entry;
  }

  private allKeys(): readonly string[] {
    this.sortedKeys ??= [...this.entries.keys()].sort();
    return this.sortedKeys;
  }
}

function writeOf(record: CommittedRecord, proposed: MemoryChange): EntryWrite {
  const { agent, task, op, priority, seq: revision, base: from } = record;
  return { write: { agent, task, op, priority, revision, value: valueOf(proposed) }, from };
}
