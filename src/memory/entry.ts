import type { Plain } from '../core/plain.ts';
import { stronger } from './concurrency.ts';
import type { Cluster, ProposedWrite } from './concurrency.ts';

/** A key's content from one revision on. */
export interface EntryVersion {
  readonly revision: number;
  /** Undefined: deleted. */
  readonly value: Plain | undefined;
}

/** A cluster as its entry holds it. */
type GrowingCluster = Cluster & { readonly writes: ProposedWrite[] };

/**
 * The history of one key.
 *
 * Invariants:
 * 1. Versions are only ever added, in order of revision, so a view needs to remember only its revision.
 * 2. `cluster` holds the writes that the latest value was merged from, as they were proposed.
 */
export class Entry {
  private readonly versions: EntryVersion[] = [];
  private cluster: GrowingCluster | undefined;

  get latest(): EntryVersion | undefined {
    return this.versions.at(-1);
  }

  /** Adds the outcome of a write that was made from a view at revision `from`. */
  add(value: Plain | undefined, write: ProposedWrite, from: number): void {
    const { latest } = this;
    const joined = this.concurrentWith(from);
    if (joined) {
      joined.writes.push(write);
      const numeric = joined.numeric && typeof write.value === 'number';
      this.cluster = { ...joined, strongest: stronger(joined.strongest, write), numeric };
    } else {
      this.cluster = clusterOf(latest, write);
    }
    this.versions.push({ revision: write.revision, value });
  }

  /**
   * The writes that one made from a view at the revision has not seen; undefined: it has seen them all, so
   * it replaces the value. Who has seen a part of a cluster meets the rest of it as one write.
   */
  concurrentWith(from: number): GrowingCluster | undefined {
    const { latest, cluster } = this;
    if (!latest || !cluster || latest.revision <= from) return undefined;
    const seen = this.at(from);
    if (cluster.seen === (seen?.revision ?? 0)) return cluster;
    const rest = { ...cluster.strongest, value: latest.value, revision: latest.revision };
    return clusterOf(seen, rest);
  }

  /** What the key held at a revision, by binary search; undefined: it had not been written yet. */
  at(revision: number): EntryVersion | undefined {
    const { versions, latest } = this;
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

function clusterOf(seen: EntryVersion | undefined, write: ProposedWrite): GrowingCluster {
  return {
    seen: seen?.revision ?? 0,
    base: seen?.value,
    writes: [write],
    strongest: write,
    numeric: typeof write.value === 'number',
    fold: { rule: undefined, included: 0, steps: [] },
  };
}
