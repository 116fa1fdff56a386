import type { Plain } from '../core/plain.ts';

/** Who wrote a value, as merging and conflict records need it. */
export interface Writer {
  readonly agent: string;
  readonly task: string;
  readonly op: string;
  readonly priority: number;
}

/** A key's content from one revision on. */
export interface EntryVersion {
  readonly revision: number;
  /** Undefined: deleted. */
  readonly value: Plain | undefined;
  readonly writer: Writer;
}

/**
 * The history of one key, oldest first. Versions are only ever added, in order of revision, so a view
 * needs to remember nothing but its revision.
 */
export class Entry {
  private readonly versions: EntryVersion[] = [];

  get latest(): EntryVersion | undefined {
    return this.versions.at(-1);
  }

  add(version: EntryVersion): void {
    this.versions.push(version);
  }

  /** What the key held at a revision, by binary search; undefined: it had not been written yet. */
  at(revision: number): EntryVersion | undefined {
    const { versions } = this;
    const { latest } = this;
    if (!latest || latest.revision <= revision) return latest;
    let low = 0;
    let high = versions.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((versions[middle] as EntryVersion).revision <= revision) low = middle + 1;
      else high = middle;
    }
    return versions[low - 1];
  }
}
