import { TroupeError } from '../core/errors.ts';
import type { GroupSpec, TaskSpec, Workflow } from '../workflow/model.ts';
import { checkersOf } from './checkers.ts';
import type { Checkers } from './checkers.ts';
import { durationOf } from './durations.ts';
import { acceptanceEdges, declaredEdges, distinctEdges, streamNeeds } from './edges.ts';
import type { GraphEdge, StreamNeed } from './edges.ts';
import { cycleIn, reachableFrom, reversed, topologicalOrder } from './topological.ts';
import type { Adjacency } from './topological.ts';

/** A task or a group. `index` is its number in {@link TaskGraph.nodes}. */
export interface GraphNode {
  readonly id: string;
  readonly index: number;
  readonly task: TaskSpec | undefined;
  readonly group: GroupSpec | undefined;
}

/**
 * The dependency graph of a workflow: what must come before what. Tasks first, in document order, then
 * groups. `successors`, `predecessors` and `order` hold node numbers and know only edges that order.
 */
export interface TaskGraph {
  readonly workflow: Workflow;
  readonly nodes: readonly GraphNode[];
  readonly indexOf: ReadonlyMap<string, number>;
  /** Every edge, those of context included. */
  readonly edges: readonly GraphEdge[];
  readonly checkers: Checkers;
  readonly successors: Adjacency;
  readonly predecessors: Adjacency;
  /** Topological; ties by document order, a group right where its last member stands. */
  readonly order: readonly number[];
}

/**
 * Builds the dependency graph over tasks and groups.
 * @throws TroupeError TRP_WORKFLOW_CYCLE naming the path, TRP_WORKFLOW_UNKNOWN_REF for a need on nothing.
 */
export function buildGraph(workflow: Workflow): TaskGraph {
  const parts = partsOf(workflow);
  const graph = completed(parts);
  if (graph.order.length === graph.nodes.length) return graph;
  throw new TroupeError('TRP_WORKFLOW_CYCLE', `These wait for each other: ${cycleText(graph)}`);
}

/** One cycle of the workflow as ids, each a dependency of the next and the last of the first; undefined: none. */
export function findCycle(workflow: Workflow): string[] | undefined {
  const graph = completed(partsOf(workflow));
  return cycleIn(graph.successors)?.map((node) => idOf(graph, node));
}

/** The ids that wait for a node, in document order. */
export function dependents(graph: TaskGraph, id: string): string[] {
  return (graph.successors[nodeNumber(graph, id)] ?? []).map((node) => idOf(graph, node));
}

/** The ids that a node waits for, in document order. */
export function dependencies(graph: TaskGraph, id: string): string[] {
  return (graph.predecessors[nodeNumber(graph, id)] ?? []).map((node) => idOf(graph, node));
}

/** The id of a node by its number. */
export function idOf(graph: Pick<TaskGraph, 'nodes'>, node: number): string {
  return graph.nodes[node]?.id ?? '';
}

function nodeNumber(graph: TaskGraph, id: string): number {
  const node = graph.indexOf.get(id);
  if (node === undefined)
    throw new TroupeError('TRP_INTERNAL', `No task or group "${id}" in the graph`);
  return node;
}

function cycleText(graph: TaskGraph): string {
  const path = (cycleIn(graph.successors) ?? []).map((node) => idOf(graph, node));
  return [...path, path[0]].join(' -> ');
}

interface GraphParts {
  readonly workflow: Workflow;
  readonly nodes: readonly GraphNode[];
  readonly indexOf: ReadonlyMap<string, number>;
  readonly checkers: Checkers;
  readonly declared: readonly GraphEdge[];
  readonly streams: readonly StreamNeed[];
}

function partsOf(workflow: Workflow): GraphParts {
  const tasks = workflow.tasks.map((task) => ({ id: task.id, task, group: undefined }));
  const groups = workflow.groups.map((group) => ({ id: group.id, task: undefined, group }));
  const nodes = [...tasks, ...groups].map((node, index) => ({ ...node, index }));
  const checkers = checkersOf(workflow);
  return {
    workflow,
    nodes,
    indexOf: new Map(nodes.map((node) => [node.id, node.index])),
    checkers,
    declared: declaredEdges(workflow, checkers),
    streams: streamNeeds(workflow),
  };
}

