import { ranksToEnd } from '../../planning/critical-path.ts';
import { durationOf } from '../../planning/durations.ts';
import { splitTaskOf } from '../../workflow/model.ts';
import type { RunCore } from './core.ts';

/** Tasks that wait are ordered by the longest path to the end as it looks now, not as it was planned. */

/** By how much an agent's pace must have changed before what waits is ordered anew. */
const leastChange = 1.5;

/** An agent of which it has become known how many times as long as planned its tasks take. */
export interface PaceChange {
  readonly agent: string;
  readonly from: number;
  readonly to: number;
}

/** The agents whose pace is far from what the order of waiting tasks goes by. */
export function changedPaces({ ledger, adaptive, book }: RunCore): readonly PaceChange[] {
  const changes: PaceChange[] = [];
  // With one agent all paths grow alike: the order stays.
  if (Object.keys(book.workflow.agents).length < 2) return changes;
  for (const [agent, times] of adaptive?.responses.known() ?? []) {
    const from = ledger.state.adaptation.paces.get(agent) ?? 1;
    const to = Math.max(0.001, Math.round(times * 1000) / 1000);
    if (to / from >= leastChange || from / to >= leastChange) changes.push({ agent, from, to });
  }
  return changes;
}

/** Ranks everything that waits by the paces that are known, and tells the governor. */
export function rankAnew(core: RunCore): void {
  const { paces } = core.ledger.state.adaptation;
  if (paces.size === 0) return;
  const measured = new Map<string, number>();
  for (const task of core.graph.workflow.tasks)
    measured.set(task.id, durationOf(task) * (paces.get(task.agent) ?? 1));
  const ranks = ranksToEnd(core.graph, { measured });
  core.ranks = ranks;
  core.services.governor.send({
    type: 'permits.rerank',
    scope: core.run,
    rankOf: (id) => ranks.get(splitTaskOf(id)),
  });
}

/** The running task with the longest way to the end of the run: no other can make the run shorter now. */
export function boundingTask(core: RunCore): string | undefined {
  const now = core.services.clock.now();
  let bound: string | undefined;
  let longestMs = -1;
  for (const [id, { holding }] of core.live) {
    if (!holding) continue;
    const declared = splitTaskOf(id);
    const rank = core.ranks.get(declared) ?? 0;
    const ownMs = durationOf(core.book.task(id));
    const elapsedMs = now - (core.ledger.state.tasks.get(id)?.dispatchedAt ?? now);
    const leftMs = rank - Math.min(ownMs, elapsedMs);
    if (leftMs <= longestMs) continue;
    bound = id;
    longestMs = leftMs;
  }
  return bound;
}
