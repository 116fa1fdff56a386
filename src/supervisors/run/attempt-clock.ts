import type { LiveTask, RunCore } from './core.ts';

/**
 * The timeout of a running attempt. It stands still while the attempt waits at the gate of a provider: a limit
 * that others use up is no fault of the attempt. Its task's deadline goes on.
 */

/** Starts the clock of an attempt that begins. */
export function startClock(core: RunCore, id: string, attempt: number): void {
  const { timeoutMs } = core.book.task(id);
  const live = core.live.get(id);
  if (!live || timeoutMs === undefined) return;
  const leftMs = timeoutMs * core.ledger.state.adaptation.timeoutFactor;
  live.clock = { attempt, leftMs, startedAt: 0 };
  run(core, id, live);
}

/** The attempt waits. */
export function pauseClock({ services }: RunCore, live: LiveTask | undefined): void {
  if (!live?.clock || !live.attemptTimer) return;
  live.attemptTimer.cancel();
  live.attemptTimer = undefined;
  live.clock.leftMs -= services.clock.now() - live.clock.startedAt;
}

/** The attempt goes on; does nothing once it has ended. */
export function resumeClock(core: RunCore, id: string, attempt: number): void {
  const live = core.live.get(id);
  if (!live?.holding || live.attemptTimer || live.clock?.attempt !== attempt) return;
  run(core, id, live);
}

function run({ services, self }: RunCore, id: string, live: LiveTask): void {
  const { clock } = live;
  if (!clock) return;
  const { attempt } = clock;
  clock.startedAt = services.clock.now();
  live.attemptTimer = services.deadlines.at(clock.startedAt + Math.max(0, clock.leftMs), () =>
    self.send({ type: 'attempt.timed_out', task: id, attempt }),
  );
}