/** Adds streams and waits for acceptance. The result has a short `order` when it is cyclic. */
function completed(parts: GraphParts): TaskGraph {
  if (parts.streams.length === 0) return assembled(parts, []);
  const base = adjacencyOf(parts, parts.declared);
  const finish = earliestFinish(parts, base);
  const simple = assembled(
    parts,
    streamEdges(parts, finish, () => undefined),
  );
  if (simple.order.length === parts.nodes.length) return simple;
  // The quickest member may itself wait for the reader of the stream: then only the others can be first.
  return assembled(
    parts,
    streamEdges(parts, finish, (reader) => reachableFrom(base, reader)),
  );
}

function assembled(parts: GraphParts, streams: readonly GraphEdge[]): TaskGraph {
  const declared = [...parts.declared, ...streams];
  const edges = distinctEdges([...declared, ...acceptanceEdges(declared, parts.checkers)], (id) =>
    numberOf(parts, id),
  );
  const successors = adjacencyOf(parts, edges);
  const { workflow, nodes, indexOf, checkers } = parts;
  const order = topologicalOrder(successors, places(parts));
  return {
    workflow,
    nodes,
    indexOf,
    edges,
    checkers,
    successors,
    predecessors: reversed(successors),
    order,
  };
}

function adjacencyOf(parts: GraphParts, edges: readonly GraphEdge[]): number[][] {
  const successors: number[][] = parts.nodes.map(() => []);
  for (const { from, to, kind } of edges) {
    if (kind !== 'context') successors[numberOf(parts, from)]?.push(numberOf(parts, to));
  }
  // Two edges of different kinds may join the same two nodes; order counts them once.
  return successors.map((nexts) =>
    nexts.sort((a, b) => a - b).filter((next, at) => next !== nexts[at - 1]),
  );
}

function numberOf(parts: GraphParts, id: string): number {
  const node = parts.indexOf.get(id);
  if (node !== undefined) return node;
  throw new TroupeError(
    'TRP_WORKFLOW_UNKNOWN_REF',
    `Nothing is called "${id}" in workflow "${parts.workflow.name}"`,
  );
}

/** Where a node stands in the document; a group comes right after its last member. */
function places({ nodes, indexOf }: GraphParts): number[] {
  return nodes.map(({ group, index }) => {
    if (!group) return index;
    return (
      group.members.reduce((last, member) => Math.max(last, indexOf.get(member) ?? 0), -1) + 0.5
    );
  });
}

/** Earliest finish of every node, in milliseconds, as far as the graph without streams tells. */
function earliestFinish(parts: GraphParts, successors: Adjacency): number[] {
  const finish = parts.nodes.map(({ task }) => (task ? durationOf(task) : 0));
  const ready = new Float64Array(parts.nodes.length);
  for (const node of topologicalOrder(successors)) {
    finish[node] = (finish[node] ?? 0) + (ready[node] ?? 0);
    for (const next of successors[node] ?? [])
      ready[next] = Math.max(ready[next] ?? 0, finish[node] ?? 0);
  }
  return finish;
}

/** For every stream on a group, an edge from the member that contributes first by estimates. */
function streamEdges(
  parts: GraphParts,
  finish: readonly number[],
  behind: (reader: number) => ReadonlySet<number> | undefined,
): GraphEdge[] {
  return parts.streams.flatMap(({ group, to }) => {
    const reader = numberOf(parts, to);
    const later = behind(reader);
    const able = group.members
      .map((id) => numberOf(parts, id))
      .filter((node) => node !== reader && !later?.has(node));
    // Nobody can be first: keep a member, so that the circle is found and told.
    const [head = reader, ...rest] =
      able.length > 0 ? able : group.members.map((id) => numberOf(parts, id));
    const first = rest.reduce(
      (best, node) => ((finish[node] ?? 0) < (finish[best] ?? 0) ? node : best),
      head,
    );
    return [{ from: idOf(parts, first), to, kind: 'stream' as const }];
  });
}
