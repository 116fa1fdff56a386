import type { RunState, TaskRow } from '../../journal/run-state.ts';
import { idOf } from '../../planning/graph.ts';
import type { TaskGraph } from '../../planning/graph.ts';
import { splitTaskOf } from '../../workflow/model.ts';
import type { PermitWaits } from './permit-wait.ts';
import { readinessOf } from './ready-times.ts';
import type { RunTime } from './run-time.ts';

/** What bounded a run: what the most of its time went to, going back from its last end. */
export interface Bottleneck {
  readonly kind: 'task' | 'agent' | 'resource' | 'barrier' | 'start_time' | 'none';
  /** The task, agent, resource kind or group. */
  readonly id: string;
  /** Share of wall time, 0..1. */
  readonly share: number;
}

/** A task that takes this share of wall time is named itself, and not its agent. */
const oneTaskShare = 0.5;

/** What a stretch of the run's time went to. */
interface Stretch {
  readonly kind: Bottleneck['kind'];
  readonly id: string;
  readonly ms: number;
  readonly task?: string;
}

/**
 * Goes back from the task that ended last, over whatever each waited for last, to the run's start; every
 * stretch of time on the way belongs to the agent that worked, to what was waited for, or to a barrier that
 * waited on without a member. The longest sum is what bounds the run. O(V + E) at most.
 * Time in which a task waited with its permits free (start-up, a plan that held it) belongs to nothing.
 */
export function bottleneckOf(
  state: RunState,
  graph: TaskGraph,
  { time, permits }: { readonly time: RunTime; readonly permits: PermitWaits },
): Bottleneck {
  const stretches: Stretch[] = [];
  const seen = new Set<string>();
  let row = lastOf(state.tasks.values());
  while (row && !seen.has(row.id)) {
    seen.add(row.id);
    const ready = readinessOf(state, graph, row.id);
    const startedAt = row.startedAt ?? time.until;
    stretches.push(
      workOf(graph, row, time.between({ from: startedAt, to: row.finishedAt ?? time.until })),
    );
    const wait = permits.of(row.id);
    stretches.push({ kind: 'resource', id: wait.kind, ms: wait.ms });
    if (ready.after === undefined)
      stretches.push({ kind: 'start_time', id: row.id, ms: time.since(ready.at) });
    row = before(state, graph, { after: ready.after, time, stretches });
  }
  return summed(stretches, time.since(time.until));
}

function workOf(graph: TaskGraph, { id }: TaskRow, ms: number): Stretch {
  const agent = graph.nodes[graph.indexOf.get(splitTaskOf(id)) ?? -1]?.task?.agent;
  return agent === undefined
    ? { kind: 'task', id, ms }
    : { kind: 'agent', id: agent, ms, task: id };
}

/** The task that was waited for; of a group the member that ended last, and what the barrier waited beyond. */
function before(
  state: RunState,
  graph: TaskGraph,
  { after, time, stretches }: { after: string | undefined; time: RunTime; stretches: Stretch[] },
): TaskRow | undefined {
  if (after === undefined) return undefined;
  const row = state.tasks.get(after);
  const group = state.groups.get(after);
  if (!group) return row;
  const ids = row?.items
    ? row.items.map((_, index) => `${after}[${index}]`)
    : predecessorsOf(graph, after);
  const last = lastOf(ids.flatMap((id) => state.tasks.get(id) ?? []));
  if (last?.finishedAt !== undefined && group.endedAt !== undefined) {
    const ms = time.between({ from: last.finishedAt, to: group.endedAt });
    stretches.push({ kind: 'barrier', id: after, ms });
  }
  return last ?? row;
}

function predecessorsOf(graph: TaskGraph, id: string): string[] {
  const node = graph.indexOf.get(id);
  return node === undefined
    ? []
    : (graph.predecessors[node] ?? []).map((other) => idOf(graph, other));
}

/** The task that ended last; one that has not ended yet ends after all others. */
function lastOf(rows: Iterable<TaskRow>): TaskRow | undefined {
  let last: TaskRow | undefined;
  for (const row of rows) {
    if (row.startedAt === undefined || row.items) continue;
    if (!last || (row.finishedAt ?? Infinity) > (last.finishedAt ?? Infinity)) last = row;
  }
  return last;
}

interface Sum extends Stretch {
  readonly longest: Stretch;
}

function summed(stretches: readonly Stretch[], wallMs: number): Bottleneck {
  let most: Sum | undefined;
  for (const sum of sumsOf(stretches)) if (!most || sum.ms > most.ms) most = sum;
  if (!most || wallMs <= 0 || most.ms === 0) return { kind: 'none', id: '', share: 0 };
  const { longest, kind, id, ms } = most;
  if (longest.task !== undefined && longest.ms >= oneTaskShare * wallMs)
    return { kind: 'task', id: longest.task, share: shareOf(longest.ms, wallMs) };
  return { kind, id, share: shareOf(ms, wallMs) };
}

function sumsOf(stretches: readonly Stretch[]): Iterable<Sum> {
  const sums = new Map<string, Sum>();
  for (const stretch of stretches) {
    const key = `${stretch.kind} ${stretch.id}`;
    const known = sums.get(key);
    const longest = known && known.longest.ms >= stretch.ms ? known.longest : stretch;
    sums.set(key, { ...stretch, ms: (known?.ms ?? 0) + stretch.ms, longest });
  }
  return sums.values();
}

function shareOf(ms: number, wallMs: number): number {
  return Math.round(Math.min(1, ms / wallMs) * 1000) / 1000;
}
