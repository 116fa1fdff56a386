import { idOf } from './graph.ts';
import type { TaskGraph } from './graph.ts';
import { topologicalOrder } from './topological.ts';

/** Tasks that can run at one time as far as dependencies tell. */
export interface ExecutionGroup {
  readonly id: string;
  /** Members of declared groups stand together; else in document order. */
  readonly tasks: readonly string[];
  /** Declared groups whose members are all here. */
  readonly declared: readonly string[];
}

/**
 * Groups by topological level: a task stands one level behind the last that it waits for. Members of a
 * declared group are held back to the level of the latest of them, unless they wait for each other.
 */
export function executionGroups(graph: TaskGraph): ExecutionGroup[] {
  const levels = levelsOf(graph);
  const byLevel: number[][] = [];
  for (const { index, task } of graph.nodes) {
    const level = levels[index];
    if (task && level !== undefined) (byLevel[level] ??= []).push(index);
  }
  return byLevel
    .filter((nodes) => nodes.length > 0)
    .map((nodes, at) => groupOf(graph, nodes, at + 1));
}

function groupOf(graph: TaskGraph, nodes: readonly number[], number: number): ExecutionGroup {
  const here = new Set(nodes.map((node) => idOf(graph, node)));
  const groupIds = new Set(nodes.flatMap((node) => graph.nodes[node]?.task?.group ?? []));
  const whole = graph.workflow.groups.filter(
    ({ id, members }) => groupIds.has(id) && members.every((member) => here.has(member)),
  );
  const tasks = whole.flatMap(({ members }) => members);
  for (const id of tasks) here.delete(id);
  return { id: `group_${number}`, tasks: [...tasks, ...here], declared: whole.map(({ id }) => id) };
}

/** Levels with a gate before every declared group; gates that would close a circle are left out. */
function levelsOf(graph: TaskGraph): number[] {
  const gated = withGates(graph, () => true);
  const order = topologicalOrder(gated);
  if (order.length === gated.length) return longestChains(graph, gated, order);
  const sorted = new Set(order);
  const open = withGates(graph, (gate) => sorted.has(gate));
  return longestChains(graph, open, topologicalOrder(open));
}

/** The graph and, behind its nodes, one gate per group: all that members wait for leads to it, and it to all members. */
function withGates(graph: TaskGraph, kept: (gate: number) => boolean): number[][] {
  const successors = graph.successors.map((nexts) => [...nexts]);
  graph.workflow.groups.forEach(({ members }, at) => {
    const gate = graph.nodes.length + at;
    successors[gate] = [];
    if (!kept(gate)) return;
    const inside = members.map((id) => graph.indexOf.get(id) ?? 0);
    for (const before of new Set(inside.flatMap((node) => graph.predecessors[node] ?? [])))
      successors[before]?.push(gate);
    successors[gate] = inside;
  });
  return successors;
}

/** Longest chain of tasks before each node; groups and gates are no step of their own. */
function longestChains(
  graph: TaskGraph,
  successors: readonly (readonly number[])[],
  order: readonly number[],
): number[] {
  const levels: number[] = successors.map(() => 0);
  for (const node of order) {
    const next = (levels[node] ?? 0) + (graph.nodes[node]?.task ? 1 : 0);
    for (const after of successors[node] ?? []) levels[after] = Math.max(levels[after] ?? 0, next);
  }
  return levels;
}
