import type { GroupSpec, Need, TaskSpec, Workflow } from '../workflow/model.ts';

/** Why one node comes after, or looks at, another. Context edges order nothing. */
export type EdgeKind = 'data' | 'stream' | 'context' | 'validation';

/** `to` depends on `from`. */
export interface GraphEdge {
  readonly from: string;
  readonly to: string;
  readonly kind: EdgeKind;
}

/** Which tasks check which: from the id of the checked task to the ids of its checkers, in document order. */
export type Checkers = ReadonlyMap<string, ReadonlySet<string>>;

/** A need of a task on a group's first contribution; which member that is, is decided by estimates. */
export interface StreamNeed {
  readonly group: GroupSpec;
  readonly to: string;
}

/** Collects who checks whom, from `validates` and from needs of kind validation (a group stands for its members). */
export function checkersOf(workflow: Workflow): Checkers {
  const checkers = new Map<string, Set<string>>();
  const taskIds = new Set(workflow.tasks.map((task) => task.id));
  const groups = new Map(workflow.groups.map((group) => [group.id, group]));
  const add = (checked: string, checker: string): void => {
    if (checked === checker || !taskIds.has(checked) || !taskIds.has(checker)) return;
    const known = checkers.get(checked);
    if (known) known.add(checker);
    else checkers.set(checked, new Set([checker]));
  };
  for (const task of workflow.tasks) {
    if (task.validates !== undefined) add(task.validates, task.id);
    for (const need of task.needs) {
      if (need.kind !== 'validation') continue;
      for (const checker of groups.get(need.on)?.members ?? [need.on]) add(task.id, checker);
    }
  }
  return checkers;
}

/**
 * Whether a data need of a task is met as soon as the other task has completed, before it is accepted:
 * so for the checker of that task, and for generated cross-checks, whose members check each other and
 * would otherwise wait in a circle.
 */
export function needsCompletionOnly(task: TaskSpec, need: Need, checkers: Checkers): boolean {
  if (need.target !== 'task' || need.kind === 'context') return false;
  if (checkers.get(need.on)?.has(task.id)) return true;
  return task.generated && task.validates !== undefined;
}

/** Edges that stand in the document, without those of streams on groups and without waits for acceptance. */
export function declaredEdges(workflow: Workflow, checkers: Checkers): GraphEdge[] {
  const edges: GraphEdge[] = [];
  for (const task of workflow.tasks) edges.push(...needEdges(task, checkers));
  for (const [from, tasks] of checkers) {
    for (const to of tasks) edges.push({ from, to, kind: 'validation' });
  }
  for (const group of workflow.groups) {
    for (const from of group.members) edges.push({ from, to: group.id, kind: 'data' });
    for (const from of group.validators) edges.push({ from, to: group.id, kind: 'validation' });
  }
  return edges;
}

function needEdges(task: TaskSpec, checkers: Checkers): GraphEdge[] {
  const edges: GraphEdge[] = [];
  for (const need of task.needs) {
    if (need.kind === 'validation' || isGroupStream(need)) continue;
    const kind = needsCompletionOnly(task, need, checkers) ? 'validation' : need.kind;
    edges.push({ from: need.on, to: task.id, kind });
  }
  return edges;
}

/** Needs that are met by the first contribution of a group. */
export function streamNeeds(workflow: Workflow): StreamNeed[] {
  const groups = new Map(workflow.groups.map((group) => [group.id, group]));
  const needs: StreamNeed[] = [];
  for (const task of workflow.tasks) {
    for (const need of task.needs) {
      const group = isGroupStream(need) ? groups.get(need.on) : undefined;
      if (group) needs.push({ group, to: task.id });
    }
  }
  return needs;
}

function isGroupStream(need: Need): boolean {
  return need.kind === 'stream' && need.target === 'group';
}

/** Dependents of a checked task wait until it is accepted, which is when its checkers have ended. */
export function acceptanceEdges(edges: readonly GraphEdge[], checkers: Checkers): GraphEdge[] {
  const waits: GraphEdge[] = [];
  for (const { from, to, kind } of edges) {
    if (kind === 'context' || kind === 'validation') continue;
    for (const checker of checkers.get(from) ?? []) {
      if (checker !== to) waits.push({ from: checker, to, kind: 'validation' });
    }
  }
  return waits;
}

const edgeKinds: readonly EdgeKind[] = ['data', 'stream', 'context', 'validation'];

/** Without repetitions of the same two nodes and kind. A number as key: text would cost more than all the rest. */
export function distinctEdges(
  edges: readonly GraphEdge[],
  numberOf: (id: string) => number,
): GraphEdge[] {
  const seen = new Set<number>();
  return edges.filter(({ from, to, kind }) => {
    const pair = numberOf(from) * 2 ** 24 + numberOf(to);
    return seen.size < seen.add(pair * edgeKinds.length + edgeKinds.indexOf(kind)).size;
  });
}
