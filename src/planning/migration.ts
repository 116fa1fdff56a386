import { canonicalJson } from '../core/canonical.ts';
import type { Plain } from '../core/plain.ts';
import type { TaskSpec, Workflow } from '../workflow/model.ts';

/** What of a run is to be done anew when its document changes. */
export interface Migration {
  /** Tasks that are new, or whose own lines or agent have changed. */
  readonly changed: readonly string[];
  /** Those, and all that follows from them. */
  readonly reset: readonly string[];
  readonly groups: readonly string[];
  readonly dropped: readonly string[];
}

/**
 * Compares two documents of one workflow. A task keeps its result when neither it nor its agent has changed, nor
 * anything that it needs, nor the members of a group that it needs. Memory is not followed: a task that only reads
 * what another has written there should need it.
 */
export function migrationOf(before: Workflow, after: Workflow): Migration {
  const [was, is] = [before, after].map(texts) as [Texts, Texts];
  const changed = after.tasks.map(({ id }) => id).filter((id) => was.tasks[id] !== is.tasks[id]);
  const touched = new Set(changed);
  const joined = new Set(
    after.groups.map(({ id }) => id).filter((id) => was.groups[id] !== is.groups[id]),
  );
  for (let count = -1; count !== touched.size + joined.size;) {
    count = touched.size + joined.size;
    for (const task of after.tasks) if (follows(task, touched, joined)) touched.add(task.id);
    for (const { id, members } of after.groups)
      if (members.some((member) => touched.has(member))) joined.add(id);
  }
  for (const id of touched) joined.add(id);
  const known = new Set(after.tasks.map(({ id }) => id));
  const dropped = before.tasks.map(({ id }) => id).filter((id) => !known.has(id));
  return { changed, reset: [...touched], groups: [...joined], dropped };
}

interface Texts {
  readonly tasks: { readonly [id: string]: string };
  readonly groups: { readonly [id: string]: string };
}

/** What a result depends on, as text; where the document lies does not count. */
function texts({ tasks, groups, agents }: Workflow): Texts {
  const textOf = (value: unknown): string => canonicalJson(value as Plain);
  return {
    tasks: Object.fromEntries(
      tasks.map((task) => [task.id, textOf([task, agents[task.agent] ?? null])]),
    ),
    groups: Object.fromEntries(groups.map((group) => [group.id, textOf(group)])),
  };
}

function follows(
  { needs, validates }: TaskSpec,
  touched: ReadonlySet<string>,
  joined: ReadonlySet<string>,
): boolean {
  if (validates !== undefined && touched.has(validates)) return true;
  return needs.some(({ on, target }) => (target === 'group' ? joined : touched).has(on));
}
