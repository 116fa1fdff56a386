import { journalLaws } from '../../src/simulation/journal-laws.ts';
import type { RecordCheck } from '../../src/simulation/journal-laws.ts';
import { splitTaskOf } from '../../src/workflow/model.ts';

/** Outputs of scripted bodies say which attempt they come from; see bodies.ts. */
const isFresh: RecordCheck = ({ record, state }) => {
  if (record.type !== 'task.succeeded' && record.type !== 'task.completed') return undefined;
  const { task, output } = record;
  const own = 'attempt' in record ? record.attempt : undefined;
  const from = output as { task?: string; iteration?: number; attempt?: number } | null;
  if (typeof from !== 'object' || from?.task !== task) return undefined;
  const iteration = state.tasks.get(splitTaskOf(task))?.iteration;
  // Of several attempts at once it says which one it is of.
  const attempt = own ?? state.tasks.get(task)?.attempt;
  if (from.iteration === iteration && from.attempt === attempt) return undefined;
  return `it is of round ${from.iteration}, attempt ${from.attempt}`;
};

/** Bodies that lived on after an abort say so in their result. */
const isInTime: RecordCheck = ({ record }) => {
  if (record.type !== 'task.succeeded' && record.type !== 'task.completed') return undefined;
  const { after } = (record.output ?? {}) as { after?: string };
  return after === 'timeout' ? 'it came after its time limit' : undefined;
};

/** What holds for every journal, and for those of scripted bodies beside. */
export const scriptedLaws = {
  ...journalLaws,
  'a result comes from the attempt and the round that run': isFresh,
  'a result comes within the time of its attempt': isInTime,
};
