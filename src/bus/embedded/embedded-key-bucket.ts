import type { Plain } from '../../core/plain.ts';
import type { KeyBucket, KeyEntry, Watch, WatchEvent, WatchOptions } from '../key-bucket.ts';
import { checkKey, checkKeyPattern } from '../subject-grammar.ts';
import type { Connection } from './connection.ts';
import { Feed } from './feed.ts';
import type { FeedOptions } from './feed.ts';
import type { KeyWrite, StoredBucket } from './stored-bucket.ts';

/** What a bucket needs of its connection. */
export interface BucketFaceOptions extends Pick<FeedOptions<never>, 'queue' | 'report'> {
  readonly connection: Connection;
  /** The value as it is stored. Throws TRP_BUS_PAYLOAD. */
  readonly checked: (value: Plain) => Plain;
}

/** A bucket as one connection sees it. */
export class EmbeddedKeyBucket implements KeyBucket {
  readonly bucket: string;
  private readonly store: StoredBucket;
  private readonly options: BucketFaceOptions;

  constructor(bucket: string, store: StoredBucket, options: BucketFaceOptions) {
    this.bucket = bucket;
    this.store = store;
    this.options = options;
  }

  async get(key: string): Promise<KeyEntry | undefined> {
    checkKey(key);
    const latest = await this.call(() => this.store.latest(key));
    return latest?.value === undefined ? undefined : latest;
  }

  async put(key: string, value: Plain): Promise<number> {
    return this.write({ key, value: this.options.checked(value) });
  }

  async create(key: string, value: Plain): Promise<number> {
    return this.write({ key, value: this.options.checked(value), expected: 'absent' });
  }

  async update(key: string, value: Plain, revision: number): Promise<number> {
    return this.write({ key, value: this.options.checked(value), expected: revision });
  }

  async delete(key: string, revision?: number): Promise<number> {
    return this.write({ key, value: undefined, expected: revision });
  }

  async history(key: string): Promise<readonly KeyEntry[]> {
    checkKey(key);
    return this.call(() => this.store.historyOf(key));
  }

  async keys(pattern = '>'): Promise<readonly string[]> {
    checkKeyPattern(pattern);
    return this.call(() => this.store.keys(pattern));
  }

  async purge(pattern: string): Promise<void> {
    checkKeyPattern(pattern);
    return this.call(() => this.store.purge(pattern));
  }

  async watch(
    pattern: string,
    handler: (event: WatchEvent) => void,
    options: WatchOptions = {},
  ): Promise<Watch> {
    checkKeyPattern(pattern);
    return this.call(() => this.begin(pattern, handler, options.after));
  }

  private begin(
    pattern: string,
    handler: (event: WatchEvent) => void,
    after: number | undefined,
  ): Watch {
    const { store } = this;
    const { queue, report, connection } = this.options;
    let [seen, isReady] = [after, false];
    const feed: Feed<WatchEvent> = new Feed<WatchEvent>({
      queue,
      report,
      rest: () => {
        const kept =
          seen === undefined ? store.present(pattern) : store.changesAfter(seen, pattern);
        const events = kept.map(eventOf);
        return isReady ? events : [...events, { type: 'ready', revision: store.revision }];
      },
      hand: (event) => {
        seen = Math.max(seen ?? 0, event.revision);
        if (event.type === 'ready') isReady = true;
        handler(event);
      },
      ended: () => (forget(), detach()),
    });
    const forget = store.watch(pattern, (entry) => feed.push(eventOf(entry)));
    const detach = connection.attach(feed);
    feed.attached();
    return { stop: () => feed.stop() };
  }

  private async write(write: KeyWrite): Promise<number> {
    checkKey(write.key);
    return this.call(() => this.store.write(write));
  }

  private call<T>(operation: () => T): Promise<T> {
    return this.options.connection.call(operation);
  }
}

function eventOf(entry: KeyEntry): WatchEvent {
  return Object.freeze({ type: 'entry', ...entry });
}
