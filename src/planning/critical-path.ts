import { durationOf, releaseOf } from './durations.ts';
import type { DurationOptions } from './durations.ts';
import { idOf } from './graph.ts';
import type { TaskGraph } from './graph.ts';

/** Where a node can lie when nothing but dependencies limits the run. Milliseconds from the run's start. */
export interface NodeTiming {
  readonly id: string;
  readonly durationMs: number;
  readonly earliestStartMs: number;
  readonly latestStartMs: number;
  /** How much later the node may start without the run ending later. */
  readonly slackMs: number;
}

/** The result of the critical path method. */
export interface CriticalPath {
  /** By id, tasks and groups. */
  readonly timings: ReadonlyMap<string, NodeTiming>;
  /** Task ids from the first to the last of one longest chain; groups, which take no time, are left out. */
  readonly path: readonly string[];
  /** Length of that chain: the makespan with unlimited resources. */
  readonly makespanMs: number;
}

/** Differences of time below this share of a millisecond are rounding of sums, not slack. */
const roundingMs = 1e-6;

/** Planned duration of every node, by number; groups take no time. */
function nodeDurations(graph: TaskGraph, options: DurationOptions = {}): number[] {
  return graph.nodes.map(({ task }) => (task ? durationOf(task, options) : 0));
}

/**
 * Earliest and latest starts, slack and one critical path by the critical path method (Kelley and Walker,
 * 1959): a forward and a backward pass over the topological order, O(V + E).
 */
export function criticalPath(graph: TaskGraph, options: DurationOptions = {}): CriticalPath {
  const durations = nodeDurations(graph, options);
  const earliest = earliestStarts(graph, durations, options);
  const tails = tailLengths(graph, durations);
  const makespanMs = earliest.reduce(
    (most, start, node) => Math.max(most, start + (durations[node] ?? 0)),
    0,
  );
  const timings = new Map<string, NodeTiming>();
  for (const { id, index } of graph.nodes) {
    const earliestStartMs = earliest[index] ?? 0;
    const spare = makespanMs - (tails[index] ?? 0) - earliestStartMs;
    const slackMs = spare < roundingMs ? 0 : spare;
    const latestStartMs = earliestStartMs + slackMs;
    timings.set(id, {
      id,
      durationMs: durations[index] ?? 0,
      earliestStartMs,
      latestStartMs,
      slackMs,
    });
  }
  const critical = graph.order.filter((node) => timings.get(idOf(graph, node))?.slackMs === 0);
  return { timings, path: onePath(graph, tails, critical), makespanMs };
}

/**
 * Longest path in milliseconds from a node's start to the end of the run, its own duration included, by id.
 * What the governor ranks by: dispatching by it keeps the critical path moving. O(V + E).
 */
export function ranksToEnd(graph: TaskGraph, options: DurationOptions = {}): Map<string, number> {
  const tails = tailLengths(graph, nodeDurations(graph, options));
  return new Map(graph.nodes.map(({ id, index }) => [id, tails[index] ?? 0]));
}

function earliestStarts(
  graph: TaskGraph,
  durations: readonly number[],
  options: DurationOptions,
): number[] {
  const starts = graph.nodes.map(({ task }) => (task ? releaseOf(task, options) : 0));
  for (const node of graph.order) {
    const finish = (starts[node] ?? 0) + (durations[node] ?? 0);
    for (const next of graph.successors[node] ?? [])
      starts[next] = Math.max(starts[next] ?? 0, finish);
  }
  return starts;
}

function tailLengths(graph: TaskGraph, durations: readonly number[]): number[] {
  const tails = graph.nodes.map(() => 0);
  for (let place = graph.order.length - 1; place >= 0; place--) {
    const node = graph.order[place] ?? 0;
    let longest = 0;
    for (const next of graph.successors[node] ?? []) longest = Math.max(longest, tails[next] ?? 0);
    tails[node] = longest + (durations[node] ?? 0);
  }
  return tails;
}

/** Follows the longest tail from node to node that has no slack; on a tie the node that is first in topological order. */
function onePath(
  graph: TaskGraph,
  tails: readonly number[],
  critical: readonly number[],
): string[] {
  const path: string[] = [];
  const places = placesIn(critical, graph.nodes.length);
  let node = longestOf(critical, tails);
  while (node !== undefined) {
    if (graph.nodes[node]?.task) path.push(idOf(graph, node));
    const nexts = (graph.successors[node] ?? []).filter((next) => (places[next] ?? -1) >= 0);
    node = longestOf(
      nexts.sort((a, b) => (places[a] ?? 0) - (places[b] ?? 0)),
      tails,
    );
  }
  return path;
}

function longestOf(nodes: readonly number[], tails: readonly number[]): number | undefined {
  let best: number | undefined;
  for (const node of nodes) {
    if (best === undefined || (tails[node] ?? 0) > (tails[best] ?? 0)) best = node;
  }
  return best;
}

/** Where each node stands in a list; -1: not in it. */
function placesIn(list: readonly number[], nodes: number): Int32Array {
  const places = new Int32Array(nodes).fill(-1);
  list.forEach((node, place) => {
    places[node] = place;
  });
  return places;
}
