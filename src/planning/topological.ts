import { Heap } from '../core/heap.ts';

/** Nodes as dense numbers; `successors[n]` are the nodes that wait for n. */
export type Adjacency = readonly (readonly number[])[];

/**
 * Topological order by Kahn's algorithm (1962); among nodes that are free at once the one with the lowest
 * place goes first, so the order is the least one and independent of how edges are listed.
 * O(V log V + E). Shorter than the number of nodes when some lie on, or behind, a cycle.
 * @param place of each node; by default its number.
 */
export function topologicalOrder(successors: Adjacency, place?: readonly number[]): number[] {
  const waiting = indegrees(successors);
  const placeOf = (node: number): number => place?.[node] ?? node;
  const free = new Heap<number>(
    (a, b) => placeOf(a) < placeOf(b) || (placeOf(a) === placeOf(b) && a < b),
  );
  waiting.forEach((count, node) => {
    if (count === 0) free.push(node);
  });
  const order: number[] = [];
  for (let node = free.pop(); node !== undefined; node = free.pop()) {
    order.push(node);
    for (const next of successors[node] ?? []) {
      waiting[next] = (waiting[next] ?? 0) - 1;
      if (waiting[next] === 0) free.push(next);
    }
  }
  return order;
}

/** How many edges enter each node. */
function indegrees(successors: Adjacency): Int32Array {
  const counts = new Int32Array(successors.length);
  for (const nexts of successors) {
    for (const next of nexts) counts[next] = (counts[next] ?? 0) + 1;
  }
  return counts;
}

/** The same edges, seen from their ends. */
export function reversed(successors: Adjacency): number[][] {
  const predecessors: number[][] = Array.from(successors, () => []);
  successors.forEach((nexts, node) => {
    for (const next of nexts) predecessors[next]?.push(node);
  });
  return predecessors;
}

/**
 * One cycle as a path of nodes in the direction of the edges, first node not repeated at the end;
 * undefined when there is none. Every node that Kahn's algorithm leaves over has a predecessor that is
 * left over too, so walking backwards must meet itself.
 */
export function cycleIn(successors: Adjacency): number[] | undefined {
  const sorted = new Set(topologicalOrder(successors));
  const start = successors.findIndex((_, node) => !sorted.has(node));
  if (start < 0) return undefined;
  const before = reversed(successors);
  const seenAt = new Map<number, number>();
  const walk: number[] = [];
  let node = start;
  while (!seenAt.has(node)) {
    seenAt.set(node, walk.length);
    walk.push(node);
    node = before[node]?.find((previous) => !sorted.has(previous)) ?? start;
  }
  return walk.slice(seenAt.get(node)).reverse();
}

/** The nodes that can be reached from a node, itself excluded (unless it lies on a cycle). */
export function reachableFrom(successors: Adjacency, start: number): Set<number> {
  const reached = new Set<number>();
  const stack = [start];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    for (const next of successors[node] ?? []) {
      if (reached.has(next)) continue;
      reached.add(next);
      stack.push(next);
    }
  }
  return reached;
}
