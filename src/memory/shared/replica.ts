import type { LogEntry } from '../../bus/event-log.ts';
import type { LeaseTaken } from '../../journal/record.ts';
import { RunMemory } from '../run-memory.ts';
import { committedIn } from './committed.ts';
import type { CommittedEntry } from './committed.ts';
import { frameOf } from './frame.ts';
import type { MemoryFrame } from './frame.ts';
import type { SharedRules } from './shared-rules.ts';

/** Who hears of what a replica takes in. */
export interface ReplicaListener {
  /** A changeset has become visible. */
  readonly committed?: (entry: CommittedEntry) => void;
  /** Another owner has begun. */
  readonly leased?: (lease: LeaseTaken) => void;
}

/**
 * A memory as its log tells it.
 *
 * Invariants:
 * 1. It holds a prefix of the log, whole changesets of it: what others see as well, or will.
 * 2. An entry is taken once, however often it comes.
 * 3. After an entry that it cannot take it takes none: there would be a hole.
 */
export class Replica {
  readonly memory = new RunMemory();
  /** Of the newest owner; 0: there was none yet. */
  epoch = 0;
  /** What the memory's first owner wrote of its keys; undefined: a run's memory, or there was no owner yet. */
  rules: SharedRules | undefined;
  /** Number of the last entry of the log, and of the last record. */
  logSeq = 0;
  recordSeq = 0;
  private readonly listener: ReplicaListener;
  private isBroken = false;

  constructor(listener: ReplicaListener) {
    this.listener = listener;
  }

  /** Takes an entry in. Throws TRP_JOURNAL_VERSION or TRP_JOURNAL_CORRUPT, and takes nothing then and ever after. */
  take(entry: LogEntry): void {
    if (entry.seq <= this.logSeq || this.isBroken) return;
    const { records, rules, epoch } = this.frameOf(entry);
    this.logSeq = entry.seq;
    this.epoch = Math.max(this.epoch, epoch);
    if (rules) this.rules = rules;
    for (const entry of committedIn(records)) {
      this.memory.apply(entry.record);
      this.listener.committed?.(entry);
    }
    for (const record of records) if (record.type === 'lease.taken') this.listener.leased?.(record);
    this.recordSeq = Math.max(this.recordSeq, records.at(-1)?.seq ?? 0);
  }

  private frameOf(entry: LogEntry): MemoryFrame {
    try {
      return frameOf(entry);
    } catch (error) {
      this.isBroken = true;
      throw error;
    }
  }
}
