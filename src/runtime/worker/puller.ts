import type { Bus } from '../../bus/bus.ts';
import { workLevels } from '../../bus/work-queue.ts';
import type { QueueDepth, WorkItem, WorkQueue } from '../../bus/work-queue.ts';
import { poolQueueOptions } from '../../actors/remote/pool-queues.ts';
import type { Clock } from '../../core/clock.ts';
import { messageOf } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';

/** One wait for work, in milliseconds; then the next begins. */
const pullMs = 20_000;

/** Between two tries while the bus is away, in milliseconds. */
const againMs = 1_000;

/** What taking work needs. */
export interface PullerOptions {
  readonly bus: Bus;
  readonly pools: readonly string[];
  readonly clock: Clock;
  readonly logger: Logger;
  /** Takes an item over, and a slot with it; false: there is none any more. */
  readonly take: (item: WorkItem) => boolean;
  /** Resolves when there is a slot. */
  readonly slot: () => Promise<void>;
}

/**
 * Takes work from the queues of pools: by strict priority over all of them, one item at a time, and none that there
 * is no slot for.
 *
 * Invariant: an item that was pulled is taken or goes back; after `stop` none is pulled.
 */
export class Puller {
  private readonly options: PullerOptions;
  private readonly stopping = new AbortController();
  private readonly queues = new Map<string, WorkQueue>();
  private isConnectedOnce = false;
  private running: Promise<void> | undefined;

  constructor(options: PullerOptions) {
    this.options = options;
  }

  /** Whether all queues could be opened at least once: then work is waited for. */
  get isOpen(): boolean {
    return this.isConnectedOnce;
  }

  start(): void {
    this.running ??= this.run();
  }

  /** Resolves when nothing is on its way any more. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  private async run(): Promise<void> {
    const { slot, logger } = this.options;
    while (!this.isStopped) {
      await this.orStopped(slot());
      if (this.isStopped) return;
      try {
        await this.open();
        await this.acceptAll(await this.next());
      } catch (error) {
        if (this.isStopped) return;
        logger.debug('no work can be taken', { message: messageOf(error) });
        await this.pause();
      }
    }
  }

  private get isStopped(): boolean {
    return this.stopping.signal.aborted;
  }

  private async acceptAll(items: readonly WorkItem[]): Promise<void> {
    for (const item of items) {
      const isTaken = !this.isStopped && this.options.take(item);
      if (!isTaken) await item.nak();
    }
  }

  private async open(): Promise<void> {
    const { bus, pools } = this.options;
    for (const pool of pools) {
      if (!this.queues.has(pool))
        this.queues.set(pool, await bus.workQueue(pool, poolQueueOptions));
    }
    this.isConnectedOnce = true;
  }

  /** One item as a rule; several when they came at the same moment. */
  private async next(): Promise<readonly WorkItem[]> {
    const { signal } = this.stopping;
    const [only, ...others] = this.queues.values();
    if (only && others.length === 0) {
      const item = await only.pull({ waitMs: pullMs, signal });
      return item ? [item] : [];
    }
    return (await this.mostUrgent()) ?? this.firstOfAny();
  }

  /** Of the queue whose head is the most urgent one; undefined: all of them are empty. */
  private async mostUrgent(): Promise<readonly WorkItem[] | undefined> {
    const queues = [...this.queues.values()];
    const depths = await Promise.all(queues.map((queue) => queue.depth()));
    const levels = depths.map(headLevel);
    const best = Math.min(...levels);
    if (best === workLevels.length) return undefined;
    const item = await queues[levels.indexOf(best)]?.pull();
    return item ? [item] : undefined;
  }

  private async firstOfAny(): Promise<readonly WorkItem[]> {
    const found = new AbortController();
    const stop = (): void => found.abort();
    this.stopping.signal.addEventListener('abort', stop);
    const { signal } = found;
    try {
      const pulls = [...this.queues.values()].map(async (queue) => {
        const item = await queue.pull({ waitMs: pullMs, signal });
        if (item) found.abort();
        return item;
      });
      const settled = await Promise.allSettled(pulls);
      const items = settled.flatMap((end) => (end.status === 'fulfilled' ? (end.value ?? []) : []));
      const failed = settled.find((end) => end.status === 'rejected');
      if (items.length === 0 && failed && !this.isStopped) throw failed.reason;
      return items;
    } finally {
      this.stopping.signal.removeEventListener('abort', stop);
    }
  }

  /** Resolves with the promise, or when this is stopped; leaves nothing behind. */
  private async orStopped(wait: Promise<void>): Promise<void> {
    const { signal } = this.stopping;
    if (signal.aborted) return;
    await new Promise<void>((resolve) => {
      const end = (): void => {
        signal.removeEventListener('abort', end);
        resolve();
      };
      signal.addEventListener('abort', end);
      void wait.then(end);
    });
  }

  private pause(): Promise<void> {
    const { clock } = this.options;
    return this.orStopped(new Promise<void>((resolve) => clock.setTimeout(resolve, againMs)));
  }
}

/** Index of the most urgent level that has items; the number of levels when none has. */
function headLevel({ waiting }: QueueDepth): number {
  const index = workLevels.findIndex((level) => waiting[level] > 0);
  return index === -1 ? workLevels.length : index;
}
