import type { Plain } from '../core/plain.ts';

/** Reads of memory at one revision. */
export interface MemoryReader {
  readonly revision: number;
  /** The key's value, or undefined when it does not exist at this revision. */
  get(key: string): Plain | undefined;
  /** Keys that match a pattern (`*` one token, `>` or a trailing `.*` the rest), in order of key. */
  keys(pattern?: string): readonly string[];
}
