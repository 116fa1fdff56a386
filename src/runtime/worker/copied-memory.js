import { keyMatches } from '../../core/key-pattern.js';
/** The part of a view that came with an assignment. */
export class CopiedMemory {
  revision;
  entries;
  cutTo;
  constructor({ revision, entries, cutTo }) {
    this.revision = revision;
    this.entries = new Map(entries);
    this.cutTo = cutTo;
  }
  /** @throws Error for a key that the copy was cut down without: it may have a value. */
  get(key) {
    const value = this.entries.get(key);
    if (value !== undefined || !this.cutTo) return value;
    if (this.cutTo.some((pattern) => keyMatches(pattern, key))) return undefined;
    throw new Error(`Memory key ${key} is not among the task's reads; add it there.`);
  }
  keys(pattern) {
    const keys = [...this.entries.keys()];
    return pattern === undefined ? keys : keys.filter((key) => keyMatches(pattern, key));
  }
}
