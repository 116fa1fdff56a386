import type { Plain } from '../../core/plain.ts';
import type { LogEntry } from '../event-log.ts';
import type { Headers } from '../headers.ts';
import { conflictError } from './bus-errors.ts';

/** An entry that is to be appended. */
export interface NewEntry {
  readonly payload: Plain;
  readonly headers: Headers;
  readonly op: string;
  /** Undefined: wherever the log stands. */
  readonly expectedSeq: number | undefined;
}

/** Whoever is told of new entries. */
export type EntryListener = (entry: LogEntry) => void;

/**
 * All logs of one kind, which share one sequence.
 *
 * Invariant: no number is given twice, not even after a purge.
 */
export class LogCarrier {
  private readonly logs = new Map<string, StoredLog>();
  private lastSeq = 0;

  /** Names of the logs that hold an entry. */
  names(): readonly string[] {
    return [...this.logs.values()].filter((log) => log.lastSeq > 0).map(({ name }) => name);
  }

  /** The log of a name; empty when nobody has appended to it. */
  log(name: string): StoredLog {
    let log = this.logs.get(name);
    if (!log) {
      log = new StoredLog(name, () => ++this.lastSeq);
      this.logs.set(name, log);
    }
    return log;
  }
}

/**
 * One log.
 *
 * Invariants:
 * 1. Entries stand in order of their numbers, and what was appended is never changed.
 * 2. An append that is refused leaves no trace.
 */
export class StoredLog {
  readonly name: string;
  private readonly nextSeq: () => number;
  private readonly listeners = new Set<EntryListener>();
  private entries: LogEntry[] = [];

  constructor(name: string, nextSeq: () => number) {
    this.name = name;
    this.nextSeq = nextSeq;
  }

  get lastSeq(): number {
    return this.entries.at(-1)?.seq ?? 0;
  }

  /**
   * The number of the new entry, or of the one that the same append has left before.
   * Throws TRP_BUS_CONFLICT.
   */
  append({ payload, headers, op, expectedSeq }: NewEntry): number {
    if (expectedSeq !== undefined && expectedSeq !== this.lastSeq) {
      const next = this.entries[this.indexFrom(expectedSeq + 1)];
      if (op !== '' && next?.op === op) return next.seq;
      throw conflictError(`The log ${this.name}`, expectedSeq, this.lastSeq);
    }
    const entry = Object.freeze({ seq: this.nextSeq(), payload, headers, op });
    this.entries.push(entry);
    for (const listener of this.listeners) listener(entry);
    return entry.seq;
  }

  /** What is there now, from a number on. */
  from(seq: number): readonly LogEntry[] {
    return this.entries.slice(this.indexFrom(seq));
  }

  purge(): void {
    this.entries = [];
  }

  listen(listener: EntryListener): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  /** Index of the first entry of at least this number, by halving. */
  private indexFrom(seq: number): number {
    let [low, high] = [0, this.entries.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.entries[middle] as LogEntry).seq < seq) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
