import { TroupeError } from '../core/errors.ts';
import { downstreamOf } from '../planning/downstream.ts';
import { splitTaskOf } from '../workflow/model.ts';
import { fold } from './fold.ts';
import type { JournalRecord, MemoryCommitted, RecordBody, RunStarted } from './record.ts';
import type { RunState } from './run-state.ts';

/** The records that stand before those taken over: the start, and who owns the run. */
const recordsBefore = 2;

/** What a new run takes over from another one. */
export interface Inherited {
  /** How the other run was started. */
  readonly start: RunStarted;
  /** Results, and what came with them into memory. */
  readonly inherited: readonly RecordBody[];
}

/**
 * The finished results of a run that do not depend on a task, as facts for a new run. What had not succeeded is done
 * there anew, as is the task and all that its result goes into.
 * @throws TroupeError TRP_TASK_STATE when there is no such task, TRP_RUN_NOT_FOUND when the run never began
 */
export function inheritedRecords(records: readonly JournalRecord[], from: string): Inherited {
  const state = fold(records);
  const [start] = records;
  if (start?.type !== 'run.started')
    throw new TroupeError('TRP_RUN_NOT_FOUND', 'The journal does not begin with a run.');
  const { workflow, run } = start;
  if (!workflow.tasks.some(({ id }) => id === from))
    throw new TroupeError('TRP_TASK_STATE', `Run ${run} has no task "${from}".`, { place: run });
  const anew = new Set(downstreamOf(workflow, from));
  const kept = workflow.tasks.filter(
    ({ id }) => !anew.has(id) && state.tasks.get(id)?.outcome === 'succeeded',
  );
  const reused = kept.map(({ id }): RecordBody => {
    const { attempt = 0, output = null } = state.tasks.get(id) ?? {};
    return { type: 'task.reused', task: id, run, attempt, output };
  });
  const ids = new Set(kept.map(({ id }) => id));
  const memory = commitsOf(records, ids);
  const groups = workflow.groups
    .filter(({ id }) => !anew.has(id))
    .flatMap(({ id }) => groupRecord(state, id));
  const { seq: _seq, at: _at, ...body } = start;
  return { start: body, inherited: [...memory, ...reused, ...groups] };
}

/** Memory as the tasks that are kept have left it, and whoever wrote from outside; numbered for the new run. */
function commitsOf(
  records: readonly JournalRecord[],
  kept: ReadonlySet<string>,
): readonly RecordBody[] {
  const revisions: { readonly before: number; readonly now: number }[] = [];
  const commits: MemoryCommitted[] = [];
  for (const record of records) {
    if (record.type !== 'memory.committed') continue;
    if (record.task !== '' && !kept.has(splitTaskOf(record.task))) continue;
    const { seq, at: _at, base, ...commit } = record;
    const known = revisions.findLast(({ before }) => before <= base);
    commits.push({ ...commit, base: known?.now ?? 0 });
    revisions.push({ before: seq, now: recordsBefore + commits.length });
  }
  return commits;
}

function groupRecord(state: RunState, group: string): readonly RecordBody[] {
  const { phase, outcome, reason, output, census } = state.groups.get(group) ?? {};
  if (phase !== 'ended' || (outcome !== 'succeeded' && outcome !== 'partial')) return [];
  if (!census || !reason) return [];
  return [
    {
      type: 'group.reused',
      group,
      run: state.run,
      outcome,
      reason,
      output: output ?? null,
      census,
    },
  ];
}
