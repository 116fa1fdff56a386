import type { Logger } from '../core/log.ts';

/**
 * What people are told when a run goes on unseen: warnings with a field `next`, which says what to do. Whoever has
 * a terminal shows those. Buses are named as `--bus` takes them, without a login.
 */

/** The connection has gone; the driver goes on trying. */
export function busAway(logger: Logger, bus: string): void {
  const message = `the bus ${bus} is away: runs go on; what they do is shown there when it is back`;
  logger.warn(message, { bus, state: 'disconnected', next: lookAt(bus) });
}

/** It is back. */
export function busBack(logger: Logger, bus: string): void {
  logger.info(`the bus ${bus} is back: what happened meanwhile is shown there`, {
    bus,
    state: 'connected',
  });
}

/** The bus is away while the process ends. */
export function busAwaited(logger: Logger, bus: string): void {
  const message = `waiting up to 5 s for the bus ${bus} to take what is left`;
  logger.warn(message, { bus, next: lookAt(bus) });
}

/** A run has ended, and the process does not wait for its bus any longer. */
export function leftUnshown(logger: Logger, run: string, bus: string): void {
  const message = `the end of run ${run} is not shown on the bus ${bus}, nor caught up unless the run is resumed and goes on; its journal has all of it`;
  logger.warn(message, { run, bus, next: `troupe show ${run}` });
}

/** The bus takes nothing of a run, for a reason that does not go away. */
export function notShown(
  logger: Logger,
  { run, bus, message }: { readonly run: string; readonly bus: string; readonly message: string },
): void {
  const text = `run ${run} goes on, but its memory, results and progress are not shown on the bus ${bus}: ${message}`;
  logger.warn(text, { run, bus, next: lookAt(bus) });
}

/** A run that is taken over goes on though its bus could not be opened. */
export function withoutBus(logger: Logger, bus: string, message: string): void {
  logger.warn(`the run goes on without its bus: ${message}`, { bus, next: lookAt(bus) });
}

function lookAt(bus: string): string {
  return `troupe doctor --bus ${bus === 'given' ? 'URL' : bus}`;
}
