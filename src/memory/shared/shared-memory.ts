import type { Bus } from '../../bus/bus.ts';
import type { Clock } from '../../core/clock.ts';
import type { Ids } from '../../core/ids.ts';
import type { Logger } from '../../core/log.ts';
import type { Plain } from '../../core/plain.ts';
import type { MemoryReader } from '../view.ts';
import type { Committed } from './committed.ts';
import type { SharedRules } from './shared-rules.ts';
import type { MemoryWatch, MemoryWatcher } from './watchers.ts';

/** How a shared memory is opened. */
export interface SharedMemoryOptions {
  /** Every process that opens the same name on the same bus and namespace shares one memory. */
  readonly bus: Bus;
  /** Letters, digits, `-` and `_`, at most 64. */
  readonly name: string;
  /**
   * How concurrent writes to a key are combined, by key pattern; the first that fits counts. Elsewhere:
   * `first_writer_wins`. What the first opener gave holds; another one may leave it out or must give the same.
   */
  readonly keys?: SharedRules['keys'];
  /** The only agent that may write the keys of a pattern. Elsewhere everybody may. As with `keys`, the first opener decides. */
  readonly owners?: SharedRules['owners'];
  /** Who writes here, where a changeset does not say so. Default: a name made for this opening. */
  readonly agent?: string;
  /** Whether this process orders the writes of all when nobody else does. Default true. */
  readonly serve?: boolean;
  /** Default: the system clock. */
  readonly clock?: Clock;
  /** Default: random ids. */
  readonly ids?: Ids;
  /** Told what a watcher threw, and of changes of the owner. Default: silent. */
  readonly logger?: Logger;
}

/** How a changeset is proposed. */
export interface ProposeOptions {
  /**
   * Revision of the view that it was made from: what others have written since is concurrent, and is merged.
   * Default: the latest that is known here, so that it replaces what stands there.
   */
  readonly base?: number;
  readonly agent?: string;
  /** Default: the agent. */
  readonly task?: string;
  /** 1 to 10, the higher wins under `priority_merge`. Default 5. */
  readonly priority?: number;
  /** Operation id: proposing it again, from any process and at any time, changes nothing and gives the first answer. Default: a new one. */
  readonly op?: string;
  /** Default 30 s. */
  readonly timeoutMs?: number;
}

/** New values by key; undefined deletes the key. */
export type Changeset = { readonly [key: string]: Plain | undefined };

/** Computes what to write from what the keys hold; called again when the changeset is refused as concurrent. */
export type Computation = (values: { readonly [key: string]: Plain | undefined }) => Changeset;

/**
 * A memory that any number of processes read and write. One of them, whichever began first, orders the
 * proposals of all and merges what is concurrent; when it goes, another takes its place and nothing that was
 * acknowledged is lost. Each reads from a copy of its own.
 */
export interface SharedMemory {
  readonly name: string;
  /** The latest revision that views show here; only grows. */
  readonly revision: number;
  /** Whether this process orders the writes now. */
  readonly owning: boolean;
  /** A view of all keys at one revision. It never changes and never shows a part of a changeset. */
  view(): MemoryReader;
  /**
   * SHA-256 of a key's canonical content (RFC 8785), in lower-case hex: equal contents have equal hashes in every copy,
   * however they came about. Made when it is asked for. Default revision: the latest. Undefined: nothing is there.
   */
  hash(key: string, revision?: number): string | undefined;
  /**
   * Proposes a changeset and resolves when it is committed, durable as the bus is, and visible in views here.
   * Rejects with TRP_MEMORY_NOT_OWNER, TRP_MEMORY_REJECTED, TRP_BUS_PAYLOAD (above about 1 MB), TRP_BUS_TIMEOUT
   * when its time is over (then it may be in or not), TRP_CLOSED.
   */
  propose(changes: Changeset, options?: ProposeOptions): Promise<Committed>;
  /**
   * Reads keys, computes, proposes what comes out against that view. Where a key's merger is `reject` and
   * somebody was faster with another value, it reads and computes again, until its time is over. Counters and lists
   * need no second try under the mergers `sum`, `append` and `union`.
   */
  update(
    keys: readonly string[],
    compute: Computation,
    options?: Omit<ProposeOptions, 'base' | 'op'>,
  ): Promise<Committed>;
  /** Tells what the keys of a pattern hold now, if any do, and then every changeset with one of them, in order. */
  watch(pattern: string, watcher: MemoryWatcher): MemoryWatch;
  /** Ends proposals that wait with TRP_CLOSED; another process orders the writes from now on. The bus stays open. */
  close(): Promise<void>;
}
