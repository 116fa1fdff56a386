import type { Plain } from '../core/plain.ts';
import type { LeafWinners } from '../results/leaf-winners.ts';
import type { KeyWrite } from '../results/merging.ts';
import type { MergerName, MergeType } from '../workflow/model.ts';

/** A write to a key as it was proposed, before any merging. */
export interface ProposedWrite extends KeyWrite {
  readonly task: string;
  /** Of its commit; 0 while it is only a proposal. */
  readonly revision: number;
}

/**
 * Writes to one key of which none had seen another, and what the key held when all of them began. The
 * key's value is what they give together.
 */
export interface Cluster {
  /** The key's revision that they began from; 0: it did not exist. */
  readonly seen: number;
  readonly base: Plain | undefined;
  /** In order of commit. Grows as writes join. */
  readonly writes: readonly ProposedWrite[];
  /** The one that decides against all others. */
  readonly strongest: ProposedWrite;
  /** Every write sets a number. */
  readonly numeric: boolean;
  readonly merging: ClusterMerging;
}

/**
 * The writes of a cluster merged place by place, kept for the next one that joins. Follows from the writes
 * alone, so it may be thrown away at any time.
 */
export interface ClusterMerging {
  /** Rule and type that it was made for. */
  by: string;
  leaves: LeafWinners<ProposedWrite> | undefined;
  /** How many of the writes are in. */
  included: number;
  /** A write that is in, although it is only a proposal so far. */
  ahead: ProposedWrite | undefined;
}

/** The rule of a key, as merging needs it. */
export interface MergeRule {
  readonly rule: MergerName;
  readonly type: MergeType | undefined;
}

/** Nothing merged yet. */
export function emptyMerging(): ClusterMerging {
  return { by: '', leaves: undefined, included: 0, ahead: undefined };
}
