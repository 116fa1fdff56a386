import type { Bus } from '../../bus/bus.ts';
import type { WorkQueue, WorkQueueOptions } from '../../bus/work-queue.ts';
import type { Clock } from '../../core/clock.ts';
import { isAway } from './is-away.ts';
import { packed } from './large-message.ts';
import type { RemoteAttempt } from './remote-attempt.ts';

/**
 * How the queues of pools are made. A host that dies before it has asked the run's owner costs the queue's own ack wait.
 * Items that are handed back again and again end as dead letters.
 */
export const poolQueueOptions: WorkQueueOptions = { maxDeliveries: 100 };

/** Between two tries to store an item while the bus is away, in milliseconds. */
const againMs = 1_000;

/** The queues that this process gives work to, by bus and pool. */
export class PoolQueues {
  private readonly clock: Clock;
  private readonly open = new Map<Bus, Map<string, Promise<WorkQueue>>>();

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** Puts an attempt into the queue of its pool; tries for as long as it is wanted. */
  async add(bus: Bus, attempt: RemoteAttempt, isWanted: () => boolean): Promise<void> {
    const { operation, attempt: number, epoch } = attempt.label;
    const assignment = attempt.assignment();
    // One that was handed back is another item: the queue knows the first, and who acknowledged it.
    const id = `${operation}/${number}/${epoch}/${attempt.handBacks}`;
    for (;;) {
      try {
        const payload = await packed(bus, assignment);
        const queue = await this.queue(bus, assignment.pool);
        await queue.add(payload, { id, level: assignment.level });
        return;
      } catch (error) {
        if (!isAway(error)) throw error;
      }
      if (!isWanted()) return;
      await new Promise<void>((resolve) => this.clock.setTimeout(resolve, againMs));
      if (!isWanted()) return;
    }
  }

  private queue(bus: Bus, pool: string): Promise<WorkQueue> {
    const ofBus = this.open.get(bus) ?? new Map<string, Promise<WorkQueue>>();
    this.open.set(bus, ofBus);
    const known = ofBus.get(pool);
    if (known) return known;
    const opening = bus.workQueue(pool, poolQueueOptions);
    ofBus.set(pool, opening);
    opening.catch(() => ofBus.delete(pool));
    return opening;
  }
}
