import type { Reason } from '../../core/outcome.ts';
import type { Plain } from '../../core/plain.ts';
import type { TaskRow } from '../../journal/run-state.ts';
import { enqueue } from './agenda.ts';
import type { RunCore } from './core.ts';
import { endTask } from './task-end.ts';

/** Checks after completion: a checker that says `accepted: false` sends the task back for a new iteration. */

/** The task has an output and checkers: they may start. */
export function completed(core: RunCore, id: string): void {
  if (core.ledger.state.tasks.get(id)?.phase !== 'completed') return;
  const { ready } = core.frontier.complete(id);
  judge(core, id);
  // Judged on what its checkers have said before a crash, it may be on its way back: nobody checks it then.
  if (core.ledger.state.tasks.get(id)?.phase !== 'waiting') enqueue(core.agenda.ready, ready);
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
  if (core.groups.has(id)) return true;
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
  const recheck = core.book.checkersOf(id).filter((checker) => canCheckAgain(core, checker));
  const by = objections.map((checker) => checker.id);
  const feedback = objections.map(({ output }) => field(output, 'feedback') ?? output);
  const iteration = row.iteration + 1;
  core.ledger.commit([{ type: 'task.sent_back', task: id, by, iteration, feedback, recheck }], () =>
    core.agenda.ready.push(id),
  );
  // What is derived from the fold follows it at once; only the new round itself waits for the record.
  core.frontier.rearm(recheck);
  for (const checker of recheck) core.settled.delete(checker);
  core.book.forget(core.book.task(id));
}

const endedByOthers: ReadonlySet<Reason | undefined> = new Set([
  'upstream_failed',
  'upstream_skipped',
  'barrier_released',
  'barrier_failed',
  'quorum_reached',
]);

/** A checker that could not run the first time, for want of something else, cannot run now either. */
function canCheckAgain({ ledger }: RunCore, id: string): boolean {
  return !endedByOthers.has(ledger.state.tasks.get(id)?.reason);
}

function field(value: Plain, name: string): Plain | undefined {
  if (value === null || typeof value !== 'object' || !Object.hasOwn(value, name)) return undefined;
  return (value as { readonly [key: string]: Plain })[name];
}
