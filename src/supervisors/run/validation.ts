import type { Plain } from '../../core/plain.ts';
import type { TaskRow } from '../../journal/fold.ts';
import { enqueue } from './core.ts';
import type { RunCore } from './core.ts';
import { endTask } from './ends.ts';

/** Checks after completion: a checker that says `accepted: false` sends the task back for a new iteration. */

/** The task has an output and checkers: they may start. */
export function completed(core: RunCore, id: string): void {
  const { ready } = core.frontier.complete(id);
  enqueue(core.agenda.ready, ready);
  judge(core, id);
}

/**
 * Decides about a completed task once every checker has ended: accept, send back, or fail.
 * @returns false when there is nothing to judge: the task is not waiting for its checkers.
 */
export function judge(core: RunCore, id: string): boolean {
  const row = core.ledger.state.tasks.get(id);
  if (row?.phase !== 'completed') return false;
  const rows = core.book.checkersOf(id).map((checker) => core.ledger.state.tasks.get(checker));
  if (!rows.every((checker) => checker?.phase === 'ended')) return true;
  const objections = rows.filter(
    (checker) => checker !== undefined && objects(checker),
  ) as TaskRow[];
  if (objections.length === 0) accept(core, id);
  else if (row.iteration > core.book.task(id).maxRounds) reject(core, id);
  else sendBack(core, row, objections);
  return true;
}

/** Accepts a completed task as it is: its checkers agree, or nobody waits for them any more. */
export function accept(core: RunCore, id: string): void {
  core.ledger.commit([{ type: 'task.accepted', task: id }], () => core.agenda.ended.push(id));
}

/** A checker that failed has not objected: validation never blocks. */
function objects({ outcome, output }: TaskRow): boolean {
  return outcome === 'succeeded' && field(output, 'accepted') === false;
}

function reject(core: RunCore, id: string): void {
  endTask(core, id, { outcome: 'failed', reason: 'validation_rejected' });
}

function sendBack(core: RunCore, row: TaskRow, objections: readonly TaskRow[]): void {
  const { id } = row;
  const recheck = core.book.checkersOf(id);
  const by = objections.map((checker) => checker.id);
  const feedback = objections.map(({ output }) => field(output, 'feedback') ?? output);
  const iteration = row.iteration + 1;
  core.ledger.commit(
    [{ type: 'task.sent_back', task: id, by, iteration, feedback, recheck }],
    () => {
      core.frontier.rearm(recheck);
      core.book.forget(core.book.task(id));
      core.agenda.ready.push(id);
    },
  );
}

function field(value: Plain, name: string): Plain | undefined {
  if (value === null || typeof value !== 'object' || !Object.hasOwn(value, name)) return undefined;
  return (value as { readonly [key: string]: Plain })[name];
}
