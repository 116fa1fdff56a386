import type { TaskSpec, Workflow } from '../workflow/model.ts';

/**
 * A task and everything that its result goes into: tasks and groups that need it, whoever judges it, and what those
 * lead to. For a task that judges another one it is that one's: a verdict is worth nothing without new work. Context
 * is no dependency: who uses what is there keeps what it has used. In document order, tasks first.
 */
export function downstreamOf(workflow: Workflow, task: string): readonly string[] {
  const start = workflow.tasks.find(({ id }) => id === task)?.validates ?? task;
  const found = new Set([start]);
  const takers = takersOf(workflow);
  for (const id of found) for (const taker of takers.get(id) ?? []) found.add(taker);
  const known = [...workflow.tasks, ...workflow.groups].map(({ id }) => id);
  return known.filter((id) => found.has(id));
}

function takersOf({ tasks, groups }: Workflow): ReadonlyMap<string, readonly string[]> {
  const takers = new Map<string, string[]>();
  const note = (from: string, to: string): void => {
    const list = takers.get(from);
    if (list) list.push(to);
    else takers.set(from, [to]);
  };
  for (const task of tasks) for (const from of sourcesOf(task)) note(from, task.id);
  for (const { id, members } of groups) for (const member of members) note(member, id);
  return takers;
}

function sourcesOf({ needs, validates }: TaskSpec): readonly string[] {
  const needed = needs.flatMap(({ on, kind }) =>
    kind === 'data' || kind === 'stream' ? [on] : [],
  );
  return validates === undefined ? needed : [...needed, validates];
}
