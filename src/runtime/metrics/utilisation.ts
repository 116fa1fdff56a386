import type { RunState } from '../../journal/run-state.ts';
import type { TaskGraph } from '../../planning/graph.ts';
import { agentKind, concurrencyKind } from '../../workflow/model.ts';
import { agentOf, demandOf } from './demand.ts';
import { heldMsOf, heldSpans } from './held-spans.ts';
import type { RunTime, Span } from './run-time.ts';

/**
 * The share of each kind that was in use, weighted by time: unit-milliseconds held over units times wall time.
 * Of a lock the share of time in which anybody held it, readers included.
 * Only kinds that the run limits and some task asked for; locks and an agent's places are kinds as well.
 */
export function utilisationOf(
  state: RunState,
  graph: TaskGraph,
  time: RunTime,
): { readonly [kind: string]: number } {
  const wallMs = time.since(time.until);
  const shares: { [kind: string]: number } = {};
  for (const [kind, unitMs] of heldUnits(state, graph, time)) {
    const chosenMs = kind === concurrencyKind ? placesMs(state, graph, time) : undefined;
    const whole = chosenMs ?? (unitsOf(graph, kind) ?? 0) * wallMs;
    if (whole > 0) shares[kind] = Math.min(1, unitMs / whole);
  }
  for (const [kind, ms] of lockedTimes(state, graph, time))
    if (wallMs > 0) shares[kind] = Math.min(1, ms / wallMs);
  return shares;
}

/** A lock proper; readers and writers of memory that are limited in number have units to share. */
function isLock(kind: string): boolean {
  return kind.startsWith('lock:');
}

/** Units times how long they were held, by kind; without locks. */
function heldUnits(state: RunState, graph: TaskGraph, time: RunTime): Map<string, number> {
  const held = new Map<string, number>();
  const add = (kind: string, unitMs: number): void => {
    held.set(kind, (held.get(kind) ?? 0) + unitMs);
  };
  for (const row of state.tasks.values()) {
    const ms = heldMsOf(row, time);
    if (ms <= 0) continue;
    add(concurrencyKind, ms);
    for (const [kind, units] of Object.entries(demandOf(graph, row.id)))
      if (!isLock(kind)) add(kind, units * ms);
    const agent = agentOf(graph, row.id);
    if (agent !== undefined) add(agentKind(agent), ms);
  }
  return held;
}

/** For how long each lock was held by anybody, however many readers held it at one time. */
function lockedTimes(state: RunState, graph: TaskGraph, time: RunTime): Map<string, number> {
  const spans = new Map<string, Span[]>();
  for (const row of state.tasks.values()) {
    for (const kind of Object.keys(demandOf(graph, row.id))) {
      if (!isLock(kind)) continue;
      const list = spans.get(kind) ?? [];
      if (list.length === 0) spans.set(kind, list);
      list.push(...heldSpans(row, time));
    }
  }
  return new Map([...spans].map(([kind, list]) => [kind, coveredMs(list, time)]));
}

function coveredMs(spans: Span[], time: RunTime): number {
  let sum = 0;
  let covered = 0;
  for (const { from, to } of spans.sort((a, b) => a.from - b.from)) {
    sum += time.between({ from: Math.max(from, covered), to });
    covered = Math.max(covered, to);
  }
  return sum;
}

/** Places that there were, times how long, where the run has chosen or changed their number. */
function placesMs(state: RunState, { workflow }: TaskGraph, time: RunTime): number | undefined {
  const { places } = state.adaptation;
  if (places.length === 0) return undefined;
  let from = state.startedAt;
  let units = workflow.resources.concurrency ?? 0;
  let sum = 0;
  for (const { at, to } of [...places, { at: time.until, to: 0 }]) {
    sum += units * time.between({ from, to: at });
    from = at;
    units = to;
  }
  return sum;
}

/** Units that the run may hold of a kind; undefined: it limits none, or has chosen a number itself. */
export function unitsOf({ workflow }: TaskGraph, kind: string): number | undefined {
  if (kind === concurrencyKind) return workflow.resources.concurrency;
  const agent = kind.startsWith('agent:')
    ? workflow.agents[kind.slice('agent:'.length)]
    : undefined;
  if (agent) return agent.limits.concurrency;
  return workflow.resources.capacity[kind] ?? 1;
}
