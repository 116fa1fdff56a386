/**
 * The one door to XState. Everything else imports from here, so that a change of its version, and the
 * rules for every root (logger, guarded inspection, error observer), are local to this file.
 */
import { createActor } from 'xstate';
import type { Actor, AnyActorLogic, InputFrom, InspectionEvent } from 'xstate';

import { messageOf } from '../core/errors.ts';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/log.ts';

export { assign, createActor, setup } from 'xstate';
export type {
  ActorLogic,
  ActorScope,
  AnyActorLogic,
  AnyActorRef,
  AnyStateMachine,
  InspectionEvent,
  Snapshot,
} from 'xstate';

/** What every root actor is given. */
export interface RootOptions<Logic extends AnyActorLogic> {
  readonly id: string;
  readonly input: InputFrom<Logic>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Sees every event and snapshot of the system. What it throws is logged and goes no further. */
  readonly inspect?: (event: InspectionEvent) => void;
  /** Called when the root itself dies of an error: a fault of ours. */
  readonly onFault: (error: unknown) => void;
}

/** Makes a root actor that writes nothing to standard output and cannot end the process by an unhandled error. */
export function createRoot<Logic extends AnyActorLogic>(
  logic: Logic,
  options: RootOptions<Logic>,
): Actor<Logic> {
  const { id, input, clock, logger, inspect, onFault } = options;
  const root = createActor(logic as AnyActorLogic, {
    id,
    input,
    clock: {
      setTimeout: (fn: () => void, delayMs: number) => clock.setTimeout(fn, delayMs),
      clearTimeout: (handle: unknown) => clock.clearTimeout(handle),
    } as never,
    logger: (...parts: unknown[]) => logger.debug(parts.map(String).join(' ')),
    ...(inspect ? { inspect: guarded(inspect, logger) } : {}),
  });
  root.subscribe({ error: onFault });
  return root as Actor<Logic>;
}

function guarded(inspect: (event: InspectionEvent) => void, logger: Logger) {
  return (event: InspectionEvent): void => {
    try {
      inspect(event);
    } catch (error) {
      logger.warn('an inspection observer threw', { message: messageOf(error) });
    }
  };
}
