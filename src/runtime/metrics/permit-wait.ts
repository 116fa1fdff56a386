import type { RunState } from '../../journal/run-state.ts';
import type { TaskGraph } from '../../planning/graph.ts';
import { agentKind, concurrencyKind, isLockKind } from '../../workflow/model.ts';
import { agentOf, demandOf } from './demand.ts';
import { heldSpans } from './held-spans.ts';
import { readinessOf } from './ready-times.ts';
import type { RunTime } from './run-time.ts';
import { unitsOf } from './utilisation.ts';

interface Change {
  readonly at: number;
  /** Units that are in use from then on, more than before. */
  readonly units: number;
}

/** How long a task was ready while others held what it lacked. Milliseconds. */
export interface PermitWait {
  readonly ms: number;
  /** The same over locks alone; never more than `ms`. */
  readonly lockMs: number;
  /** The kind that kept it longest; empty: none did. */
  readonly kind: string;
}

const noWait: PermitWait = { ms: 0, lockMs: 0, kind: '' };

/**
 * The waits of a run's tasks for permits. Time counts from the moment that a task was ready to its first
 * dispatch, as far as others held so much of a kind that the task did not fit in: neither start-up nor what a
 * plan or the engine took with permits free. Of several kinds the one that kept it longest counts.
 * O(n log n) for each different demand of a kind; units are rounded to two digits, except those of locks.
 */
export class PermitWaits {
  private readonly state: RunState;
  private readonly graph: TaskGraph;
  private readonly time: RunTime;
  private readonly changes = new Map<string, Change[]>();
  private readonly blocked = new Map<string, BlockedTime>();

  constructor(state: RunState, graph: TaskGraph, time: RunTime) {
    this.state = state;
    this.graph = graph;
    this.time = time;
    for (const row of state.tasks.values()) {
      for (const { from, to } of heldSpans(row, time)) {
        for (const [kind, units] of this.wantedBy(row.id)) {
          this.change(kind, { at: from, units });
          this.change(kind, { at: to, units: -units });
        }
      }
    }
    this.changePlaces();
    for (const list of this.changes.values()) list.sort((a, b) => a.at - b.at || a.units - b.units);
  }

  /** @param id a task that may not have started; then nothing is counted. */
  of(id: string): PermitWait {
    const startedAt = this.state.tasks.get(id)?.startedAt;
    if (startedAt === undefined || this.state.tasks.get(id)?.items) return noWait;
    const readyAt = readinessOf(this.state, this.graph, id).at;
    if (readyAt >= startedAt) return noWait;
    let wait = noWait;
    for (const [kind, units] of this.wantedBy(id)) {
      const blocked = this.blockedTime(kind, units);
      const ms = blocked.upTo(startedAt) - blocked.upTo(readyAt);
      const lockMs = isLockKind(kind) ? Math.max(wait.lockMs, ms) : wait.lockMs;
      wait = ms > wait.ms ? { ms, lockMs, kind } : { ...wait, lockMs };
    }
    return wait;
  }

  private change(kind: string, change: Change): void {
    const list = this.changes.get(kind);
    if (list) list.push(change);
    else this.changes.set(kind, [change]);
  }

  /** Places that the run took away are as good as used, those that it added as good as given back. */
  private changePlaces(): void {
    let before = unitsOf(this.graph, concurrencyKind);
    for (const { at, to } of this.state.adaptation.places) {
      if (before !== undefined) this.change(concurrencyKind, { at, units: before - to });
      before = to;
    }
  }

  private capacityOf(kind: string): number {
    const units = unitsOf(this.graph, kind);
    const chosen = kind === concurrencyKind ? this.state.adaptation.places[0]?.to : undefined;
    return units ?? chosen ?? Infinity;
  }

  /** Without kinds that the run does not limit. */
  private wantedBy(id: string): (readonly [string, number])[] {
    const agent = agentOf(this.graph, id);
    const wanted: (readonly [string, number])[] = Object.entries(demandOf(this.graph, id));
    if (agent !== undefined) wanted.push([agentKind(agent), 1]);
    wanted.push([concurrencyKind, 1]);
    return wanted.filter(([kind]) => this.capacityOf(kind) < Infinity);
  }

  private blockedTime(kind: string, units: number): BlockedTime {
    const level = isLockKind(kind) ? units : Number(units.toPrecision(2));
    const key = `${level} ${kind}`;
    const known = this.blocked.get(key);
    if (known) return known;
    const free = this.capacityOf(kind) - level;
    const made = new BlockedTime(this.changes.get(kind) ?? [], free, this.time);
    this.blocked.set(key, made);
    return made;
  }
}

/** For how long more than `free` units of a kind were in use, up to any point in time. */
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
