import type { AnyActorRef } from '../../actors/xstate.ts';
import { errorInfo } from '../../core/errors.ts';
import type { ErrorInfo } from '../../core/errors.ts';
import type { RunCore } from './core.ts';
import type { RunEvent } from './events.ts';
import { freeRun, stopAttempts } from './run-end.ts';
import type { RunInput } from './run.ts';

/** Asks every run to stop: something that it cannot live without has died. */
export const stopRuns: Extract<RunEvent, { type: 'run.faulted' }> = {
  type: 'run.faulted',
  error: {
    code: 'TRP_INTERNAL',
    message: 'A part of this process that runs depend on has died; it is being restarted.',
    errorClass: 'transient',
    hint: 'Nothing that finished is lost: resume the run.',
  },
};

interface DeadRun {
  readonly context?: { readonly input: RunInput; readonly box: { readonly core?: RunCore } };
}

/**
 * A run's own actor has died, so nothing in it can act any more. What it has running is stopped, what it holds
 * is given back, and whoever waits for it is told: the run can be resumed.
 */
export function runDied(run: AnyActorRef, error: unknown): void {
  const { context } = run.getSnapshot() as DeadRun;
  if (!context) return;
  const info: ErrorInfo = { ...errorInfo(error), code: 'TRP_INTERNAL' };
  const { core } = context.box;
  if (!core) return context.input.onFault(info);
  const over = (): void => {
    freeRun(core);
    context.input.onFault(info);
  };
  // Its workers are gone, so nobody hears of the attempts' ends: their kill time is waited for instead.
  const killMs = stopAttempts(core);
  const { clock, deadlines } = core.services;
  if (core.holding === 0) over();
  else deadlines.at(clock.now() + killMs, over);
}
