import type { RunCore } from './core.ts';
import { isPaused } from './parking.ts';

/** Finds out that a run has nothing left to wait for, although it is not done. */

/** How long nothing may run before the run is looked at. */
const lookAfterMs = 5_000;

/** Nothing runs: looks later whether that is for a reason. One look at a time. */
export function watchForStuck(core: RunCore): void {
  if (core.stuckTimer || core.halted) return;
  const { clock, deadlines } = core.services;
  core.stuckTimer = deadlines.at(clock.now() + lookAfterMs, () =>
    core.self.send({ type: 'stuck.check' }),
  );
}

/** Says where a run is stuck: nothing of it runs, no time is waited for, nobody was asked, and tasks are left. */
export function checkStuck(core: RunCore): void {
  core.stuckTimer = undefined;
  const isWaiting = core.holding > 0 || core.halted !== undefined || isPaused(core);
  const tasks = isWaiting || isWaitingForSomething(core) ? undefined : unfinishedTasks(core);
  if (tasks && tasks.length > 0 && !core.stuck) {
    const place = tasks.slice(0, 10).join(', ');
    core.services.logger.error(`run ${core.run} is stuck: nothing will ever start ${place}`, {
      run: core.run,
      tasks: tasks.length,
    });
  }
  core.stuck = tasks;
}

function isWaitingForSomething(core: RunCore): boolean {
  return isAwaited(core) || hasTimer(core) || hasQuestion(core);
}

/** The journal, the governor, a breaker or a merge will be heard of. */
function isAwaited(core: RunCore): boolean {
  const { ledger, services, run, merging = 0 } = core;
  if (ledger.isAwaited || core.breakers || merging > 0) return true;
  return (services.waiting?.(run) ?? 1) > 0;
}

function hasTimer(core: RunCore): boolean {
  if (core.planTimer) return true;
  for (const group of core.groups.values()) if (group.timer ?? group.bounds) return true;
  for (const live of core.live.values())
    if (live.retryTimer ?? live.deadlineTimer ?? live.startTimer ?? live.rungTimer) return true;
  return false;
}

function hasQuestion({ ledger }: RunCore): boolean {
  return [...ledger.state.tasks.values()].some(({ phase }) => phase === 'parked');
}

function unfinishedTasks({ book, ledger }: RunCore): readonly string[] {
  return book.ids().filter((id) => ledger.state.tasks.get(id)?.phase !== 'ended');
}
