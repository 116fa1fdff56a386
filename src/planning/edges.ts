import type { GroupSpec, Need, TaskSpec, Workflow } from '../workflow/model.ts';
import { needsCompletionOnly } from './checkers.ts';
import type { Checkers } from './checkers.ts';

/** Why one node comes after, or looks at, another. Context edges order nothing. */
export type EdgeKind = 'data' | 'stream' | 'context' | 'validation';

/** `to` depends on `from`. */
export interface GraphEdge {
  readonly from: string;
  readonly to: string;
  readonly kind: EdgeKind;
}

/** A need of a task on a group's first contribution; which member that is, is decided by estimates. */
export interface StreamNeed {
  readonly group: GroupSpec;
  readonly to: string;
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
