import { agentKind, concurrencyKind } from '../workflow/model.ts';
import type { TaskSpec } from '../workflow/model.ts';
import type { Conflict } from './conflicts.ts';
import type { EdgeKind } from './edges.ts';
import { exclusionIn } from './exclusion.ts';
import type { Exclusion } from './exclusion.ts';
import type { TaskGraph } from './graph.ts';
import { countOrderedPairs, reaches, tasksInOrder } from './reach.ts';

/** What decides about a pair. `independent`: nothing keeps them apart. */
export type Because =
  | 'independent'
  | Exclude<EdgeKind, 'context'>
  | 'resource'
  | 'concurrency'
  | 'write_conflict';

/** Why two tasks run in parallel or one after the other. */
export interface Reason {
  /** Where a dependency orders them, the second waits for the first, which may be a group. */
  readonly tasks: readonly [string, string];
  readonly mode: 'parallel' | 'sequential';
  readonly because: Because;
  /** One sentence for people. */
  readonly detail: string;
}

/** Reasons for the pairs that stand in `listed`, and how many pairs do not. */
export interface Reasons {
  readonly listed: readonly Reason[];
  /** Pairs that are decided but not listed; null: too many tasks to count them. */
  readonly omitted: number | null;
}

/** Longest list of reasons. */
export const maxReasons = 500;

/** Of those, at most so many are about direct dependencies. */
const maxDependencyReasons = 250;

/** Up to this many tasks all pairs are counted, which takes tasks / 32 passes over the graph. */
const maxCountedTasks = 10_000;

/** So many pairs are looked at for some without a path: in a long chain there are next to none. */
const maxLookedAt = 60_000_000;

/**
 * For pairs of tasks, in topological order: direct dependencies, then pairs without a path between them,
 * which might run together, with what lets them or keeps them apart.
 */
export function explainPairs(graph: TaskGraph, conflicts: readonly Conflict[]): Reasons {
  const direct = dependencyReasons(graph);
  const listed = direct.slice(0, maxDependencyReasons);
  const judge = judgeOf(graph, conflicts);
  for (const [one, other] of openPairs(graph, maxReasons - listed.length)) {
    listed.push(judge(one, other));
  }
  const tasks = graph.workflow.tasks.length;
  if (tasks > maxCountedTasks) return { listed, omitted: null };
  const open = (tasks * (tasks - 1)) / 2 - countOrderedPairs(graph);
  return { listed, omitted: open + direct.length - listed.length };
}

/** The first pairs without a path between them, in topological order. */
function openPairs(graph: TaskGraph, limit: number): [TaskSpec, TaskSpec][] {
  const order = tasksInOrder(graph);
  const pairs: [TaskSpec, TaskSpec][] = [];
  let [place, looked] = [0, 0];
  for (const { source, leadsTo } of reaches(graph, order)) {
    place++;
    const one = graph.nodes[source]?.task;
    for (let at = place; at < order.length && pairs.length < limit; at++) {
      const node = order[at] ?? 0;
      const other = graph.nodes[node]?.task;
      if (one && other && !leadsTo(node)) pairs.push([one, other]);
    }
    looked += order.length - place;
    if (pairs.length >= limit || looked > maxLookedAt) return pairs;
  }
  return pairs;
}

function judgeOf(
  graph: TaskGraph,
  conflicts: readonly Conflict[],
): (one: TaskSpec, other: TaskSpec) => Reason {
  const excluded = exclusionIn(graph.workflow);
  const byPair = new Map(conflicts.map((conflict) => [conflict.tasks.join('\n'), conflict]));
  return (one, other) =>
    judged(one, other, { excluded, conflict: byPair.get(`${one.id}\n${other.id}`) });
}

function judged(
  one: TaskSpec,
  other: TaskSpec,
  found: { excluded: Exclusion; conflict: Conflict | undefined },
): Reason {
  const tasks = [one.id, other.id] as const;
  const kind = found.excluded(one, other);
  if (kind !== undefined) return { tasks, mode: 'sequential', ...becauseOfKind(kind) };
  const { conflict } = found;
  if (conflict?.severity === 'fault') {
    const detail = `both write ${conflict.key}, whose policy is reject: order them`;
    return { tasks, mode: 'sequential', because: 'write_conflict', detail };
  }
  const detail = conflict
    ? `independent; both write ${conflict.key}, merged by ${conflict.policy}`
    : 'no path between them, and room for both';
  return { tasks, mode: 'parallel', because: 'independent', detail };
}

function becauseOfKind(kind: string): Pick<Reason, 'because' | 'detail'> {
  if (kind === concurrencyKind)
    return { because: 'concurrency', detail: 'the run does one task at a time' };
  const agentPrefix = agentKind('');
  const detail = kind.startsWith(agentPrefix)
    ? `agent ${kind.slice(agentPrefix.length)} has no room for both`
    : `${kind} has too few units for both`;
  return { because: 'resource', detail };
}

/** One reason for every task that directly waits for another, by itself or by way of a group. */
function dependencyReasons(graph: TaskGraph): Reason[] {
  const kinds = new Map<string, Exclude<EdgeKind, 'context'>>();
  for (const { from, to, kind } of graph.edges) {
    const key = `${from}\n${to}`;
    if (kind !== 'context' && !kinds.has(key)) kinds.set(key, kind);
  }
  return tasksInOrder(graph).flatMap((node) => {
    const to = graph.nodes[node]?.id ?? '';
    return (graph.predecessors[node] ?? []).map((before): Reason => {
      const from = graph.nodes[before]?.id ?? '';
      const because = kinds.get(`${from}\n${to}`) ?? 'data';
      const group = graph.nodes[before]?.group ? 'group ' : '';
      const checks = graph.checkers.get(from)?.has(to) ?? false;
      const verb = checks ? 'checks' : waitVerbs[because];
      return {
        tasks: [from, to],
        mode: 'sequential',
        because,
        detail: `${to} ${verb} ${group}${from}`,
      };
    });
  });
}

const waitVerbs = {
  data: 'needs the output of',
  stream: 'starts with the first contribution, which is that of',
  validation: 'waits for the verdict of',
} as const;
