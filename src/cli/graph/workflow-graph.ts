import type { NeedKind, Workflow } from '../../workflow/model.ts';

/** A workflow as a picture has it: clusters of nodes, and edges between either. */
export interface WorkflowGraph {
  readonly name: string;
  readonly clusters: readonly GraphCluster[];
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
}

/** A group. */
export interface GraphCluster {
  readonly id: string;
  readonly mode: 'fork_join' | 'async_merge';
  readonly barrier: 'count_down' | 'smart';
  /** Ids of nodes, in document order. */
  readonly members: readonly string[];
}

/** A task. */
export interface GraphNode {
  readonly id: string;
  readonly agent: string;
  /** `shards`, `aspects` or `for_each` for a task that becomes several. */
  readonly expands: string | null;
  readonly conditional: boolean;
  /** Units per resource kind: tasks whose demands do not fit together never overlap. */
  readonly demand: { readonly [kind: string]: number };
}

/** From what is needed to what needs it. */
export interface GraphEdge {
  readonly from: string;
  readonly from_kind: 'task' | 'group';
  readonly to: string;
  readonly kind: NeedKind;
}

/** The graph of a workflow: tasks as nodes, groups as clusters, one edge per need. */
export function workflowGraph(workflow: Workflow): WorkflowGraph {
  return {
    name: workflow.name,
    clusters: workflow.groups.map(({ barrier, id, members, mode, validators }) => ({
      id,
      mode,
      barrier: barrier.type,
      members: [...members, ...validators],
    })),
    nodes: workflow.tasks.map(({ agent, demand, expand, id, when }) => ({
      id,
      agent,
      expands: expand?.kind ?? null,
      conditional: when !== undefined,
      demand,
    })),
    edges: workflow.tasks.flatMap(({ id, needs }) =>
      needs.map(({ kind, on, target }) => ({ from: on, from_kind: target, to: id, kind })),
    ),
  };
}

/** Nodes that no cluster holds. */
export function looseNodes(graph: WorkflowGraph): readonly GraphNode[] {
  const held = new Set(graph.clusters.flatMap(({ members }) => members));
  return graph.nodes.filter(({ id }) => !held.has(id));
}

/** A node's text: its id, its agent, and what it becomes. */
export function nodeLabel({ agent, conditional, expands, id }: GraphNode): readonly string[] {
  const marks = [expands === null ? '' : `× ${expands}`, conditional ? 'when' : ''].filter(
    (mark) => mark !== '',
  );
  return [id, agent, ...marks];
}
