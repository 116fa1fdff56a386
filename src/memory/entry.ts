import { contentHash } from '../core/canonical.ts';
import type { Plain } from '../core/plain.ts';
import { stronger } from '../results/strength.ts';
import { emptyMerging } from './cluster.ts';
import type { Cluster, MergeRule, ProposedWrite } from './cluster.ts';
import { clusterValue } from './concurrency.ts';

/** A key's content from one revision on. */
export interface EntryVersion {
  readonly revision: number;
  /** Undefined: deleted. */
  readonly value: Plain | undefined;
}

/** A cluster as its entry holds it. */
interface GrowingCluster extends Cluster {
  readonly writes: ProposedWrite[];
  strongest: ProposedWrite;
  numeric: boolean;
  /** Revision of the first version that came of it. */
  readonly since: number;
}

/** A write on its way into an entry. */
export interface EntryWrite {
  readonly write: ProposedWrite;
  /** Revision of the view that it was made from. */
  readonly from: number;
}

/**
 * The history of one key.
 *
 * Invariants:
 * 1. Versions are only ever added, in order of revision, so a view needs to remember only its revision.
 * 2. `cluster` holds the writes that the latest value was merged from, as they were proposed.
 */
export class Entry {
  private readonly versions: EntryVersion[] = [];
  private readonly hashes = new WeakMap<EntryVersion, string>();
  private cluster: GrowingCluster | undefined;

  get latest(): EntryVersion | undefined {
    return this.versions.at(-1);
  }

  /** Who wrote last. */
  get lastWriter(): ProposedWrite | undefined {
    return this.cluster?.writes.at(-1);
  }

  /** Adds the outcome of a write. */
  add(value: Plain | undefined, { write, from }: EntryWrite): void {
    this.join({ write, from });
    this.versions.push({ revision: write.revision, value });
  }

  /** Adds a write whose outcome follows from it and those concurrent with it; the value is made when it is read. */
  addMerged(by: MergeRule, { write, from }: EntryWrite): void {
    const cluster = this.join({ write, from });
    this.versions.push(new MergedVersion(write.revision, cluster, by));
  }

  /**
   * The writes that one made from a view at the revision has not seen; undefined: it has seen them all, so
   * it replaces the value. Who has seen a part of a cluster meets the rest of it as one write.
   */
  concurrentWith(from: number): GrowingCluster | undefined {
    const { latest, cluster } = this;
    if (!latest || !cluster || latest.revision <= from) return undefined;
    if (cluster.seen <= from && from < cluster.since) return cluster;
    const seen = this.at(from);
    if (cluster.seen === (seen?.revision ?? 0)) return cluster;
    const rest = { ...cluster.strongest, value: latest.value, revision: latest.revision };
    return clusterOf(seen, rest, from + 1);
  }

  /** SHA-256 of the canonical content at a revision, made when first asked for; undefined: nothing is there. */
  hash(revision: number): string | undefined {
    const version = this.at(revision);
    if (version?.value === undefined) return undefined;
    const hash = this.hashes.get(version) ?? contentHash(version.value);
    this.hashes.set(version, hash);
    return hash;
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

  private join({ write, from }: EntryWrite): GrowingCluster {
    const joined = this.concurrentWith(from);
    if (!joined) return (this.cluster = clusterOf(this.latest, write, write.revision));
    joined.writes.push(write);
    joined.strongest = stronger(joined.strongest, write);
    joined.numeric &&= typeof write.value === 'number';
    return (this.cluster = joined);
  }
}

/** A version whose value follows from the writes of its cluster up to its own; made when it is first read. */
class MergedVersion implements EntryVersion {
  readonly revision: number;
  private readonly cluster: Cluster;
  private readonly by: MergeRule;
  private readonly count: number;
  private made: { readonly value: Plain | undefined } | undefined;

  constructor(revision: number, cluster: Cluster, by: MergeRule) {
    this.revision = revision;
    this.cluster = cluster;
    this.by = by;
    this.count = cluster.writes.length;
  }

  get value(): Plain | undefined {
    this.made ??= { value: clusterValue(this.cluster, this.by, this.count) };
    return this.made.value;
  }
}

function clusterOf(
  seen: EntryVersion | undefined,
  write: ProposedWrite,
  since: number,
): GrowingCluster {
  return {
    since,
    seen: seen?.revision ?? 0,
    base: seen?.value,
    writes: [write],
    strongest: write,
    numeric: typeof write.value === 'number',
    merging: emptyMerging(),
  };
}
