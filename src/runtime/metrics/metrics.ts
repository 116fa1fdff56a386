import type { RunState, TaskRow } from '../../journal/run-state.ts';
import { idOf } from '../../planning/graph.ts';
import type { TaskGraph } from '../../planning/graph.ts';
import type { RunMetrics } from './run-metrics.ts';
import { barrierWaits } from './barrier-wait.ts';
import { bottleneckOf } from './bottleneck.ts';
import { heldMsOf, heldSpans } from './held-spans.ts';
import { PermitWaits } from './permit-wait.ts';
import { RunTime } from './run-time.ts';
import { utilisationOf } from './utilisation.ts';

/**
 * What parallel execution brought. Speed-up is the sum of the attempts' times over wall time, which is how many
 * tasks ran at one time on average; efficiency divides it by the most that did. The critical path is the longest chain of tasks that
 * really ran, each from its first dispatch to its end. Time in which nobody carried the run counts nowhere.
 */
export function metricsOf(state: RunState, graph: TaskGraph, now?: number): RunMetrics {
  const time = new RunTime(state, now);
  const wallMs = time.since(time.until);
  const work = [...state.tasks.values()].filter((row) => !row.items && row.startedAt !== undefined);
  const sequentialMs = sumOf(work.map((row) => heldMsOf(row, time)));
  const speedup = wallMs > 0 ? sequentialMs / wallMs : 1;
  const peak = peakOf(work, time);
  const { path, lengthMs } = criticalPathOf(state, graph, time);
  const utilisation = utilisationOf(state, graph, time);
  const permits = new PermitWaits(state, graph, time);
  const waits = work.map(({ id }) => permits.of(id));
  return {
    wall_ms: wallMs,
    sequential_ms: sequentialMs,
    critical_path_ms: lengthMs,
    critical_path: path,
    speedup: rounded(speedup),
    parallel_efficiency: rounded(peak > 0 ? Math.min(1, speedup / peak) : 1),
    peak_tasks: peak,
    queue_wait_ms: sumOf(waits.map(({ ms }) => ms)),
    lock_wait_ms: sumOf(waits.map(({ lockMs }) => lockMs)),
    barrier_wait_ms: sumOf(barrierWaits(state, graph, time).values()),
    utilisation: Object.fromEntries(
      Object.entries(utilisation).map(([kind, share]) => [kind, rounded(share)]),
    ),
    bottleneck: bottleneckOf(state, graph, { time, permits }),
  };
}

function sumOf(values: Iterable<number>): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}

function durationOf(row: TaskRow | undefined, time: RunTime): number {
  const span = row && time.spanOf(row);
  return span ? time.between(span) : 0;
}

/** The most attempts that overlap; one that ends when another begins does not overlap it. */
function peakOf(rows: readonly TaskRow[], time: RunTime): number {
  const spans = rows.flatMap((row) => heldSpans(row, time));
  const starts = spans.map(({ from }) => from).sort((a, b) => a - b);
  const ends = spans.map(({ to }) => to).sort((a, b) => a - b);
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
  time: RunTime,
): { path: string[]; lengthMs: number } {
  const chains = new Map<number, Chain>();
  let longest: Chain | undefined;
  for (const node of graph.order) {
    const before = longestOf((graph.predecessors[node] ?? []).map((from) => chains.get(from)));
    const ownMs = durationOf(state.tasks.get(idOf(graph, node)), time);
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
