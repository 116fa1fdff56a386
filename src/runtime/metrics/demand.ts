import type { TaskGraph } from '../../planning/graph.ts';
import { splitTaskOf } from '../../workflow/model.ts';

/** Units per kind that a task holds while it runs; a member holds what its task says. */
export function demandOf(
  { nodes, indexOf }: TaskGraph,
  id: string,
): { readonly [kind: string]: number } {
  return nodes[indexOf.get(splitTaskOf(id)) ?? -1]?.task?.demand ?? {};
}

/** The agent whose places a task takes; undefined for members of a split that may have others. */
export function agentOf({ nodes, indexOf }: TaskGraph, id: string): string | undefined {
  const task = nodes[indexOf.get(splitTaskOf(id)) ?? -1]?.task;
  return task?.expand?.kind === 'aspects' ? undefined : task?.agent;
}
