import type { CheckedDocument } from './schema/check.ts';
import type { DocumentPath, FaultList } from './fault.ts';
import type { AgentSpec, GroupSpec, Need, TaskSpec } from './model.ts';

/** A task of the document, as checked by the schema. */
export type TaskSource = CheckedDocument['tasks'][string];

/** A group of the document. */
export type GroupSource = NonNullable<CheckedDocument['groups']>[string];

/** A tier of the document. */
export type TierSource = NonNullable<CheckedDocument['tiers']>[number];

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** A task while groups, tiers and validations still add to it. */
export type TaskDraft = Omit<Mutable<TaskSpec>, 'needs' | 'demand'> & {
  needs: Need[];
  demand: { [kind: string]: number };
};

/** A group while its validators are still being made. */
export type GroupDraft = Mutable<GroupSpec>;

/** Everything that normalising passes from step to step. */
export interface Draft {
  readonly document: CheckedDocument;
  readonly faults: FaultList;
  readonly agents: Map<string, AgentSpec>;
  readonly tasks: Map<string, TaskDraft>;
  readonly groups: Map<string, GroupDraft>;
  /** Where a task or group that the document does not list under its own name was written. */
  readonly places: Map<string, DocumentPath>;
  /** Tasks and groups of which a need or a member is unknown: what they wait for cannot be judged. */
  readonly unsure: Set<string>;
}

/** Where a task or a group stands in the document. */
export function placeOf(draft: Draft, id: string): DocumentPath {
  return draft.places.get(id) ?? (draft.tasks.has(id) ? ['tasks', id] : ['groups', id]);
}

/** Adds a dependency unless it is there. */
export function addNeed(task: TaskDraft, need: Need): void {
  if (!task.needs.some(({ on, kind }) => on === need.on && kind === need.kind))
    task.needs.push(need);
}
