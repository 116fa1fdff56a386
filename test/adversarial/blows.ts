import type { LateRun } from './one-process.ts';

/** What befalls a process: it dies, the run is cancelled, a person decides a conflict, or
 * it is asked to stop and leave the run resumable. */
export interface Blow {
  readonly atMs: number;
  readonly what: 'crash' | 'cancel' | 'interrupt' | 'decide';
}

/** Simulated time after which a run is taken to be stuck. */
const patienceMs = 2_000_000;

/** Lets time pass until the run's actor ends or the process dies. @returns whether it died. */
export async function strike(run: LateRun, blows: readonly Blow[]): Promise<boolean> {
  const { clock } = run;
  let hasCrashed = false;
  const strikes = {
    crash: () => (hasCrashed ||= run.end === 'running'),
    cancel: () => run.cancel(),
    interrupt: () => run.interrupt(),
    decide: () => run.decide(),
  };
  const timers = blows.map(({ atMs, what }) => clock.setTimeout(strikes[what], atMs));
  const end = clock.now() + patienceMs;
  await clock.runUntil(() => run.end !== 'running' || hasCrashed || clock.now() > end);
  for (const timer of timers) clock.clearTimeout(timer);
  return hasCrashed;
}
