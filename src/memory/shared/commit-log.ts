import type { RecordBody } from '../../journal/record.ts';
import type { RunMemory } from '../run-memory.ts';

/** Records on their way into a log. */
export interface Commit {
  /** Number of the first of them: the revision, when it is a changeset. */
  readonly seq: number;
  /** Resolves when they are durable. Rejects when the log takes nothing any more, with TRP_JOURNAL_FENCED when it has another writer. */
  readonly durable: Promise<void>;
}

/**
 * Where the owner of a memory writes what it has decided: a log of the bus, or the ledger of a run.
 *
 * Invariant: `memory` holds whatever was committed from the moment of the call on, durable or not, so that
 * the next decision sees it. Who reads `memory` while something is on its way sees what may never be.
 */
export interface CommitLog {
  readonly memory: RunMemory;
  /** Takes records in, together and in order. Throws, and takes nothing, TRP_BUS_PAYLOAD when they are too large. */
  commit(bodies: readonly RecordBody[]): Commit;
}
