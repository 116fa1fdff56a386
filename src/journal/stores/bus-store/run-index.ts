import type { Bus } from '../../../bus/bus.ts';
import type { KeyBucket } from '../../../bus/key-bucket.ts';
import { TroupeError } from '../../../core/errors.ts';
import type { Plain } from '../../../core/plain.ts';

/** What the index says of a run. A hint: the journal is what counts. */
export interface IndexedRun {
  readonly run: string;
  /** Who owned it last, and in which epoch. */
  readonly node: string;
  readonly epoch: number;
  /** `owned` until its owner says otherwise; `released`: it can be taken at once; `ended`: nothing is left to do. */
  readonly state: 'owned' | 'released' | 'ended';
  /** Place of the journal's first entry: runs in order of their beginnings. */
  readonly order: number;
  /** When it ended, wall milliseconds; absent where that was not written. */
  readonly endedAt?: number | undefined;
}

/** The index of the runs of a namespace: key `<run>` of the bucket `runs`. It can be made again from the journals. */
export class RunIndex {
  private readonly bus: Bus;
  private opened: Promise<KeyBucket> | undefined;

  constructor(bus: Bus) {
    this.bus = bus;
  }

  bucket(): Promise<KeyBucket> {
    this.opened ??= this.bus.keys('runs', { history: 1 });
    this.opened.catch(() => (this.opened = undefined));
    return this.opened;
  }

  async get(run: string): Promise<IndexedRun | undefined> {
    const entry = await (await this.bucket()).get(run);
    return entry && indexedRun(entry.key, entry.value);
  }

  /** Writes how a run stands, unless a later ownership has written already. */
  async put(indexed: IndexedRun): Promise<void> {
    const bucket = await this.bucket();
    const { run, endedAt, ...rest } = indexed;
    const value: Plain = endedAt === undefined ? rest : { ...rest, ended_at: endedAt };
    for (;;) {
      const known = await bucket.get(run);
      const newer = known && indexedRun(run, known.value);
      if (newer && newer.epoch > indexed.epoch) return;
      try {
        if (known) await bucket.update(run, value, known.revision);
        else await bucket.create(run, value);
        return;
      } catch (error) {
        if (!(error instanceof TroupeError) || error.code !== 'TRP_BUS_CONFLICT') throw error;
      }
    }
  }

  async remove(run: string): Promise<void> {
    await (await this.bucket()).purge(run);
  }

  /** All runs, oldest first. */
  async all(): Promise<readonly IndexedRun[]> {
    const found = new Map<string, IndexedRun>();
    const bucket = await this.bucket();
    await new Promise<void>((resolve, reject) => {
      const watching = bucket.watch('>', (event) => {
        if (event.type === 'entry') noteChange(found, event);
        else void watching.then((watch) => watch.stop()).then(resolve, reject);
      });
      watching.catch(reject);
    });
    return [...found.values()].sort((a, b) => a.order - b.order);
  }
}

/** Takes a change of the index in. */
export function noteChange(
  runs: Map<string, IndexedRun>,
  { key, value }: { readonly key: string; readonly value: Plain | undefined },
): void {
  const indexed = indexedRun(key, value);
  if (indexed) runs.set(key, indexed);
  else runs.delete(key);
}

/** Undefined: deleted, or written by something that this version does not know. */
function indexedRun(run: string, value: Plain | undefined): IndexedRun | undefined {
  const { node, epoch, state, order, ended_at } = (value ?? {}) as {
    readonly [name: string]: Plain;
  };
  if (typeof node !== 'string' || typeof epoch !== 'number' || typeof order !== 'number')
    return undefined;
  if (state !== 'owned' && state !== 'released' && state !== 'ended') return undefined;
  const indexed: IndexedRun = { run, node, epoch, state, order };
  return typeof ended_at === 'number' ? { ...indexed, endedAt: ended_at } : indexed;
}
