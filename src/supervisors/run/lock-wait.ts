import type { TaskSpec } from '../../workflow/model.ts';
import { liveTask } from './core.ts';
import type { RunCore } from './core.ts';
import { lockedBy } from './locks-held.ts';
import { attemptNotBegun } from './recovery.ts';
import { hasEnded } from './task-end.ts';

/** How long a task waits for its permits while others hold a lock that it wants. */

/**
 * The task wants its permits, or waits for its turn in the plan: from now on its time to wait for locks runs, if it
 * has one and it does not run already.
 */
export function armLockTimeout(core: RunCore, { id, lockTimeoutMs }: TaskSpec): void {
  if (lockTimeoutMs === undefined) return;
  const { clock, deadlines } = core.services;
  const live = liveTask(core, id);
  if (live.lockTimer) return;
  live.lockTimer = deadlines.at(clock.now() + lockTimeoutMs, () =>
    core.self.send({ type: 'lock.timed_out', task: id }),
  );
}

/** The time is over. A task that waits for something else than a lock gets the same time again. */
export function lockTimedOut(core: RunCore, id: string): void {
  const live = core.live.get(id);
  if (!live || live.holding || core.halted || hasEnded(core, id)) return;
  live.lockTimer = undefined;
  const task = core.book.task(id);
  const lock = lockedBy(core, task);
  if (lock === undefined) return armLockTimeout(core, task);
  core.plan?.left(id, core.services.clock.now());
  core.services.governor.send({ type: 'permit.withdraw', scope: core.run, id });
  const name = lock.replace(/^lock:/, '');
  const message = `${name} was not free within ${task.lockTimeoutMs ?? 0} ms.`;
  attemptNotBegun(core, id, {
    error: { code: 'TRP_ATTEMPT_TIMEOUT', message, errorClass: 'timeout' },
    lastReason: 'lock_timeout',
  });
}
