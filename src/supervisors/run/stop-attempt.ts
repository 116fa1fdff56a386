import type { AbortReason } from '../../actors/worker.ts';
import type { RunCore } from './core.ts';

/**
 * Asks the attempt that a task goes on with to end: its own one, or the hedge that it goes on with alone.
 * @returns false: there is none.
 */
export function stopAttempt({ live, hedges }: RunCore, id: string, reason: AbortReason): boolean {
  const own = live.get(id);
  if (own?.holding) own.worker?.send({ type: 'attempt.abort', reason });
  else if (hedges?.isAlone(id)) hedges.end(id, reason);
  else return false;
  return true;
}
