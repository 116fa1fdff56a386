const mark = '~hedge';

/** What permits and attempts of a task's hedge go by: no task is named like that. */
export function hedgeName(task: string): string {
  return `${task}${mark}`;
}

/** The task whose hedge, or hedge's worker, goes by this name; undefined: it is none's. */
export function hedgedTask(name: string): string | undefined {
  const at = name.lastIndexOf(mark);
  return at > 0 ? name.slice(0, at) : undefined;
}
