import type { JournalRecord, RunStarted } from '../journal/record.ts';

/**
 * Laws of journals that are read from the records alone. The fold is part of what is being tested: a law that asks it
 * whether a run is paused, or a task has its output, agrees with it also where it forgets.
 */

type Records = readonly JournalRecord[];

/** A pause holds until the record of its end, whoever carries the run meanwhile. */
export function startedInPause(records: Records): string | undefined {
  let isPaused = false;
  for (const { type, ...rest } of records) {
    if (type === 'run.paused') isPaused = true;
    if (type === 'run.resumed' || type === 'run.reopened' || type === 'run.ended') isPaused = false;
    if (type === 'task.started' && isPaused) return `record ${rest.seq} starts a task in a pause`;
  }
  return undefined;
}

/** A task gets one output in each of its rounds; a reopened run begins anew. */
export function completedTwice(records: Records): string | undefined {
  const completed = new Set<string>();
  for (const record of records) {
    if (record.type === 'run.reopened') completed.clear();
    if (record.type === 'task.sent_back' || record.type === 'task.retried')
      completed.delete(record.task);
    if (record.type !== 'task.completed') continue;
    if (completed.has(record.task)) return `${record.task} has a second output, ${record.seq}`;
    completed.add(record.task);
  }
  return undefined;
}

/** A group that fails for want of a required member before its time has one that did not succeed. */
export function blamedUnheard(records: Records): string | undefined {
  const [start] = records;
  if (start?.type !== 'run.started') return undefined;
  const failed = new Set<string>();
  for (const record of records) {
    if (record.type === 'run.reopened') return undefined;
    if (record.type === 'task.ended') failed.add(record.task);
    if (record.type !== 'barrier.released' || record.timedOut) continue;
    if (record.reason !== 'required_member_failed') continue;
    const required = requiredOf(start, record.group);
    if (required.length > 0 && !required.some((task) => failed.has(task)))
      return `${record.group} blames a required member, and all of them may still succeed`;
  }
  return undefined;
}

/** Required members that the group really has; one that it has not can never succeed. */
function requiredOf({ workflow }: RunStarted, group: string): readonly string[] {
  const spec = workflow.groups.find(({ id }) => id === group);
  if (!spec || spec.barrier.required.some((task) => !spec.members.includes(task))) return [];
  return spec.barrier.required;
}

/** What is said of a step, or of a late result, is said once in a round of its task. */
export function saidTwice(records: Records): string | undefined {
  const said = new Set<string>();
  for (const record of records) {
    if (record.type === 'run.reopened') said.clear();
    const what = saying(record);
    if (what === undefined) continue;
    if (said.has(what)) return `record ${record.seq} says once more: ${what}`;
    said.add(what);
  }
  return undefined;
}

function saying(record: JournalRecord): string | undefined {
  if (record.type === 'step.done')
    return `${record.task} of round ${record.iteration} has done ${record.name}`;
  if (record.type === 'contribution.late') return `${record.member} is late in ${record.group}`;
  return undefined;
}
