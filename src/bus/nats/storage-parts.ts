import { TroupeError } from '../../core/errors.ts';
import type { BlobStore } from '../blob-store.ts';
import type { EventLog, LogKind } from '../event-log.ts';
import type { KeyBucket, KeyBucketOptions } from '../key-bucket.ts';
import type { WorkQueue, WorkQueueOptions } from '../work-queue.ts';
import type { NatsLink } from './link.ts';

/** What lives on JetStream, loaded when it is first used. */
export class StorageParts {
  private readonly link: NatsLink;

  constructor(link: NatsLink) {
    this.link = link;
  }

  workQueue(_pool: string, _options?: WorkQueueOptions): Promise<WorkQueue> {
    return Promise.reject(this.missing());
  }

  log(_kind: LogKind, _name: string): Promise<EventLog> {
    return Promise.reject(this.missing());
  }

  keys(_bucket: string, _options?: KeyBucketOptions): Promise<KeyBucket> {
    return Promise.reject(this.missing());
  }

  blobs(): Promise<BlobStore> {
    return Promise.reject(this.missing());
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  private missing(): TroupeError {
    return new TroupeError('TRP_BUS_SERVER', `No storage on ${this.link.ns}.`);
  }
}
