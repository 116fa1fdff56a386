import { keyPattern } from '../core/key-pattern.ts';
import type { MemoryKeySpec, MergerName, Workflow } from '../workflow/model.ts';
import type { MemoryRules } from './propose.ts';

interface Rule<T> {
  readonly matches: (key: string) => boolean;
  readonly gives: T;
}

/**
 * The rules that a workflow sets for its memory. An agent may write what it owns, and a task what it
 * declares in `writes`. Mergers: the first pattern of `memory.keys` that matches, else `priority_merge`
 * below `parallel.` and `first_writer_wins` elsewhere. Answers are remembered per key.
 */
export function ownershipOf(workflow: Workflow): MemoryRules {
  const owners = Object.values(workflow.agents).flatMap((agent) => rulesFor(agent.owns, agent.id));
  const writes = new Map(workflow.tasks.map((task) => [task.id, rulesFor(task.writes, true)]));
  const specs = workflow.memory.keys.flatMap((spec) =>
    rulesFor<MemoryKeySpec>([spec.pattern], spec),
  );
  const specOf = remembered((key) => firstOf(specs, key));
  const owning = new Map(
    Object.values(workflow.agents).map((agent) => [agent.id, rulesFor(agent.owns, true)]),
  );
  const ownerOf = remembered((key) => firstOf(owners, key));
  return {
    ownerOf,
    mergerOf: (key) => specOf(key)?.merge ?? defaultMerger(key),
    specOf,
    allowed: (agent, task, key) =>
      firstOf(owning.get(agent), key) === true ||
      firstOf(writes.get(declaredId(task)), key) === true,
  };
}

/** A member of an expanded task writes what the task declares: `task[3]` as `task`. */
function declaredId(task: string): string {
  const bracket = task.indexOf('[');
  return bracket === -1 ? task : task.slice(0, bracket);
}

function defaultMerger(key: string): MergerName {
  return key.startsWith('parallel.') ? 'priority_merge' : 'first_writer_wins';
}

function rulesFor<T>(patterns: readonly string[], gives: T): readonly Rule<T>[] {
  return patterns.map((pattern) => ({ matches: keyPattern(pattern), gives }));
}

function firstOf<T>(rules: readonly Rule<T>[] | undefined, key: string): T | undefined {
  return rules?.find((rule) => rule.matches(key))?.gives;
}

/** Keys of a run are few and asked for often. */
function remembered<T>(answer: (key: string) => T): (key: string) => T {
  const known = new Map<string, T>();
  return (key) => {
    if (known.has(key)) return known.get(key) as T;
    const fresh = answer(key);
    known.set(key, fresh);
    return fresh;
  };
}
