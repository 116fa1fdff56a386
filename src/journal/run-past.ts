import { TroupeError } from '../core/errors.ts';
import type { RunOutcome } from '../core/outcome.ts';
import type { Checkpoint } from './checkpoint.ts';
import type { JournalRecord, RunStarted } from './record.ts';

/** What a journal holds of a run: a fold of the first records and the others, or all of them. */
export interface RunPast {
  readonly records: readonly JournalRecord[];
  readonly checkpoint?: Checkpoint | undefined;
}

/**
 * The first record of a run.
 * @throws TroupeError TRP_JOURNAL_CORRUPT when it is another one
 */
export function startIn(records: readonly JournalRecord[]): RunStarted {
  const [first] = records;
  if (first?.type === 'run.started') return first;
  throw new TroupeError('TRP_JOURNAL_CORRUPT', 'The journal does not begin with the start.');
}

/** How a run has ended, told without a fold; undefined: it has not. */
export function outcomeIn({ checkpoint, records }: RunPast): RunOutcome | undefined {
  const last = records.findLast(({ type }) => type === 'run.ended' || type === 'run.reopened');
  if (last) return last.type === 'run.ended' ? last.outcome : undefined;
  return checkpoint?.state.outcome;
}

/** What a run began with, and the document that it has gone on with since. */
export function startWith(start: RunStarted, records: readonly JournalRecord[]): RunStarted {
  const migrated = records.findLast((record) => record.type === 'workflow.migrated');
  if (migrated?.type !== 'workflow.migrated') return start;
  return { ...start, workflow: migrated.workflow, source: migrated.source };
}
