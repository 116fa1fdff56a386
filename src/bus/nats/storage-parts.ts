import type { BlobShelf, BlobStore } from '../blob-store.ts';
import type { EventLog, LogKind } from '../event-log.ts';
import type { KeyBucket, KeyBucketOptions } from '../key-bucket.ts';
import type { PoolDeadLetter, WorkQueue, WorkQueueOptions } from '../work-queue.ts';
import { createBlobStore } from './blob-store.ts';
import { createEventLogs } from './event-log.ts';
import type { JetStreamOptions } from './jetstream.ts';
import { createKeyBuckets } from './key-bucket.ts';
import type { NatsLink } from './link.ts';
import { createWorkQueues } from './work-queue.ts';

/** What lives on JetStream. Nothing is made on the server before it is asked for. */
export class StorageParts {
  private readonly queues: ReturnType<typeof createWorkQueues>;
  private readonly logs: ReturnType<typeof createEventLogs>;
  private readonly buckets: ReturnType<typeof createKeyBuckets>;
  private readonly blobStore: ReturnType<typeof createBlobStore>;

  constructor(link: NatsLink, options?: JetStreamOptions) {
    this.queues = createWorkQueues(link, options);
    this.logs = createEventLogs(link, options);
    this.buckets = createKeyBuckets(link, options);
    this.blobStore = createBlobStore(link, options);
  }

  workQueue(pool: string, options?: WorkQueueOptions): Promise<WorkQueue> {
    return this.queues.open(pool, options);
  }

  deadLetters(): Promise<readonly PoolDeadLetter[]> {
    return this.queues.deadLetters();
  }

  log(kind: LogKind, name: string): Promise<EventLog> {
    return this.logs.open(kind, name);
  }

  logNames(kind: LogKind): Promise<readonly string[]> {
    return this.logs.names(kind);
  }

  keys(bucket: string, options?: KeyBucketOptions): Promise<KeyBucket> {
    return this.buckets.open(bucket, options);
  }

  blobs(shelf: BlobShelf): Promise<BlobStore> {
    return this.blobStore.open(shelf);
  }

  async close(): Promise<void> {
    this.logs.close();
    this.buckets.close();
    this.blobStore.close();
    await this.queues.close();
  }
}
