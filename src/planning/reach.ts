import type { TaskGraph } from './graph.ts';

/** Sources that one pass can follow: the bits of a number. */
const reachWidth = 32;

/**
 * Which of up to 32 source nodes lead to each node, as bits by the sources' places in the list; a source
 * does not lead to itself. One pass over the topological order, O(V + E).
 */
function reachMasks(graph: TaskGraph, sources: readonly number[]): Int32Array {
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

/** A source, and a test for what it leads to. */
export interface Reach {
  readonly source: number;
  readonly leadsTo: (node: number) => boolean;
}

/** Goes through sources in order; 32 share one pass, made when the first of them is asked for. */
export function* reaches(graph: TaskGraph, sources: readonly number[]): Generator<Reach> {
  for (let from = 0; from < sources.length; from += reachWidth) {
    const block = sources.slice(from, from + reachWidth);
    const masks = reachMasks(graph, block);
    for (const [bit, source] of block.entries()) {
      yield { source, leadsTo: (node) => (((masks[node] ?? 0) >>> bit) & 1) === 1 };
    }
  }
}

/** How many pairs of tasks a path orders. One pass for every 32 tasks. */
export function countOrderedPairs(graph: TaskGraph): number {
  const tasks = tasksInOrder(graph);
  let count = 0;
  for (let from = 0; from < tasks.length; from += reachWidth) {
    const masks = reachMasks(graph, tasks.slice(from, from + reachWidth));
    for (const node of tasks) count += bitsIn(masks[node] ?? 0);
  }
  return count;
}

function bitsIn(mask: number): number {
  let count = 0;
  for (let rest = mask; rest !== 0; rest &= rest - 1) count++;
  return count;
}

/** Task nodes in topological order. */
export function tasksInOrder(graph: TaskGraph): number[] {
  return graph.order.filter((node) => graph.nodes[node]?.task !== undefined);
}
