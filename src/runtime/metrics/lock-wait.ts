import type { RunState } from '../../journal/fold.ts';
import type { TaskGraph } from '../../planning/graph.ts';
import { isLockKind } from '../../workflow/model.ts';
import { demandOf } from './demand.ts';
import { readinessOf } from './ready-times.ts';
import type { RunTime } from './run-time.ts';

interface Change {
  readonly at: number;
  readonly units: number;
}

/**
 * How long tasks waited while others held a lock that they wanted, in milliseconds summed over tasks; of a
 * task that wants several, the one that kept it longest. A lock is taken to be held from a task's first
 * dispatch to its end. O(n log n) for each different demand of a lock.
 */
export function lockWaitMs(state: RunState, graph: TaskGraph, time: RunTime): number {
  const changes = new Map<string, Change[]>();
  for (const row of state.tasks.values()) {
    const span = row.items ? undefined : time.spanOf(row);
    if (!span) continue;
    for (const [kind, units] of locksOf(graph, row.id)) {
      const list = changes.get(kind) ?? [];
      if (list.length === 0) changes.set(kind, list);
      list.push({ at: span.from, units }, { at: span.to, units: -units });
    }
  }
  if (changes.size === 0) return 0;
  for (const list of changes.values()) list.sort((a, b) => a.at - b.at || a.units - b.units);
  return sumOfWaits(state, graph, { time, changes });
}

interface Held {
  readonly time: RunTime;
  readonly changes: ReadonlyMap<string, readonly Change[]>;
}

function sumOfWaits(state: RunState, graph: TaskGraph, { time, changes }: Held): number {
  const { capacity } = graph.workflow.resources;
  const blocked = new Map<string, BlockedTime>();
  let sum = 0;
  for (const { id, startedAt } of state.tasks.values()) {
    if (startedAt === undefined) continue;
    const ready = readinessOf(state, graph, id).at;
    let longest = 0;
    for (const [kind, units] of locksOf(graph, id)) {
      const key = `${units} ${kind}`;
      const free = (capacity[kind] ?? 1) - units;
      const known = blocked.get(key) ?? new BlockedTime(changes.get(kind) ?? [], free, time);
      blocked.set(key, known);
      longest = Math.max(longest, known.upTo(startedAt) - known.upTo(ready));
    }
    sum += longest;
  }
  return sum;
}

function locksOf(graph: TaskGraph, id: string): [string, number][] {
  return Object.entries(demandOf(graph, id)).filter(([kind]) => isLockKind(kind));
}

/** For how long more than `free` units of a lock were held, up to any point in time. */
class BlockedTime {
  private readonly ats: number[] = [];
  private readonly sums: number[] = [];
  private readonly isBlocked: boolean[] = [];
  private readonly time: RunTime;

  constructor(changes: readonly Change[], free: number, time: RunTime) {
    this.time = time;
    let used = 0;
    let sum = 0;
    for (const { at, units } of changes) {
      const before = this.ats.at(-1);
      if (before !== undefined && this.isBlocked.at(-1))
        sum += time.between({ from: before, to: at });
      used += units;
      this.ats.push(at);
      this.sums.push(sum);
      this.isBlocked.push(used > free);
    }
  }

  upTo(at: number): number {
    const last = this.lastBefore(at);
    if (last < 0) return 0;
    const rest = this.isBlocked[last]
      ? this.time.between({ from: this.ats[last] ?? at, to: at })
      : 0;
    return (this.sums[last] ?? 0) + rest;
  }

  private lastBefore(at: number): number {
    let low = 0;
    let high = this.ats.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.ats[middle] ?? 0) <= at) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}
