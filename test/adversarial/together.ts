import { splitTaskOf } from '../../src/workflow/model.ts';
import type { RandomDocument, RandomTask } from './random-workflow.ts';

/** What may not run together, by the document alone. Each says what is wrong with tasks that did, or undefined. */

/** Two hold one lock, and one of them to write. */
export function heldTwice(document: RandomDocument, tasks: readonly string[]): string | undefined {
  const holders = new Map<string, { readers: number; writers: number }>();
  for (const task of declared(document, tasks)) {
    const names = (task.exclusive ?? []).map((name) => ({ name, mode: 'write' }));
    for (const { name, mode } of [...names, ...(task.locks ?? [])]) {
      const count = holders.get(name) ?? { readers: 0, writers: 0 };
      if (mode === 'read') count.readers++;
      else count.writers++;
      holders.set(name, count);
    }
  }
  for (const [name, { readers, writers }] of holders) {
    if (writers > 1 || (writers === 1 && readers > 0))
      return `${writers} write and ${readers} read under ${name}`;
  }
  return undefined;
}

/** More of the cpu is in use than there is. */
export function overdrawn(document: RandomDocument, tasks: readonly string[]): string | undefined {
  const { cpu = 100, cpu_oversubscription: times = 1 } = document.resources ?? {};
  let used = 0;
  for (const { resources } of declared(document, tasks)) used += resources?.cpu ?? 0;
  return used > cpu * times + 1e-6 ? `${used} of ${cpu * times} cpu` : undefined;
}

/** A task that somebody is at. */
export interface Work {
  readonly task: string;
  /** Who says to be at it; default: the task's own agent. */
  readonly agent?: string | undefined;
}

/** An agent works at more than its limit says, whosever tasks they are. */
export function crowded(document: RandomDocument, works: readonly Work[]): string | undefined {
  const counts = new Map<string, number>();
  for (const { task, agent } of works) {
    const own = document.tasks[splitTaskOf(task)]?.agent;
    // What joins outputs is no work of an agent.
    if (own !== undefined) counts.set(agent ?? own, (counts.get(agent ?? own) ?? 0) + 1);
  }
  for (const [agent, count] of counts) {
    const limit = document.agents[agent]?.limits?.concurrency ?? Infinity;
    if (count > limit) return `${count} of ${limit} tasks of ${agent}`;
  }
  return undefined;
}

/** What the document says of tasks and of members of split ones; what joins outputs stands in none. */
function declared({ tasks }: RandomDocument, ids: readonly string[]): RandomTask[] {
  return ids.map((id) => tasks[splitTaskOf(id)]).filter((task) => task !== undefined);
}
