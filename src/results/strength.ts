import type { Plain } from '../core/plain.ts';

/** One of several concurrent writes to a key. */
export interface KeyWrite {
  /** Undefined: the write deletes the key. */
  readonly value: Plain | undefined;
  readonly priority: number;
  readonly agent: string;
  /** Operation id; the last tie-break between writers. */
  readonly op: string;
}

/**
 * Orders writers, the strongest first: the higher priority, then the smaller agent id, then the smaller
 * operation id. Zero: the same write.
 */
export function byStrength(a: KeyWrite, b: KeyWrite): number {
  if (a.priority !== b.priority) return b.priority - a.priority;
  if (a.agent !== b.agent) return a.agent < b.agent ? -1 : 1;
  if (a.op !== b.op) return a.op < b.op ? -1 : 1;
  return 0;
}

/** The stronger of two writes, which decides where they clash; the first of equals. */
export function stronger<Write extends KeyWrite>(a: Write, b: Write): Write {
  return byStrength(b, a) < 0 ? b : a;
}
