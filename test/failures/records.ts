import type { JournalRecord } from '../../src/journal/record.ts';
import type { RunState } from '../../src/journal/run-state.ts';

/** How a task ended: outcome, reason, attempts. */
export function endsOf(state: RunState, id: string): readonly unknown[] {
  const row = state.tasks.get(id);
  return [row?.outcome, row?.reason, row?.attempt];
}

/** The types of all records, in order. */
export function typesOf(records: readonly JournalRecord[]): readonly string[] {
  return records.map(({ type }) => type);
}
