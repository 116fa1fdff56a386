import type { RunState, TaskRow } from '../journal/fold.ts';
import { idOf } from '../planning/graph.ts';
import type { TaskGraph } from '../planning/graph.ts';
import type { RunMetrics } from './report.ts';

/**
 * What parallel execution brought. Speed-up is the sum of the tasks' times over wall time; efficiency
 * divides it by the most tasks that ran at one time. The critical path is the longest chain of tasks that
 * really ran, each from its first dispatch to its end.
 */
export function metricsOf(state: RunState, graph: TaskGraph, now?: number): RunMetrics {
  const until = state.endedAt ?? now ?? lastTime(state);
  const wallMs = Math.max(0, until - state.startedAt);
  const work = [...state.tasks.values()].filter((row) => !row.items && row.startedAt !== undefined);
  const workMs = work.reduce((sum, row) => sum + durationOf(row, until), 0);
  const speedup = wallMs > 0 ? workMs / wallMs : 1;
  const peak = peakOf(work, until);
  const { path, lengthMs } = criticalPathOf(state, graph, until);
  return {
    wall_ms: wallMs,
    critical_path_ms: lengthMs,
    critical_path: path,
    speedup: rounded(speedup),
    parallel_efficiency: rounded(peak > 0 ? Math.min(1, speedup / peak) : 1),
  };
}

function lastTime(state: RunState): number {
  let last = state.startedAt;
  for (const { finishedAt, dispatchedAt } of state.tasks.values()) {
    last = Math.max(last, finishedAt ?? 0, dispatchedAt ?? 0);
  }
  return last;
}

function durationOf(row: TaskRow | undefined, until: number): number {
  if (row?.startedAt === undefined) return 0;
  return Math.max(0, (row.finishedAt ?? until) - row.startedAt);
}

/** The most intervals that overlap; one that ends when another begins does not overlap it. */
function peakOf(rows: readonly TaskRow[], until: number): number {
  const starts = rows.map((row) => row.startedAt ?? 0).sort((a, b) => a - b);
  const ends = rows.map((row) => row.finishedAt ?? until).sort((a, b) => a - b);
  let peak = 0;
  let ended = 0;
  for (const [started, at] of starts.entries()) {
    while (ended < ends.length && (ends[ended] ?? Infinity) <= at) ended++;
    peak = Math.max(peak, started + 1 - ended);
  }
  return Math.max(peak, rows.length > 0 ? 1 : 0);
}

/** The longest chain that ends at each node, and the node before it on that chain. */
interface Chain {
  readonly lengthMs: number;
  readonly node: number;
  readonly before: Chain | undefined;
}

function criticalPathOf(
  state: RunState,
  graph: TaskGraph,
  until: number,
): { path: string[]; lengthMs: number } {
  const chains = new Map<number, Chain>();
  let longest: Chain | undefined;
  for (const node of graph.order) {
    const before = longestOf((graph.predecessors[node] ?? []).map((from) => chains.get(from)));
    const ownMs = durationOf(state.tasks.get(idOf(graph, node)), until);
    const chain = { lengthMs: (before?.lengthMs ?? 0) + ownMs, node, before };
    chains.set(node, chain);
    longest = longestOf([longest, chain]);
  }
  const path: string[] = [];
  for (let chain = longest; chain; chain = chain.before) {
    if (graph.nodes[chain.node]?.task) path.push(idOf(graph, chain.node));
  }
  return { path: path.reverse(), lengthMs: longest?.lengthMs ?? 0 };
}

/** The first of the longest. */
function longestOf(chains: readonly (Chain | undefined)[]): Chain | undefined {
  let longest: Chain | undefined;
  for (const chain of chains) {
    if (chain && (!longest || chain.lengthMs > longest.lengthMs)) longest = chain;
  }
  return longest;
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}
