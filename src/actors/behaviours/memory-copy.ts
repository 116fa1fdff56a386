import { keyMatches } from '../../core/key-pattern.ts';
import type { Plain } from '../../core/plain.ts';
import type { AttemptRequest } from './behaviour.ts';

/** The part of a view that goes where the view itself cannot. */
export interface MemoryCopy {
  readonly revision: number;
  readonly entries: readonly (readonly [key: string, value: Plain])[];
  /** Patterns that the copy was cut down to; undefined: it is whole. */
  readonly cutTo: readonly string[] | undefined;
}

/** Keys above which only those that the task reads or its agent owns are copied. */
export const manyKeys = 1_000;

/**
 * The entries visible to an attempt, in order of key: all of them, or, where they are many and the task
 * says what it reads, those that it reads and those that its agent owns.
 */
export function copyMemory({ memory, reads = [], agent }: AttemptRequest): MemoryCopy {
  const keys = memory.keys();
  const cutTo = keys.length > manyKeys && reads.length > 0 ? [...reads, ...agent.owns] : undefined;
  const wanted = cutTo
    ? keys.filter((key) => cutTo.some((pattern) => keyMatches(pattern, key)))
    : keys;
  const entries: [string, Plain][] = [];
  for (const key of wanted) {
    const value = memory.get(key);
    if (value !== undefined) entries.push([key, value]);
  }
  return { revision: memory.revision, entries, cutTo };
}
