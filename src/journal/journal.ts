import type { TroupeError } from '../core/errors.ts';
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
  /** What was written before this process took over, in order. Empty for a new run. */
  readonly records: readonly JournalRecord[];
  /**
   * Appends records, already numbered, in the order of the calls. `durable` is called once: without an
   * error when they have reached the store's level (in order; for `memory`, before append returns), or
   * with TRP_JOURNAL_FULL, TRP_JOURNAL_IO or TRP_JOURNAL_FENCED. After an error nothing more is accepted.
   */
  append(records: readonly JournalRecord[], durable: (error?: TroupeError) => void): void;
  /** Waits for what was appended, then gives up ownership. */
  release(): Promise<void>;
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
  /** Waits for pending appends, then gives up every ownership. */
  close(): Promise<void>;
}

/** One line of {@link JournalStore.list}. */
export interface StoredRun {
  readonly run: string;
  /** The node that owns it and is alive; undefined: nobody. */
  readonly owner: string | undefined;
}
