import { contentHash } from '../core/canonical.ts';
import { keyPattern } from '../core/key-pattern.ts';
import type { Plain } from '../core/plain.ts';
import type { MemoryChange, MemoryCommitted } from '../journal/record.ts';
import { Entry } from './entry.ts';
import type { EntryVersion, Writer } from './entry.ts';
import type { MemoryReader } from './view.ts';

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
  apply(record: MemoryCommitted & { readonly seq: number }): void {
    if (record.seq <= this.latest || this.applied.has(record.op)) return;
    const { agent, task, op, priority } = record;
    for (const change of record.changes) this.write(change, record.seq, { agent, task, op, priority });
    this.applied.add(op);
    this.latest = record.seq;
  }

  /** Whether an operation's changes are in. */
  hasApplied(op: string): boolean {
    return this.applied.has(op);
  }

  /** The last write to a key; undefined: never written. A deletion is a write. */
  lastWrite(key: string): EntryVersion | undefined {
    return this.entries.get(key)?.latest;
  }

  /** The write that a reader at the revision sees. */
  writeAt(key: string, revision: number): EntryVersion | undefined {
    return this.entries.get(key)?.at(revision);
  }

  /** A consistent view at a revision, by default the latest. Costs nothing to make and to keep. */
  view(revision: number = this.latest): MemoryReader {
    const get = (key: string): Plain | undefined => this.writeAt(key, revision)?.value;
    return {
      revision,
      get,
      keys: (pattern = '>') => {
        const matches = keyPattern(pattern);
        return this.allKeys().filter((key) => matches(key) && get(key) !== undefined);
      },
    };
  }

  /** SHA-256 of the current content: equal contents have equal hashes, however they came about. */
  hash(): string {
    const { get, keys } = this.view();
    return contentHash(keys().map((key) => [key, get(key) as Plain]));
  }

  private write(change: MemoryChange, revision: number, writer: Writer): void {
    let entry = this.entries.get(change.key);
    if (!entry) {
      entry = new Entry();
      this.entries.set(change.key, entry);
      this.sortedKeys = undefined;
    }
    entry.add({ revision, value: 'deleted' in change ? undefined : change.value, writer });
  }

  private allKeys(): readonly string[] {
    this.sortedKeys ??= [...this.entries.keys()].sort();
    return this.sortedKeys;
  }
}
