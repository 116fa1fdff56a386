import type { RunState, TaskRow } from '../../journal/fold.ts';
import type { TaskGraph } from '../../planning/graph.ts';
import { agentKind, concurrencyKind, splitTaskOf } from '../../workflow/model.ts';
import { demandOf } from './demand.ts';
import type { RunTime } from './run-time.ts';

/**
 * The share of each kind that was in use, weighted by time: unit-milliseconds held over units times wall time.
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
  return shares;
}

/** Units times how long they were held, by kind. */
function heldUnits(state: RunState, graph: TaskGraph, time: RunTime): Map<string, number> {
  const held = new Map<string, number>();
  const add = (kind: string, unitMs: number): void => {
    held.set(kind, (held.get(kind) ?? 0) + unitMs);
  };
  for (const row of state.tasks.values()) {
    const ms = row.items ? 0 : heldMs(row, time);
    if (ms <= 0) continue;
    add(concurrencyKind, ms);
    for (const [kind, units] of Object.entries(demandOf(graph, row.id))) add(kind, units * ms);
    const agent = agentOf(graph, row.id);
    if (agent !== undefined) add(agentKind(agent), ms);
  }
  return held;
}

function heldMs({ phase, heldMs: ended, dispatchedAt }: TaskRow, time: RunTime): number {
  return ended + (phase === 'running' ? time.until - (dispatchedAt ?? time.until) : 0);
}

/** The agent of a declared task; members of a split may have others. */
function agentOf({ nodes, indexOf }: TaskGraph, id: string): string | undefined {
  const task = nodes[indexOf.get(splitTaskOf(id)) ?? -1]?.task;
  return task?.expand?.kind === 'aspects' ? undefined : task?.agent;
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

/** Units that the run may hold of a kind; undefined: it limits none. */
function unitsOf({ workflow }: TaskGraph, kind: string): number | undefined {
  if (kind === concurrencyKind) return workflow.resources.concurrency;
  const agent = kind.startsWith('agent:')
    ? workflow.agents[kind.slice('agent:'.length)]
    : undefined;
  if (agent) return agent.limits.concurrency;
  return workflow.resources.capacity[kind] ?? 1;
}
