import type {
  Bus,
  BusMessage,
  BusState,
  BusStatus,
  PublishOptions,
  RequestOptions,
  SubscribeOptions,
  Subscription,
} from '../bus/bus.ts';
import type { BlobShelf, BlobStore } from '../bus/blob-store.ts';
import type { EventLog, LogKind } from '../bus/event-log.ts';
import type { KeyBucket, KeyBucketOptions } from '../bus/key-bucket.ts';
import type { PoolDeadLetter, WorkQueue, WorkQueueOptions } from '../bus/work-queue.ts';
import type { Plain } from '../core/plain.ts';
import type { ProcessClock } from './process-clock.ts';

/** A bus as a process has it that may stand still or die: what arrives then waits or is lost. */
export class GatedBus implements Bus {
  private readonly bus: Bus;
  private readonly clock: ProcessClock;
  private open = 0;

  constructor(bus: Bus, clock: ProcessClock) {
    this.bus = bus;
    this.clock = clock;
  }

  /** Subscriptions that were made and have not been ended. */
  get subscriptions(): number {
    return this.open;
  }

  get ns(): string {
    return this.bus.ns;
  }

  get state(): BusState {
    return this.bus.state;
  }

  onStatus(listener: (status: BusStatus) => void): () => void {
    return this.bus.onStatus((status) => this.clock.deliver(() => listener(status)));
  }

  publish(subject: string, payload: Plain, options?: PublishOptions): void {
    if (this.clock.isAlive) this.bus.publish(subject, payload, options);
  }

  subscribe(
    pattern: string,
    handler: (message: BusMessage) => void | Promise<void>,
    options?: SubscribeOptions,
  ): Subscription {
    const inner = this.bus.subscribe(
      pattern,
      (message) => this.clock.deliver(() => void handler(message)),
      options,
    );
    this.open++;
    let ended = false;
    return {
      get dropped() {
        return inner.dropped;
      },
      unsubscribe: () => {
        inner.unsubscribe();
        if (!ended) this.open--;
        ended = true;
      },
    };
  }

  request(subject: string, payload: Plain, options?: RequestOptions): Promise<Plain> {
    return this.bus.request(subject, payload, options);
  }

  hasSubscribers(subject: string): boolean {
    return this.bus.hasSubscribers(subject);
  }

  flush(): Promise<void> {
    return this.bus.flush();
  }

  workQueue(pool: string, options?: WorkQueueOptions): Promise<WorkQueue> {
    return this.bus.workQueue(pool, options);
  }

  deadLetters(): Promise<readonly PoolDeadLetter[]> {
    return this.bus.deadLetters();
  }

  log(kind: LogKind, name: string): Promise<EventLog> {
    return this.bus.log(kind, name);
  }

  logs(kind: LogKind): Promise<readonly string[]> {
    return this.bus.logs(kind);
  }

  keys(bucket: string, options?: KeyBucketOptions): Promise<KeyBucket> {
    return this.bus.keys(bucket, options);
  }

  blobs(shelf?: BlobShelf): Promise<BlobStore> {
    return this.bus.blobs(shelf);
  }

  close(): Promise<void> {
    return this.bus.close();
  }
}
