import type { TroupeError } from '../core/errors.ts';
import type { RunOutcome } from '../core/outcome.ts';
import type { Checkpoint } from './checkpoint.ts';
import type { LeaseTerms } from './lease.ts';
import type { JournalRecord } from './record.ts';

/**
 * What an acknowledged record survives: nothing beyond the process (`memory`), kill -9 of the process
 * (`process`), loss of power (`power`, one fdatasync per turn of the event loop).
 */
export type DurabilityLevel = 'memory' | 'process' | 'power';

/** A run that this process owns: the only handle that can write to its journal. */
export interface OwnedRun {
  readonly run: string;
  /** Number of this ownership; a process with a lower one is fenced off. */
  readonly epoch: number;
  /** What was written before this process took over, in order; after the checkpoint, if there is one. Empty for a new run. */
  readonly records: readonly JournalRecord[];
  /** The fold of what stands before `records`; undefined: they are all there is. */
  readonly checkpoint?: Checkpoint | undefined;
  /**
   * Keeps a fold, so that the next takeover need not begin at the first record. Its last record must have been
   * acknowledged just now. Never rejects: nothing depends on it.
   */
  keep?(checkpoint: EncodedCheckpoint): Promise<void>;
  /**
   * Appends records, already numbered, in the order of the calls. `durable` is called once: without an
   * error when they have reached the store's level (in order; for `memory`, before append returns), or
   * with TRP_JOURNAL_FULL, TRP_JOURNAL_IO or TRP_JOURNAL_FENCED. After an error nothing more is accepted.
   */
  append(records: readonly JournalRecord[], durable: (error?: TroupeError) => void): void;
  /**
   * True: this process has not been able to confirm its lease for too long, so somebody else may own the run by
   * now; whoever is about to act waits until `sure` is called, which never happens when the run is lost. Absent:
   * ownership is never in doubt.
   */
  inDoubt?(sure: () => void): boolean;
  /** Calls once when the run is found to belong to somebody else without an append, with TRP_JOURNAL_FENCED. */
  onLost?(lost: (error: TroupeError) => void): void;
  /** Waits for what was appended, then gives up ownership. */
  release(): Promise<void>;
}

/** A fold as bytes; see `checkpoint.ts`. */
export interface EncodedCheckpoint {
  /** Number of the last record that is in it. */
  readonly seq: number;
  readonly bytes: Uint8Array;
}

/** Where journals live. */
export interface JournalStore {
  readonly level: DurabilityLevel;
  /** This process's name among those that share the store. */
  readonly node: string;
  /** Makes a new run and owns it. */
  create(run: string): Promise<OwnedRun>;
  /** Takes over a run that no live process owns; TRP_RUN_NOT_FOUND or TRP_RUN_OWNED otherwise. */
  adopt(run: string): Promise<OwnedRun>;
  /** Reads a run without owning it: everything that is durable at the time of the call. */
  read(run: string): Promise<readonly JournalRecord[]>;
  /** All runs in the store, oldest first, with who owns them now. */
  list(): Promise<readonly StoredRun[]>;
  /**
   * Runs that have begun, have not ended and that nobody carries, as far as this process has been able to observe:
   * the first call begins the observation. Absent: {@link list} says so at once.
   */
  orphans?(): Promise<readonly string[]>;
  /** Runs that have ended and that nobody owns, by the time of their ends. Absent: their journals say it. */
  ended?(): Promise<readonly EndedRun[]>;
  /** Hands over what the run's journal holds and then each group of new records, in order, until stopped. */
  follow?(
    run: string,
    take: (records: readonly JournalRecord[]) => void,
  ): Promise<JournalFollowing>;
  /** How a run has ended, without reading more of it than is needed; undefined: it has not. Absent: read it. */
  endedAs?(run: string): Promise<RunOutcome | undefined>;
  /**
   * Reads many runs of those that there are now, in the order of {@link list}, at less cost than one by one. Absent: use
   * {@link read}.
   */
  bulkReader?(): Promise<JournalStore['read']>;
  /** Removes an ended run's journal for good. Rejects with TRP_RUN_NOT_FOUND, and TRP_RUN_OWNED while it has an owner. */
  delete?(run: string): Promise<void>;
  /** Finishes deletions that were interrupted, and removes what no run needs any more. */
  sweep?(): Promise<void>;
  /** By which this process owns its runs; absent: the system ends its ownership with the process. */
  readonly lease?: LeaseKeeper;
  /** Waits for pending appends, then gives up every ownership. */
  close(): Promise<void>;
}

/** Ends by `stop`, after which nothing is handed over. */
export interface JournalFollowing {
  stop(): void;
}

/** What keeps the ownership of this process's runs alive; the lease actor decides when. */
export interface LeaseKeeper {
  readonly terms: LeaseTerms;
  /** Renewals have not been answered for too long: somebody else may have taken runs over. Until {@link verify}. */
  isDoubted(): boolean;
  /** Resolves when the renewal is stored, or there is nothing to renew. */
  renew(): Promise<void>;
  /** Asks for every run whether it is still this process's; those that are not are lost. Then nothing is in doubt. */
  verify(): Promise<void>;
}

/** One line of {@link JournalStore.ended}. */
export interface EndedRun {
  readonly run: string;
  /** Wall milliseconds. */
  readonly endedAt: number;
}

/** One line of {@link JournalStore.list}. */
export interface StoredRun {
  readonly run: string;
  /** The node that owns it and is alive; undefined: nobody. */
  readonly owner: string | undefined;
}
