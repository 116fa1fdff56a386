import type { Verdict } from '../../actors/worker.ts';
import type { TaskOutcome } from '../../core/outcome.ts';
import type { RunCore } from './core.ts';
import { workerLeft } from './groups.ts';

/** How a worker, and all that goes with it, hears that its task is over. */

/** A task is over, or at least this iteration: its worker gets the verdict, its timers go. */
export function leave(core: RunCore, id: string, verdict: Verdict): void {
  const live = core.live.get(id);
  if (!live) return;
  live.deadlineTimer?.cancel();
  live.retryTimer?.cancel();
  live.lockTimer?.cancel();
  live.startTimer?.cancel();
  live.rungTimer?.cancel();
  live.escalation?.send({ type: 'escalation.over', verdict });
  core.live.delete(id);
  if (!live.worker) return;
  live.worker.send({ type: `verdict.${verdict}` });
  const { group } = core.book.task(id);
  if (group !== undefined) workerLeft(core, group);
}

/** What a worker is told of a task's end. */
export function verdictOf(outcome: TaskOutcome | undefined): Verdict {
  return outcome === undefined || outcome === 'skipped' ? 'cancelled' : outcome;
}
