import { loadSampled } from './adapt.ts';
import { enqueue } from './agenda.ts';
import { exhaust, noteSpend } from './budget.ts';
import { resolveConflict } from './conflicts.ts';
import type { RunCore } from './core.ts';
import { endTask } from './task-end.ts';
import type { RunEvent } from './events.ts';
import { workspacesMerged } from './workspaces.ts';
import { barrierDeadline } from './barrier-deadlines.ts';
import { letterDropped } from './letters.ts';
import { lockTimedOut } from './lock-wait.ts';
import { memoryProposed } from './proposals.ts';
import { startDue } from './pace.ts';
import { isPaused } from './parking.ts';
import { pump } from './pump.ts';
import { rungExpired } from './recovery.ts';
import { restore } from './restore.ts';
import { checkStuck } from './stuck.ts';
import { carryOutVerb } from './verbs.ts';
import { attemptSettled, attemptTimedOut, taskDeadline } from './attempt-end.ts';

type Handlers = {
  readonly [Type in RunEvent['type']]?: (
    core: RunCore,
    event: Extract<RunEvent, { type: Type }>,
  ) => void;
};

const handlers: Handlers = {
  'run.opened': (core) => restore(core),
  'records.durable': (core) => core.ledger.drain(),
  'permits.granted': (core, { tasks }) => enqueue(core.agenda.granted, tasks),
  'permit.refused': (core, { task, error }) =>
    endTask(core, task, { outcome: 'failed', reason: 'not_retryable', error }),
  'attempt.settled': (core, { task, settlement, aborted }) =>
    attemptSettled(core, task, { settlement, aborted }),
  'attempts.settled': (core, { attempts }) => {
    for (const { task, settlement, aborted } of attempts)
      attemptSettled(core, task, { settlement, aborted });
  },
  'attempt.timed_out': (core, { task, attempt }) => attemptTimedOut(core, task, attempt),
  'step.done': (core, { task, name, value, acknowledge }) => {
    if (core.ledger.state.tasks.get(task)?.phase !== 'running') return acknowledge();
    const iteration = core.live.get(task)?.request?.iteration ?? 1;
    core.ledger.commit([{ type: 'step.done', task, iteration, name, value }], acknowledge);
  },
  'result.late': (core, { task, attempt }) =>
    core.ledger.commit([{ type: 'result.late', task, attempt }]),
  'letter.dropped': (core, { dropped }) => letterDropped(core, dropped),
  'spend.reported': (core, event) => noteSpend(core, event),
  'budget.time_over': (core) => exhaust(core, 'time'),
  'memory.proposed': (core, event) => memoryProposed(core, event),
  'conflict.resolve': (core, { resolution, answer }) => resolveConflict(core, resolution, answer),
  'workspaces.merged': (core, event) => workspacesMerged(core, event),
  'load.sampled': (core, { sample }) => {
    core.monitoring?.sampled(sample);
    loadSampled(core, sample);
  },
  'lock.timed_out': (core, { task }) => lockTimedOut(core, task),
  'retry.due': (core, { task }) => {
    const live = core.live.get(task);
    if (!live) return;
    live.retryTimer = undefined;
    core.agenda.ready.push(task);
  },
  'breaker.ready': (core, { breaker }) => core.breakers?.ready(breaker),
  'hedge.due': (core, { task, attempt }) => core.hedges?.due(task, attempt),
  'hedge.settled': (core, { task, settlement, aborted }) =>
    core.hedges?.settled(task, { settlement, aborted }),
  'rung.expired': (core, { task }) => rungExpired(core, task),
  'verb.asked': (core, { verb, answer }) => carryOutVerb(core, verb, answer),
  'stuck.check': (core) => checkStuck(core),
  'start.due': (core, { task }) => startDue(core, task),
  'task.deadline': (core, { task }) => taskDeadline(core, task),
  'barrier.decided': (core, { group, decision }) => {
    core.agenda.decided.push({ group, decision });
  },
  'member.contributed': (core, { group, member }) => {
    core.agenda.contributed.push({ group, member });
  },
  'group.deadline': (core, { group, bound }) => {
    // It is moved when the run goes on.
    if (!isPaused(core)) barrierDeadline(core, group, bound);
  },
};

/** What the run does about an event, and about everything that follows from it at once. */
export function handle(core: RunCore, event: RunEvent): void {
  const handler = handlers[event.type] as ((core: RunCore, event: RunEvent) => void) | undefined;
  core.inTurn = true;
  try {
    handler?.(core, event);
  } finally {
    core.inTurn = false;
  }
  pump(core);
}
