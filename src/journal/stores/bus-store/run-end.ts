import type { JournalRecord } from '../../record.ts';

/** The last word of some records about the end of their run: its wall time in milliseconds, or `reopened`. */
export function lastEnd(records: readonly JournalRecord[]): number | 'reopened' | undefined {
  const last = records.findLast(({ type }) => type === 'run.ended' || type === 'run.reopened');
  if (!last) return undefined;
  return last.type === 'run.ended' ? last.at : 'reopened';
}

/** When a run ended that has all these records; undefined: it has not. */
export function endOf(records: readonly JournalRecord[]): number | undefined {
  const end = lastEnd(records);
  return end === 'reopened' ? undefined : end;
}
