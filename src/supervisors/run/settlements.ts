import type { RunCore } from './core.ts';
import type { Settled } from './events.ts';

/**
 * Tells the run that an attempt is over. While it is cancelled all of them end at once: those that end in one go
 * reach it together, so that stopping many is no dearer than starting them, for which permits come together.
 */
export function tellSettled(core: RunCore, settled: Settled): void {
  if (core.halted !== 'cancelled' && core.halted !== 'deadline')
    return core.self.send({ type: 'attempt.settled', ...settled });
  if (core.settledTogether) {
    core.settledTogether.push(settled);
    return;
  }
  const attempts = [settled];
  core.settledTogether = attempts;
  queueMicrotask(() => {
    core.settledTogether = undefined;
    core.self.send({ type: 'attempts.settled', attempts });
  });
}
