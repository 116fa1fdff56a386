import type { TaskRow } from '../../journal/fold.ts';
import { concurrencyKind } from '../../workflow/model.ts';
import type { RunCore } from './core.ts';
import { enqueue, liveTask } from './core.ts';
import { startMembers } from './expansion.ts';
import { openGroup } from './groups.ts';
import { cancelRun, runDeadline } from './ending.ts';

/** From a journal to a running tree: the same for a new run, whose journal has only its start. */

/** Puts the graph where the journal says it is, re-arms what has a time, and puts the rest on the agenda. */
export function restore(core: RunCore): void {
  openScope(core);
  armRunDeadline(core);
  const { tasks } = core.ledger.state;
  for (const row of tasks.values()) if (row.items && row.phase === 'running') splitAgain(core, row);
  for (const row of tasks.values()) if (row.phase !== 'waiting') restoreTask(core, row);
  for (const { id, outcome, phase } of core.ledger.state.groups.values()) {
    if (phase === 'ended' && outcome) core.agenda.joined.push(id);
    else openGroup(core, id);
  }
  enqueue(core.agenda.ready, core.frontier.ready());
  if (core.ledger.state.status === 'cancelling')
    cancelRun(core, core.ledger.state.cancelledBy ?? '');
}

function openScope(core: RunCore): void {
  const { resources, agents } = core.book.workflow;
  const capacity: Record<string, number> = { ...resources.capacity };
  if (resources.concurrency !== undefined) capacity[concurrencyKind] = resources.concurrency;
  for (const { id, limits } of Object.values(agents)) {
    if (limits.concurrency !== undefined) capacity[`agent:${id}`] = limits.concurrency;
  }
  const { run, self } = core;
  core.services.governor.send({
    type: 'scope.open',
    scope: run,
    capacity,
    holder: {
      granted: (tasks) => {
        if (core.inTurn) enqueue(core.agenda.granted, tasks);
        else self.send({ type: 'permits.granted', tasks });
      },
      refused: (task, error) => self.send({ type: 'permit.refused', task, error }),
    },
  });
}

function armRunDeadline(core: RunCore): void {
  const { deadlineMs } = core.book.workflow;
  if (deadlineMs === undefined) return;
  const { clock, deadlines } = core.services;
  const due = core.ledger.state.startedAt + deadlineMs;
  if (due <= clock.now()) runDeadline(core);
  else core.deadline = deadlines.at(due, () => core.self.send({ type: 'run.deadline' }));
}

function splitAgain(core: RunCore, row: TaskRow): void {
  if (row.items) startMembers(core, core.book.task(row.id), row.items);
}

function restoreTask(core: RunCore, row: TaskRow): void {
  const { id, retryAt } = row;
  if (!core.graph.indexOf.has(id) && row.phase === 'ended') return;
  if (row.phase === 'ended') core.agenda.ended.push(id);
  if (row.phase === 'completed') core.agenda.completed.push(id);
  if (row.phase !== 'backing_off' || retryAt === undefined) return;
  liveTask(core, id).retryTimer = core.services.deadlines.at(retryAt, () =>
    core.self.send({ type: 'retry.due', task: id }),
  );
}
