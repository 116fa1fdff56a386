import type { Watch } from '../../../bus/key-bucket.ts';
import { noteChange } from './run-index.ts';
import type { IndexedRun, RunIndex } from './run-index.ts';
import type { SignsOfLife } from './signs-of-life.ts';

/** What a watch for orphans is made from. */
export interface OrphanWatchOptions {
  readonly node: string;
  readonly index: RunIndex;
  readonly signs: SignsOfLife;
}

/** Knows which runs nobody carries, at the cost of what changes; runs that have ended are not kept. */
export class OrphanWatch {
  private readonly options: OrphanWatchOptions;
  private readonly runs = new Map<string, IndexedRun>();
  private watching: Promise<Watch> | undefined;

  constructor(options: OrphanWatchOptions) {
    this.options = options;
  }

  /** Oldest first. */
  async orphans(): Promise<readonly string[]> {
    const { node, signs } = this.options;
    await Promise.all([signs.watch(), this.watch()]);
    return [...this.runs.values()]
      .filter((run) => run.state === 'released' || (run.node !== node && signs.isDead(run.node)))
      .sort((a, b) => a.order - b.order)
      .map(({ run }) => run);
  }

  stop(): void {
    void this.watching?.then((watch) => watch.stop()).catch(() => undefined);
  }

  private async watch(): Promise<void> {
    this.watching ??= this.start();
    try {
      await this.watching;
    } catch (error) {
      this.watching = undefined;
      throw error;
    }
  }

  private async start(): Promise<Watch> {
    const bucket = await this.options.index.bucket();
    return await new Promise<Watch>((resolve, reject) => {
      const watching = bucket.watch('>', (event) => {
        if (event.type === 'entry') this.note(event);
        else watching.then(resolve, reject);
      });
      watching.catch(reject);
    });
  }

  private note(change: Parameters<typeof noteChange>[1]): void {
    noteChange(this.runs, change);
    if (this.runs.get(change.key)?.state === 'ended') this.runs.delete(change.key);
  }
}
