import type { RunState } from '../../journal/run-state.ts';
import { idOf } from '../../planning/graph.ts';
import type { TaskGraph } from '../../planning/graph.ts';
import { splitTaskOf } from '../../workflow/model.ts';

/** What a task waited for last before it could ask to start. */
export interface Readiness {
  /** When its inputs were there, wall milliseconds. */
  readonly at: number;
  /** The task or group that was there last; undefined: the run's start, or a time that the document sets. */
  readonly after: string | undefined;
}

/**
 * When a task's inputs were there: after the last of what it depends on, not before its `not_before`, and for a
 * member when its task was split. What is used without being waited for may have come later than the start.
 */
export function readinessOf(state: RunState, graph: TaskGraph, id: string): Readiness {
  const parent = splitTaskOf(id);
  const split = parent === id ? undefined : state.tasks.get(parent)?.dispatchedAt;
  if (split !== undefined) return { at: split, after: parent };
  const node = graph.indexOf.get(id);
  let ready: Readiness = { at: earliestStart(state, graph, node), after: undefined };
  for (const before of node === undefined ? [] : (graph.predecessors[node] ?? [])) {
    const other = idOf(graph, before);
    const end = state.tasks.get(other)?.finishedAt ?? state.groups.get(other)?.endedAt;
    if (end !== undefined && end > ready.at) ready = { at: end, after: other };
  }
  return ready;
}

function earliestStart(state: RunState, graph: TaskGraph, node: number | undefined): number {
  const notBefore = node === undefined ? undefined : graph.nodes[node]?.task?.notBefore;
  if (!notBefore) return state.startedAt;
  const at = 'atMs' in notBefore ? notBefore.atMs : state.startedAt + notBefore.afterMs;
  return Math.max(state.startedAt, at);
}
