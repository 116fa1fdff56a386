import type { TaskRow } from '../../journal/run-state.ts';
import type { RunTime, Span } from './run-time.ts';

/**
 * When a task's attempts held their permits: the newest from its dispatch on, those before it in one stretch
 * from the first dispatch on, as long as they held in sum. Exact for up to two attempts. No backoff counts; a
 * task that was split, or that waits, holds nothing.
 */
export function heldSpans(row: TaskRow, time: RunTime): readonly Span[] {
  const { startedAt, dispatchedAt, finishedAt, heldMs, items, phase } = row;
  if (items || startedAt === undefined || dispatchedAt === undefined) return [];
  const isRunning = phase === 'running';
  if (dispatchedAt === startedAt) {
    const to = isRunning ? time.until : startedAt + heldMs;
    return to > startedAt ? [{ from: startedAt, to }] : [];
  }
  const to = isRunning ? time.until : Math.min(finishedAt ?? Infinity, dispatchedAt + heldMs);
  const newest = { from: dispatchedAt, to: Math.max(dispatchedAt, to) };
  const newestMs = isRunning ? 0 : newest.to - newest.from;
  const earlier = { from: startedAt, to: Math.min(dispatchedAt, startedAt + heldMs - newestMs) };
  return [earlier, newest].filter((span) => span.to > span.from);
}

/** How long a task's attempts held their permits, milliseconds. */
export function heldMsOf({ phase, items, heldMs, dispatchedAt }: TaskRow, time: RunTime): number {
  if (items) return 0;
  return heldMs + (phase === 'running' ? time.until - (dispatchedAt ?? time.until) : 0);
}
