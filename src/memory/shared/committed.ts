import type { Plain } from '../../core/plain.ts';
import type { ConflictRecorded, MemoryChange, MemoryCommitted } from '../../journal/record.ts';
import type { CommittedRecord, RunMemory } from '../run-memory.ts';
import type { MemoryRecord } from './frame.ts';

/** What became of a changeset that was committed. */
export interface Committed {
  /** From this revision on every view holds it. */
  readonly revision: number;
  /** What its keys hold at that revision: as proposed, or merged with what others had written. Made when it is read. */
  readonly changes: readonly MemoryChange[];
  /** Where it met the writes of others, and what did not make it into the merged value. */
  readonly conflicts: readonly ConflictRecorded[];
}

/** A changeset and the conflicts that it met, as they stand in a log. */
export interface CommittedEntry {
  readonly record: CommittedRecord;
  readonly conflicts: readonly ConflictRecorded[];
}

/** The changesets among records, with the conflicts that stand behind each. */
export function committedIn(records: readonly MemoryRecord[]): readonly CommittedEntry[] {
  const found: CommittedEntry[] = [];
  let conflicts: ConflictRecorded[] = [];
  for (const record of records) {
    if (record.type === 'memory.committed') {
      conflicts = [];
      found.push({ record, conflicts });
    } else if (record.type === 'conflict.recorded') {
      conflicts.push(record);
    }
  }
  return found;
}

/** The keys that a changeset writes: those whose values stand in it, and those whose values follow from others. */
export function keysOf({ changes, merged = [] }: MemoryCommitted): readonly string[] {
  const keys = changes.map(({ key }) => key);
  return merged.length === 0 ? keys : [...keys, ...merged.map(({ key }) => key)];
}

/** What a changeset made of the keys of a memory that holds it; undefined: deleted. */
export function valuesOf(
  memory: RunMemory,
  record: CommittedRecord,
  matches: (key: string) => boolean = () => true,
): readonly (readonly [key: string, value: Plain | undefined])[] {
  const view = memory.view(record.seq);
  return keysOf(record)
    .filter(matches)
    .map((key) => [key, view.get(key)] as const);
}
