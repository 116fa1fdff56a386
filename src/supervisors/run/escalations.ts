import type { RunCore } from './core.ts';
import { liveTask } from './core.ts';

/** The actors of failures that are on their way up, and the times of their rungs. */

/** Shows where a task stands on its ladder: its escalation hears of the rung, whose time begins to run. */
export function showRung(core: RunCore, task: string): void {
  const escalation = core.ledger.state.tasks.get(task)?.recovery?.escalation;
  if (!escalation) return;
  const live = liveTask(core, task);
  live.escalation ??= startEscalation(core, task);
  live.escalation?.send({ type: 'rung.opened', rung: escalation.opened.rung });
  live.rungTimer?.cancel();
  live.rungTimer = undefined;
  const { deadline } = escalation.opened;
  if (deadline === undefined) return;
  live.rungTimer = core.services.deadlines.at(deadline, () =>
    live.escalation?.send({ type: 'deadline.reached' }),
  );
}

/** The task begins anew, from the bottom of its ladder. */
export function endEscalation(core: RunCore, task: string): void {
  const live = core.live.get(task);
  if (!live) return;
  live.rungTimer?.cancel();
  live.rungTimer = undefined;
  live.escalation?.send({ type: 'escalation.over', verdict: 'retried' });
  live.escalation = undefined;
}

function startEscalation(core: RunCore, task: string) {
  const port = {
    expired: (id: string) => core.self.send({ type: 'rung.expired', task: id }),
  };
  core.escalations.send({
    type: 'child.start',
    id: task,
    src: 'escalation',
    input: { task, port },
  });
  return core.escalations.getSnapshot().children.get(task);
}
