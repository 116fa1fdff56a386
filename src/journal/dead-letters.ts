import type { Plain } from '../core/plain.ts';
import type { JournalRecord } from './record.ts';
import type { LetterDead } from './supervision-records.ts';

/** Something that could be neither delivered nor applied, as a run's journal tells it. */
export interface DeadLetter {
  /** Number of the record that says so. */
  readonly seq: number;
  /** Wall milliseconds. */
  readonly at: number;
  /** `quarantined`: the whole task was left alone. */
  readonly kind: LetterDead['kind'] | 'quarantined';
  /** For people. */
  readonly reason: string;
  readonly task: string | null;
  readonly attempt: number | null;
  /** What it was; null: it was too large to be kept, or is not known. */
  readonly letter: Plain;
  /** What the journal says of the task up to then, the newest {@link maxSlice} records of it. */
  readonly slice: readonly JournalRecord[];
}

/** Letters that are listed of one run, the newest; the journal has them all. */
export const maxDeadLetters = 10_000;

/** Records of the task that a letter comes with. */
export const maxSlice = 100;

/** Bytes of JSON up to which what was dropped is kept in the journal. */
export const maxLetterBytes = 65_536;

/** The dead letters of a run, oldest first. */
export function deadLettersOf(records: readonly JournalRecord[]): readonly DeadLetter[] {
  const slices = new Map<string, JournalRecord[]>();
  const letters: DeadLetter[] = [];
  for (const record of records) {
    const slice = 'task' in record ? addedTo(slices, record as Named) : [];
    const letter = letterOf(record);
    if (letter) letters.push({ ...letter, slice: slice.slice(-maxSlice) });
  }
  return letters.slice(-maxDeadLetters);
}

/** What is kept of a value that is dropped: all of it, or nothing if it is large. */
export function keptLetter(value: Plain): { readonly letter?: Plain } {
  const bytes = JSON.stringify(value)?.length ?? 0;
  return bytes > maxLetterBytes ? {} : { letter: value };
}

type Named = JournalRecord & { readonly task: string };

function addedTo(slices: Map<string, JournalRecord[]>, record: Named): JournalRecord[] {
  const known = slices.get(record.task) ?? [];
  known.push(record);
  // Twice the slice, so that dropping the old ones costs O(1) per record.
  if (known.length > 2 * maxSlice) known.splice(0, known.length - maxSlice);
  slices.set(record.task, known);
  return known;
}

function letterOf(record: JournalRecord): Omit<DeadLetter, 'slice'> | undefined {
  const { seq, at } = record;
  if (record.type === 'result.late') {
    const { task, attempt, letter = null } = record;
    const reason = 'The result came when the end of its task had been decided.';
    return { seq, at, kind: 'late_result', reason, task, attempt, letter };
  }
  if (record.type === 'letter.dead') {
    const { kind, reason, task = null, attempt = null, letter = null } = record;
    return { seq, at, kind, reason, task, attempt, letter };
  }
  if (record.type !== 'task.ended') return undefined;
  const kinds = { quarantined: 'quarantined', write_refused: 'refused' } as const;
  const kind = kinds[record.reason as keyof typeof kinds];
  if (kind === undefined) return undefined;
  const { task, error, attempt = null } = record;
  return { seq, at, kind, reason: error?.message ?? record.reason, task, attempt, letter: null };
}
