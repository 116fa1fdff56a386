import { keyPattern } from '../../core/key-pattern.ts';
import type { Plain } from '../../core/plain.ts';
import type { CommittedRecord, RunMemory } from '../run-memory.ts';
import type { MemoryReader } from '../view.ts';
import { valuesOf } from './committed.ts';

/** What a watcher is told: changes that became visible together. */
export interface MemoryUpdate {
  readonly revision: number;
  /** Undefined: deleted. In the order in which they were written; at the start in order of key. */
  readonly values: ReadonlyMap<string, Plain | undefined>;
}

/** Called for each changeset that has a key of the pattern, in order, each once. */
export type MemoryWatcher = (update: MemoryUpdate) => void;

/** An interest in keys of a memory; ends by `stop`, after which the watcher is not called again. */
export interface MemoryWatch {
  stop(): void;
}

interface Interest {
  readonly matches: (key: string) => boolean;
  readonly watcher: MemoryWatcher;
}

/** Who wants to hear of which keys. A watcher that throws is reported and stays. */
export class Watchers {
  private readonly interests = new Set<Interest>();
  private readonly onFault: (error: unknown) => void;

  constructor(onFault: (error: unknown) => void) {
    this.onFault = onFault;
  }

  /** Tells what the view holds, if anything fits, and from then on every change. */
  add(pattern: string, watcher: MemoryWatcher, view: MemoryReader): MemoryWatch {
    const interest = { matches: keyPattern(pattern), watcher };
    const values = new Map(view.keys(pattern).map((key) => [key, view.get(key)]));
    this.interests.add(interest);
    if (values.size > 0) this.tell(interest, { revision: view.revision, values });
    return { stop: () => this.interests.delete(interest) };
  }

  /** A changeset has become visible in the memory. */
  committed(memory: RunMemory, record: CommittedRecord): void {
    for (const interest of this.interests) {
      const values = new Map(valuesOf(memory, record, interest.matches));
      if (values.size > 0) this.tell(interest, { revision: record.seq, values });
    }
  }

  private tell({ watcher }: Interest, update: MemoryUpdate): void {
    try {
      watcher(update);
    } catch (error) {
      this.onFault(error);
    }
  }
}
