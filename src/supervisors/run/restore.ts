import type { GroupRow, TaskRow } from '../../journal/run-state.ts';
import { beginAdaptation } from './adapt.ts';
import { chooseConcurrency, claimOf, scopeLimits } from './limits.ts';
import type { RunCore } from './core.ts';
import { enqueue } from './agenda.ts';
import { liveTask } from './core.ts';
import { startMembers } from './expansion.ts';
import { openGroup } from './groups.ts';
import { noteLate } from './late-members.ts';
import { closeExpansion } from './close-member.ts';
import { beginPlan } from './pace.ts';
import { restoreRecovery } from './restore-recovery.ts';
import { cancelRun, runDeadline } from './run-end.ts';
import { armDeadline } from './advance.ts';
import { beginBreakers } from './breakers.ts';
import { beginHealth } from './health.ts';
import { beginMonitoring } from './monitoring.ts';
import { beginHedges } from './hedge.ts';
import { armBudget } from './budget.ts';

/** From a journal to a running tree: the same for a new run, whose journal has only its start. */

/** Puts the graph where the journal says it is, re-arms what has a time, and puts the rest on the agenda. */
export function restore(core: RunCore): void {
  chooseConcurrency(core);
  openScope(core);
  beginPlan(core);
  beginAdaptation(core);
  beginBreakers(core);
  beginHedges(core);
  beginHealth(core);
  beginMonitoring(core);
  const rows = [...core.ledger.state.tasks.values()].filter((row) => row.phase !== 'waiting');
  for (const row of rows) splitAgain(core, row);
  for (const row of rows) restoreTask(core, row);
  restoreRecovery(core);
  for (const row of core.ledger.state.groups.values()) restoreGroup(core, row);
  enqueue(core.agenda.ready, core.frontier.ready());
  if (core.ledger.state.status === 'cancelling') {
    cancelRun(core, core.ledger.state.cancelledBy ?? '');
  } else if (isOverdue(core)) runDeadline(core);
  else {
    armRunDeadline(core);
    armBudget(core);
  }
}

function restoreGroup(core: RunCore, row: GroupRow): void {
  const { id, phase, outcome, contributions } = row;
  noteLate(core, row);
  if (contributions.size > 0 && core.graph.indexOf.has(id)) {
    enqueue(core.agenda.ready, core.frontier.begin(id).ready);
  }
  if (phase === 'ended' && outcome) core.agenda.joined.push(id);
  else openGroup(core, id);
}

/** Whether there is nothing to go on with: the run was being cancelled, or its time is over. */
export function isHalted(core: RunCore): boolean {
  return core.ledger.state.status === 'cancelling' || isOverdue(core);
}

function isOverdue(core: RunCore): boolean {
  const { deadlineMs } = core.book.workflow;
  if (deadlineMs === undefined) return false;
  return core.ledger.state.activeSince + deadlineMs <= core.services.clock.now();
}

function openScope(core: RunCore): void {
  const { run, self } = core;
  core.services.providers.open(run, core.book.workflow.providers);
  core.services.governor.send({
    type: 'scope.open',
    scope: run,
    capacity: scopeLimits(core),
    claim: claimOf(core.book.workflow),
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
  const due = core.ledger.state.activeSince + deadlineMs;
  core.deadline = core.services.deadlines.at(due, () => core.self.send({ type: 'run.deadline' }));
}

/** Makes the members of a split task known again; those of a task that has ended meanwhile end with it. */
function splitAgain(core: RunCore, row: TaskRow): void {
  if (!row.items) return;
  const task = core.book.task(row.id);
  if (row.phase === 'running') return startMembers(core, task, row.items);
  core.book.expand(task, row.items);
  if (row.phase !== 'ended' || core.ledger.state.groups.get(row.id)?.phase === 'ended') return;
  openGroup(core, row.id);
  closeExpansion(core, row.id);
}

function restoreTask(core: RunCore, row: TaskRow): void {
  const { id, retryAt } = row;
  if (!core.graph.indexOf.has(id) && row.phase === 'ended') return;
  if (row.phase === 'ended') core.agenda.ended.push(id);
  if (row.phase === 'completed') core.agenda.completed.push(id);
  if (
    row.phase === 'backing_off' ||
    row.phase === 'parked' ||
    (row.items && row.phase === 'running')
  ) {
    armDeadline(core, core.book.task(id));
  }
  if (row.phase !== 'backing_off' || retryAt === undefined) return;
  liveTask(core, id).retryTimer = core.services.deadlines.at(retryAt, () =>
    core.self.send({ type: 'retry.due', task: id }),
  );
}
