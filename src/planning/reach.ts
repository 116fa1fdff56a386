import type { TaskGraph } from './graph.ts';

/** Sources that one pass can follow: the bits of a number. */
export const reachWidth = 32;

/**
 * Which of up to 32 source nodes lead to each node, as bits by the sources' places in the list; a source
 * does not lead to itself. One pass over the topological order, O(V + E).
 */
export function reachMasks(graph: TaskGraph, sources: readonly number[]): Int32Array {
  const own = new Int32Array(graph.nodes.length);
  sources.forEach((node, bit) => {
    own[node] = (own[node] ?? 0) | (1 << bit);
  });
  const masks = new Int32Array(graph.nodes.length);
  for (const node of graph.order) {
    const passed = (masks[node] ?? 0) | (own[node] ?? 0);
    if (passed === 0) continue;
    for (const next of graph.successors[node] ?? []) masks[next] = (masks[next] ?? 0) | passed;
  }
  return masks;
}

/** Calls `visit` for every source with a test for what it leads to; 32 sources share one pass. */
export function forEachReach(
  graph: TaskGraph,
  sources: readonly number[],
  visit: (source: number, leadsTo: (node: number) => boolean) => void,
): void {
  for (let from = 0; from < sources.length; from += reachWidth) {
    const block = sources.slice(from, from + reachWidth);
    const masks = reachMasks(graph, block);
    block.forEach((source, bit) =>
      visit(source, (node) => (((masks[node] ?? 0) >>> bit) & 1) === 1),
    );
  }
}

/** Task nodes in topological order. */
export function tasksInOrder(graph: TaskGraph): number[] {
  return graph.order.filter((node) => graph.nodes[node]?.task !== undefined);
}
