import type { ErrorInfo } from '../../core/errors.ts';
import type { Reason, TaskOutcome } from '../../core/outcome.ts';
import type { Plain } from '../../core/plain.ts';
import type { RecordBody } from '../../journal/record.ts';
import type { RunCore } from './core.ts';

/** How a task's end gets into the journal. What follows from it is on the agenda once it is there. */

/** An end other than success. */
export interface TaskEnd {
  readonly outcome: Exclude<TaskOutcome, 'succeeded'>;
  readonly reason: Reason;
  readonly error?: ErrorInfo;
  /** Its last attempt, where that was never dispatched. */
  readonly attempt?: number | undefined;
  /** What goes before it. */
  readonly records?: readonly RecordBody[];
}

/** Ends a task otherwise than by success, unless it has ended already. */
export function endTask(core: RunCore, id: string, end: TaskEnd): void {
  if (hasEnded(core, id)) return;
  const { records = [] } = end;
  core.ledger.commit([...records, endRecord(id, end)], () => core.agenda.ended.push(id));
}

/**
 * Skips a task. A skip follows from what is in the journal already, so nobody waits for its record: a long
 * cascade costs one turn, not one sync per task.
 */
export function skipTask(core: RunCore, id: string, reason: Reason): void {
  if (hasEnded(core, id)) return;
  core.ledger.commit([endRecord(id, { outcome: 'skipped', reason })]);
  core.agenda.ended.push(id);
}

/**
 * Gives a task its output, together with the memory changes that came with it; `onDurable` runs when both are
 * durable. A task with checkers is completed, not ended, until they have judged.
 */
export function succeedTask(
  core: RunCore,
  id: string,
  success: {
    readonly output: Plain;
    readonly records?: readonly RecordBody[];
    readonly onDurable?: () => void;
    /** The attempt that gave it; default: the newest. */
    readonly attempt?: number | undefined;
  },
): void {
  const { output, records = [], onDurable } = success;
  const attempt = success.attempt ?? core.ledger.state.tasks.get(id)?.attempt ?? 0;
  const checked = core.book.checkersOf(id).length > 0;
  const type = checked ? 'task.completed' : 'task.succeeded';
  core.ledger.commit([...records, { type, task: id, attempt, output }], () => {
    onDurable?.();
    if (checked) core.agenda.completed.push(id);
    else core.agenda.ended.push(id);
  });
}

/** Whether the task has ended, in the journal or about to be there. */
export function hasEnded({ ledger }: RunCore, id: string): boolean {
  return ledger.state.tasks.get(id)?.phase === 'ended';
}

function endRecord(task: string, { outcome, reason, error, attempt }: TaskEnd): RecordBody {
  return {
    type: 'task.ended',
    task,
    outcome,
    reason,
    ...(error === undefined ? {} : { error }),
    ...(attempt === undefined ? {} : { attempt }),
  };
}
