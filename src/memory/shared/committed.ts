import type { ConflictRecorded, MemoryChange, MemoryCommitted } from '../../journal/record.ts';
import type { MemoryRecord } from './frame.ts';

/** What became of a changeset that was committed. */
export interface Committed {
  /** From this revision on every view holds it. */
  readonly revision: number;
  /** What its keys hold at that revision: as proposed, or merged with what others had written. */
  readonly changes: readonly MemoryChange[];
  /** Where it met the writes of others, and what did not make it into the merged value. */
  readonly conflicts: readonly ConflictRecorded[];
}

/** The changesets among records, with the conflicts that stand behind each. */
export function committedIn(
  records: readonly MemoryRecord[],
): readonly { readonly record: MemoryCommitted & { seq: number }; readonly result: Committed }[] {
  const found: { record: MemoryCommitted & { seq: number }; result: Committed }[] = [];
  let conflicts: ConflictRecorded[] = [];
  for (const record of records) {
    if (record.type === 'memory.committed') {
      conflicts = [];
      const { seq: revision, changes } = record;
      found.push({ record, result: { revision, changes, conflicts } });
    } else if (record.type === 'conflict.recorded') {
      conflicts.push(record);
    }
  }
  return found;
}
