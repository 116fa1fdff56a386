import { breakerResult } from './breakers.ts';
import type { RunCore } from './core.ts';
import type { SettledAttempt } from './reliability-ports.ts';
import { poolName } from './pool-name.ts';

/** What an ended attempt says of those who took part in it: to breakers, hedges and health. */
export function noteAttempt(
  core: RunCore,
  id: string,
  end: SettledAttempt & { readonly durationMs: number },
): void {
  const { breakers, hedges, health, monitoring } = core;
  if (!breakers && !hedges && !health && !monitoring) return;
  const result = breakerResult(end.settlement, end.aborted);
  breakers?.over(id, result);
  hedges?.attemptOver(id, result.end === 'succeeded', end.durationMs);
  if (result.end === 'succeeded') monitoring?.note(core.book.task(id).agent, end.durationMs);
  noteHealth(core, id, { end: result.end, durationMs: end.durationMs });
}

/** The same, for health alone. */
function noteHealth(
  { health, book, live }: RunCore,
  id: string,
  { end, durationMs }: { end: 'succeeded' | 'failed' | 'withdrawn'; durationMs: number },
): void {
  if (!health || end === 'withdrawn') return;
  const task = book.task(id);
  const agent = live.get(id)?.request?.agent ?? book.agent(task.agent);
  health.note(agent, poolName(task, agent), { failed: end === 'failed', durationMs });
}
