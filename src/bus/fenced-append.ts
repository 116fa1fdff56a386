import { envelopeHeaders } from './envelope.ts';
import type { EventLog } from './event-log.ts';
import type { Clock } from '../core/clock.ts';
import { messageOf, TroupeError } from '../core/errors.ts';
import type { Plain } from '../core/plain.ts';

/** How long somebody goes on trying, and on which clock. */
export interface Patience {
  readonly clock: Clock;
  /** Aborted: no further try. */
  readonly signal: AbortSignal;
}

/** A frame and its place. */
export interface FencedAppend {
  readonly payload: Plain;
  readonly expectedSeq: number;
  readonly op: string;
  /** Of the writer's ownership. */
  readonly epoch: number;
}

const firstPauseMs = 20;
const longestPauseMs = 1_000;

/**
 * Appends at a place and does not leave it open whether it has happened: an append without an answer is
 * repeated under the same operation id, which the log recognises.
 * Rejects with TRP_JOURNAL_FENCED when somebody else has appended there, and with whatever no repetition mends.
 */
export async function appendSurely(
  log: EventLog,
  patience: Patience,
  { payload, expectedSeq, op, epoch }: FencedAppend,
): Promise<number> {
  const headers = envelopeHeaders({ run: log.name, op, epoch });
  for (let tries = 0; ; tries++) {
    try {
      return await log.append(payload, { expectedSeq, op, headers });
    } catch (error) {
      if (isConflict(error)) throw fenced(log.name, error);
      if (!isPassing(error) || patience.signal.aborted) throw error;
      await pause(patience, backoffMs(tries));
    }
  }
}

/** Whether an error of the bus goes away by itself. */
export function isPassing(error: unknown): boolean {
  if (!(error instanceof TroupeError)) return false;
  return ['TRP_BUS_DISCONNECTED', 'TRP_BUS_TIMEOUT', 'TRP_BUS_FULL'].includes(error.code);
}

/** How long to wait after so many failed tries: from 20 ms, doubling, up to a second. */
export function backoffMs(tries: number): number {
  return Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(tries, 10));
}

/** Resolves after a time, or at once when trying has ended. */
export function pause({ clock, signal }: Patience, delayMs: number): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const over = (): void => {
      clock.clearTimeout(timer);
      signal.removeEventListener('abort', over);
      resolve();
    };
    const timer = clock.setTimeout(over, delayMs);
    signal.addEventListener('abort', over);
  });
}

function isConflict(error: unknown): boolean {
  return error instanceof TroupeError && error.code === 'TRP_BUS_CONFLICT';
}

function fenced(name: string, cause: unknown): TroupeError {
  const message = `Somebody else has begun to write the log ${name}: ${messageOf(cause)}`;
  return new TroupeError('TRP_JOURNAL_FENCED', message, { cause });
}
