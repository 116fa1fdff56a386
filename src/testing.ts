/**
 * The public test kit: run a workflow with the real supervisors under a clock that you move, with agents
 * that play a script.
 */
import type { TaskContext, TaskFunction } from './actors/behaviours/behaviour.ts';
import type { Clock } from './core/clock.ts';
import type { Plain, PlainObject } from './core/plain.ts';
import { SimulatedClock } from './core/simulated-clock.ts';
import type { JournalRecord } from './journal/record.ts';
import type { RunReport } from './runtime/report.ts';
import { createTroupe } from './runtime/troupe.ts';

export { SimulatedClock } from './core/simulated-clock.ts';
export { simulate } from './simulation/simulate.ts';
export type { SimulateOptions, Simulated, SimulatedFunctions } from './simulation/simulate.ts';
export { faultClasses } from './simulation/fault-plan.ts';
export type { FaultClass } from './simulation/fault-plan.ts';
export type { Violation } from './simulation/invariants.ts';
export type { SimulatedHost } from './simulation/world.ts';
export { createEmbeddedBus } from './bus/embedded/embedded-bus.ts';
export type { EmbeddedBus, EmbeddedBusOptions } from './bus/embedded/embedded-bus.ts';

/** One attempt as a script has it: after so long, an output or a failure. */
export interface ScriptedAttempt {
  /** Milliseconds of the clock before the attempt ends. Default 0. */
  readonly afterMs?: number;
  /** What the attempt leaves. Default null. */
  readonly output?: Plain;
  /** Message of the error that the attempt throws instead. */
  readonly fail?: string;
}

/** What {@link runSimulated} is given. */
export interface SimulatedRunOptions {
  readonly input?: PlainObject;
  /** Default 1. */
  readonly seed?: number;
  /** Agents that a document names as `host:NAME`. */
  readonly functions?: { readonly [name: string]: TaskFunction };
  /** Default: a new one that starts at 0. */
  readonly clock?: SimulatedClock;
}

/**
 * An agent that plays a script: the n-th entry for the n-th attempt, the last one ever after. It ends at
 * once when its attempt is aborted.
 */
export function scriptedAgent(clock: Clock, script: readonly ScriptedAttempt[]): TaskFunction {
  return (context) => {
    const {
      afterMs = 0,
      output = null,
      fail,
    } = script[Math.min(context.attempt, script.length) - 1] ?? {};
    return pause(clock, afterMs, context).then(() => {
      if (fail !== undefined) throw new Error(fail);
      return output;
    });
  };
}

/**
 * Runs a workflow to its end in virtual time, with its own behaviours, and gives its report and its whole
 * journal. Agents that wait must wait on the same clock: give it to {@link scriptedAgent} too.
 * @param workflow a document, a normalised workflow, or the path of a file.
 * @throws TroupeError when the document is invalid, TRP_INTERNAL when nothing is left that could happen.
 */
export async function runSimulated(
  workflow: unknown,
  options: SimulatedRunOptions = {},
): Promise<{ readonly report: RunReport; readonly records: readonly JournalRecord[] }> {
  const { clock = new SimulatedClock(), functions = {}, input = {}, seed = 1 } = options;
  const troupe = await createTroupe({ clock, functions });
  const handle = await troupe.run(workflow, input, { seed });
  let ended = false;
  const outcome = handle.outcome().finally(() => {
    ended = true;
  });
  await clock.runUntil(() => ended);
  if (!ended) await troupe.close();
  const report = await outcome;
  const records = await troupe.records(handle.id);
  await troupe.close();
  return { report, records };
}

function pause(clock: Clock, delayMs: number, { signal }: TaskContext): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = clock.setTimeout(resolve, delayMs);
    signal.addEventListener('abort', () => {
      clock.clearTimeout(timer);
      reject(signal.reason as Error);
    });
  });
}
