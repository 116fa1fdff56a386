import type { Plain } from '../core/plain.ts';

/** What logs are kept for: journals of runs, conflicts, results of work. Each kind has a carrier of its own. */
export const logKinds = ['jrn', 'cfl', 'res'] as const;

/** One of the kinds. */
export type LogKind = (typeof logKinds)[number];

/** An entry of a log. */
export interface LogEntry {
  /** Grows within a log, with gaps. */
  readonly seq: number;
  readonly payload: Plain;
  readonly headers: { readonly [name: string]: string };
  /** Operation id that it was appended with; empty: none. */
  readonly op: string;
}

/** How an entry is appended. */
export interface AppendOptions {
  /** The append happens only if this is the log's last sequence number (0: the log is empty). */
  readonly expectedSeq?: number;
  /**
   * Operation id. With `expectedSeq`, an append that is repeated after a lost answer is recognised by it and
   * resolves as the first one did.
   */
  readonly op?: string;
  readonly headers?: { readonly [name: string]: string };
}

/** What to read. */
export interface ReadOptions {
  /** First sequence number. Default: the beginning. */
  readonly from?: number;
}

/** Reading that goes on; ends by `stop`, after which the handler is not called again. */
export interface Following {
  stop(): void;
}

/** An append-only sequence of entries. Entries are read in order, each once, without holes. */
export interface EventLog {
  readonly name: string;
  /**
   * Resolves with the sequence number when the entry is stored. Rejects with TRP_BUS_CONFLICT when the log
   * has moved on from `expectedSeq`; nothing was appended then.
   */
  append(payload: Plain, options?: AppendOptions): Promise<number>;
  /** What the log holds when the reading begins, in order. */
  read(options?: ReadOptions): AsyncIterable<LogEntry>;
  /**
   * Hands over what the log holds and then each new entry, also over reconnections. `caughtUp` is called once,
   * when everything that was there at the start has been handed over, also for an empty log.
   */
  follow(
    handler: (entry: LogEntry) => void,
    options?: ReadOptions & { readonly caughtUp?: () => void },
  ): Promise<Following>;
  /** Sequence number of the last entry; 0: the log is empty. */
  lastSeq(): Promise<number>;
  /** Removes all entries. Sequence numbers go on. */
  purge(): Promise<void>;
}
