import type { Plain } from '../core/plain.ts';

/** How a bucket keeps its keys. A bucket that exists keeps what it was made with. */
export interface KeyBucketOptions {
  /** Versions kept per key, 1 to 64. Default 8. */
  readonly history?: number;
  /** A key that was not written for this long is gone, without a change that watchers see. Default: never. */
  readonly ttlMs?: number;
  /**
   * Every new value is also published, as JSON bytes without an envelope, under this subject followed by the
   * key's tokens. Default: not.
   */
  readonly republish?: string;
  /** False: in the memory of the server only. Default true. */
  readonly stored?: boolean;
}

/** What a key held from one revision on. */
export interface KeyEntry {
  readonly key: string;
  /** Undefined: deleted. */
  readonly value: Plain | undefined;
  /** Grows over all keys of the bucket. */
  readonly revision: number;
}

/** What a watch hands over: entries, and once the marker that all entries of the start have been seen. */
export type WatchEvent =
  | ({ readonly type: 'entry' } & KeyEntry)
  /** `revision`: of the bucket; everything up to it has been handed over. Also for a bucket without keys. */
  | { readonly type: 'ready'; readonly revision: number };

/** What a watch begins with. */
export interface WatchOptions {
  /**
   * Begin after this revision, deletions included: everything that is still kept, and of each key at least its
   * latest change. Default: the present value of every key that has one.
   */
  readonly after?: number;
}

/** An interest in keys; ends by `stop`, after which the handler is not called again. */
export interface Watch {
  stop(): void;
}

/**
 * Versioned keys. A key is dot-separated tokens, as a subject; a pattern may hold wildcards. Values are
 * JSON on the wire, so that any client reads them; bytes stand there as `{"$bytes": "<base64>"}`.
 */
export interface KeyBucket {
  readonly bucket: string;
  /** The latest value; undefined when there is none, or the key was deleted. */
  get(key: string): Promise<KeyEntry | undefined>;
  /** Writes whatever was there. All writes resolve with the new revision. */
  put(key: string, value: Plain): Promise<number>;
  /** Rejects with TRP_BUS_CONFLICT when the key has a value. */
  create(key: string, value: Plain): Promise<number>;
  /** Rejects with TRP_BUS_CONFLICT unless the key's latest change (also a deletion) has this revision. */
  update(key: string, value: Plain, revision: number): Promise<number>;
  /** Leaves a mark in the history. Rejects with TRP_BUS_CONFLICT when a revision is given and is not the latest. */
  delete(key: string, revision?: number): Promise<number>;
  /** Versions that are still kept, oldest first, deletions included. */
  history(key: string): Promise<readonly KeyEntry[]>;
  /** Keys that have a value, sorted. Default pattern: `>`. */
  keys(pattern?: string): Promise<readonly string[]>;
  /** Removes keys with their history, leaving no mark. */
  purge(pattern: string): Promise<void>;
  /** Every change of the keys that fit, in order of revision, each once, also over reconnections. */
  watch(
    pattern: string,
    handler: (event: WatchEvent) => void,
    options?: WatchOptions,
  ): Promise<Watch>;
}
