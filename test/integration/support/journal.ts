import type { JournalRecord } from '../../../src/journal/record.ts';
import { openFileStore } from '../../../src/journal/stores/file-store/file-store.ts';

/** A run as the files of its data folder hold it. */
export interface StoredJournal {
  readonly run: string;
  readonly owner: string | undefined;
  readonly records: readonly JournalRecord[];
}

/** The journals of a data folder, oldest first; read as any other process reads them. */
export async function journalsIn(dataDir: string): Promise<readonly StoredJournal[]> {
  const store = await openFileStore({ dataDir, level: 'process', now: Date.now });
  try {
    const journals: StoredJournal[] = [];
    for (const { run, owner } of await store.list())
      journals.push({ run, owner, records: await store.read(run) });
    return journals;
  } finally {
    await store.close();
  }
}

/** The only run of a data folder. */
export async function journalIn(dataDir: string): Promise<StoredJournal> {
  const [journal, ...others] = await journalsIn(dataDir);
  if (!journal || others.length > 0) throw new Error(`${dataDir} does not hold one run`);
  return journal;
}

/** Tasks with the iteration that each record of a type speaks of, as `task#iteration`, in order. */
export function iterationsOf(
  records: readonly JournalRecord[],
  ...types: readonly JournalRecord['type'][]
): string[] {
  const iterations = new Map<string, number>();
  const found: string[] = [];
  for (const record of records) {
    if (record.type === 'task.started') iterations.set(record.task, record.iteration);
    if (types.includes(record.type) && 'task' in record)
      found.push(`${record.task}#${iterations.get(record.task) ?? 1}`);
  }
  return found;
}

/** Tasks with a result in the journal, each with its iteration. */
export function finishedIn(records: readonly JournalRecord[]): string[] {
  return iterationsOf(records, 'task.succeeded', 'task.completed');
}

/** What was started after so many records although its result stood among them. */
export function startedAgain(records: readonly JournalRecord[], cut: number): string[] {
  const done = new Set(finishedIn(records.slice(0, cut)));
  const started = iterationsOf(records.slice(cut), 'task.started');
  return started.filter((iteration) => done.has(iteration));
}
