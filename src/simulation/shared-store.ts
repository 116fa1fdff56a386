import { TroupeError } from '../core/errors.ts';
import type { SimulatedClock } from '../core/simulated-clock.ts';
import { createMemoryStore } from '../journal/stores/memory-store.ts';
import type { JournalStore, OwnedRun } from '../journal/journal.ts';
import type { JournalRecord } from '../journal/record.ts';
import type { Trace } from './trace.ts';

/** An append that the store has taken, seen from the store's side. */
export interface Taken {
  readonly run: string;
  readonly epoch: number;
  /** The newest epoch that had been given out by then. */
  readonly newest: number;
  readonly node: string;
  readonly records: readonly JournalRecord[];
}

/** One run as the store knows it. */
export interface SharedRun {
  /** The node that took it last; undefined: given up. */
  owner: string | undefined;
  epoch: number;
  hasEnded: boolean;
  /** Records that are in the journal. */
  length: number;
}

/** How long a node that does not renew its lease is taken to be alive, in milliseconds. */
export const leaseMs = 10_000;

/**
 * The one store of a simulated world, behind the network: the memory store of Troupe, which numbers the
 * ownerships and fences old ones, and leases of nodes beside it. Whether a node is alive is judged by the
 * store's own time since it last heard of it.
 */
export class SharedStore {
  /** Everything that was taken, in order. */
  readonly taken: Taken[] = [];
  readonly runs = new Map<string, SharedRun>();
  /** No append is taken while it holds. */
  isFull = false;
  private readonly store: JournalStore;
  private readonly leases = new Map<string, number>();
  private readonly clock: SimulatedClock;
  private readonly trace: Trace;

  constructor(clock: SimulatedClock, trace: Trace) {
    this.clock = clock;
    this.trace = trace;
    this.store = createMemoryStore('store');
  }

  /** A node says that it lives. */
  renew(node: string): void {
    this.leases.set(node, this.clock.now());
  }

  /** A node says that it ends. */
  leave(node: string): void {
    this.leases.delete(node);
  }

  isAlive(node: string): boolean {
    return this.clock.now() - (this.leases.get(node) ?? -Infinity) < leaseMs;
  }

  /** Who owns a run and is taken to be alive. */
  liveOwner(run: string): string | undefined {
    const owner = this.runs.get(run)?.owner;
    return owner !== undefined && this.isAlive(owner) ? owner : undefined;
  }

  /** Runs that were accepted and have not ended. */
  open(): readonly string[] {
    const open = [...this.runs].filter(([, { hasEnded, length }]) => !hasEnded && length > 0);
    return open.map(([run]) => run);
  }

  async create(run: string, node: string): Promise<OwnedRun> {
    const owned = await this.store.create(run);
    this.runs.set(run, { owner: node, epoch: owned.epoch, hasEnded: false, length: 0 });
    return owned;
  }

  async adopt(run: string, node: string): Promise<OwnedRun> {
    const owner = this.liveOwner(run);
    if (owner !== undefined && owner !== node)
      throw new TroupeError('TRP_RUN_OWNED', `Run ${run} is owned by ${owner}.`);
    const owned = await this.store.adopt(run);
    const known = this.runs.get(run) as SharedRun;
    Object.assign(known, { owner: node, epoch: owned.epoch });
    this.trace.add('store', `${node} takes ${run} in epoch ${owned.epoch}`);
    return owned;
  }

  read(run: string): Promise<readonly JournalRecord[]> {
    return this.store.read(run);
  }

  /** @returns why the records were not taken, or undefined */
  append(
    owned: OwnedRun,
    node: string,
    records: readonly JournalRecord[],
  ): TroupeError | undefined {
    if (this.isFull) return new TroupeError('TRP_JOURNAL_FULL', 'The simulated disk is full.');
    let refusal: TroupeError | undefined;
    owned.append(records, (error) => (refusal = error));
    const { run, epoch } = owned;
    if (refusal) {
      this.trace.add('store', `refuses ${node} ${run} in epoch ${epoch}: ${refusal.code}`);
      return refusal;
    }
    const known = this.runs.get(run) as SharedRun;
    this.taken.push({ run, epoch, newest: known.epoch, node, records });
    known.length += records.length;
    for (const { type } of records) {
      if (type === 'run.ended') known.hasEnded = true;
      if (type === 'run.reopened') known.hasEnded = false;
    }
    return undefined;
  }

  async release(owned: OwnedRun): Promise<void> {
    await owned.release();
    const known = this.runs.get(owned.run);
    if (known?.epoch === owned.epoch) known.owner = undefined;
  }
}
