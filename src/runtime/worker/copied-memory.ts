import { keyMatches } from '../../core/key-pattern.ts';
import type { Plain } from '../../core/plain.ts';
import type { MemoryCopy } from '../../actors/behaviours/memory-copy.ts';
import type { MemoryReader } from '../../memory/view.ts';

/** The part of a view that came with an assignment. */
export class CopiedMemory implements MemoryReader {
  readonly revision: number;
  private readonly entries: ReadonlyMap<string, Plain>;
  private readonly cutTo: readonly string[] | undefined;

  constructor({ revision, entries, cutTo }: MemoryCopy) {
    this.revision = revision;
    this.entries = new Map(entries);
    this.cutTo = cutTo;
  }

  /** @throws Error for a key that the copy was cut down without: it may have a value. */
  get(key: string): Plain | undefined {
    const value = this.entries.get(key);
    if (value !== undefined || !this.cutTo) return value;
    if (this.cutTo.some((pattern) => keyMatches(pattern, key))) return undefined;
    throw new Error(`Memory key ${key} is not among the task's reads; add it there.`);
  }

  keys(pattern?: string): readonly string[] {
    const keys = [...this.entries.keys()];
    return pattern === undefined ? keys : keys.filter((key) => keyMatches(pattern, key));
  }
}
