import { nuid } from 'nats';
import { messageOf, TroupeError } from '../../core/errors.ts';
import type { Plain } from '../../core/plain.ts';
import { decodeJson, encodeJson } from '../json-codec.ts';
import type {
  KeyBucket,
  KeyBucketOptions,
  KeyEntry,
  Watch,
  WatchEvent,
  WatchOptions,
} from '../key-bucket.ts';
import { checkedValue } from '../payload.ts';
import { checkKey, checkKeyPattern, checkSubject } from '../subject-grammar.ts';
import { bucketName } from '../subjects.ts';
import { isConflict, JetStream } from './jetstream.ts';
import type { JetStreamOptions } from './jetstream.ts';
import { watchKeys } from './key-watch.ts';
import type { NatsLink } from './link.ts';
import { messageIdHeader, wireHeaders } from './message-headers.ts';
import { Readings } from './readings.ts';
import type { StoredMessage } from './stored-message.ts';
import { defaultWindowMs, nanosPerMs, streamConfig, Streams } from './streams.ts';
import { purgeSubject } from './stream-subjects.ts';
import type { StreamConfig } from './streams.ts';

/** The buckets of one bus. */
export interface KeyBuckets {
  open(bucket: string, options?: KeyBucketOptions): Promise<KeyBucket>;
  /** Ends all watches. */
  close(): void;
}

/**
 * Versioned keys on JetStream, laid out as NATS lays out its key-value buckets: any client reads and watches them.
 */
export function createKeyBuckets(link: NatsLink, options?: JetStreamOptions): KeyBuckets {
  const js = new JetStream(link, options);
  const readings = new Readings(js);
  const streams = new Streams(js);
  return {
    open: async (bucket, bucketOptions = {}) => {
      const wanted = bucketStream(js, bucket, bucketOptions);
      const config = await streams.ensure(wanted, ['subjects', 'retention', 'deny_purge']);
      const prefix = `$KV.${bucketName(link.ns, bucket)}.`;
      return new StreamBucket({ js, readings, bucket, config, prefix });
    },
    close: () => readings.close(),
  };
}

const defaultHistory = 8;
const mostHistory = 64;
const operationHeader = 'KV-Operation';
/** Set by newer servers on marks that they leave themselves. */
const markerHeader = 'Nats-Marker-Reason';

/** The stream of a bucket, as every client of NATS makes it. */
function bucketStream(js: JetStream, bucket: string, options: KeyBucketOptions): StreamConfig {
  const { history = defaultHistory, ttlMs, republish, stored = true } = options;
  const full = bucketName(js.link.ns, bucket);
  checkRange('history', history, mostHistory);
  if (ttlMs !== undefined) checkRange('ttlMs', ttlMs, Number.MAX_SAFE_INTEGER / nanosPerMs);
  if (republish !== undefined) checkSubject(republish);
  const windowMs = Math.min(defaultWindowMs, ttlMs ?? Infinity);
  return streamConfig(js, {
    name: `KV_${full}`,
    subjects: [`$KV.${full}.>`],
    storage: stored ? 'file' : 'memory',
    max_msgs_per_subject: history,
    max_age: (ttlMs ?? 0) * nanosPerMs,
    duplicate_window: windowMs * nanosPerMs,
    allow_rollup_hdrs: true,
    deny_delete: true,
    ...(republish === undefined
      ? {}
      : { republish: { src: `$KV.${full}.>`, dest: `${republish}.>` } }),
  });
}

function checkRange(name: string, value: number, most: number): void {
  if (Number.isInteger(value) && value >= 1 && value <= most) return;
  const message = `${name} is ${value}; it must be a whole number from 1 to ${most}.`;
  throw new TroupeError('TRP_OPTION_INVALID', message, { place: name });
}

interface StreamBucketOptions {
  readonly js: JetStream;
  readonly readings: Readings;
  readonly bucket: string;
  readonly config: StreamConfig;
  /** Of the subjects of keys. */
  readonly prefix: string;
}

interface KeyWrite {
  readonly key: string;
  /** Undefined: a deletion. */
  readonly value?: Plain;
  readonly expected?: number | undefined;
}

/** Invariant: a write stands in the stream at most once, however often it was sent. */
class StreamBucket implements KeyBucket {
  readonly bucket: string;
  private readonly options: StreamBucketOptions;

  constructor(options: StreamBucketOptions) {
    this.bucket = options.bucket;
    this.options = options;
  }

  async get(key: string): Promise<KeyEntry | undefined> {
    const last = await this.last(key);
    if (!last || isDeletion(last)) return undefined;
    return entryOf(last, this.options.prefix);
  }

  async put(key: string, value: Plain): Promise<number> {
    return this.write({ key, value: checkedValue(value) });
  }

  async create(key: string, value: Plain): Promise<number> {
    const checked = checkedValue(value);
    for (let expected = 0; ;) {
      try {
        return await this.write({ key, value: checked, expected });
      } catch (error) {
        if (!isConflict(error)) throw error;
        const last = await this.last(key);
        // Nobody is there after all, or somebody deleted it: the key is free behind that.
        const free = last && !isDeletion(last) ? undefined : (last?.seq ?? 0);
        if (free === undefined || free === expected) throw error;
        expected = free;
      }
    }
  }

  async update(key: string, value: Plain, revision: number): Promise<number> {
    return this.write({ key, value: checkedValue(value), expected: revision });
  }

  async delete(key: string, revision?: number): Promise<number> {
    return this.write({ key, expected: revision });
  }

  async history(key: string): Promise<readonly KeyEntry[]> {
    const messages = await this.versions(this.subject(key));
    return messages.map((message) => entryOf(message, this.options.prefix));
  }

  async keys(pattern = '>'): Promise<readonly string[]> {
    checkKeyPattern(pattern);
    const { readings, config, prefix } = this.options;
    const found = new Map<string, boolean>();
    const filter = prefix + pattern;
    const request = {
      stream: config.name,
      filter,
      from: 'last per subject',
      headersOnly: true,
    } as const;
    for await (const message of readings.read(request))
      found.set(message.subject, isDeletion(message));
    const names = [...found].flatMap(([subject, gone]) =>
      gone ? [] : [subject.slice(prefix.length)],
    );
    return names.sort();
  }

  async purge(pattern: string): Promise<void> {
    checkKeyPattern(pattern);
    const { js, config, prefix } = this.options;
    await purgeSubject(js, config.name, prefix + pattern);
  }

  async watch(
    pattern: string,
    handler: (event: WatchEvent) => void,
    options: WatchOptions = {},
  ): Promise<Watch> {
    checkKeyPattern(pattern);
    const { js, readings, config, prefix } = this.options;
    return watchKeys({
      js,
      readings,
      stream: config.name,
      filter: prefix + pattern,
      after: options.after,
      toEntry: (message) => entryOf(message, prefix),
      handler,
    });
  }

  private subject(key: string): string {
    checkKey(key);
    return this.options.prefix + key;
  }

  private async last(key: string): Promise<StoredMessage | undefined> {
    const { js, config } = this.options;
    return js.message(config.name, { last_by_subj: this.subject(key) });
  }

  private async write({ key, value, expected }: KeyWrite): Promise<number> {
    const { js, config } = this.options;
    const subject = this.subject(key);
    const id = nuid.next();
    const publication = {
      stream: config.name,
      subject,
      data: value === undefined ? new Uint8Array() : encodeJson(value),
      headers: wireHeaders({}, value === undefined ? { [operationHeader]: 'DEL' } : {}),
      id,
      readBack: () => this.storedAs(subject, id, expected),
    };
    try {
      const conditional =
        expected === undefined ? publication : { ...publication, expectedSeq: expected };
      return (await js.publish(conditional)).seq;
    } catch (error) {
      throw isConflict(error) ? movedOn(this.bucket, key, error) : error;
    }
  }

  /**
   * Where a write was stored whose answer got lost. Rejects with TRP_BUS_TIMEOUT when that cannot be known: the
   * versions that are kept are all younger, and the write may have been among those that are gone.
   */
  private async storedAs(
    subject: string,
    id: string,
    expected?: number,
  ): Promise<number | undefined> {
    const versions = await this.versions(subject);
    const own = versions.find(({ headers }) => headers.get(messageIdHeader) === id);
    if (own) return own.seq;
    const complete = versions.length < this.options.config.max_msgs_per_subject;
    if (complete || expected === undefined || versions.some(({ seq }) => seq <= expected))
      return undefined;
    throw new TroupeError(
      'TRP_BUS_TIMEOUT',
      `The answer to a write of ${subject} was lost, and so many writes followed that it is not known whether it was done.`,
      { errorClass: 'timeout', hint: 'Read the key and decide anew, or keep a longer history.' },
    );
  }

  private versions(filter: string): Promise<StoredMessage[]> {
    const { readings, config } = this.options;
    return readings.collect({ stream: config.name, filter, from: 1 });
  }
}

function isDeletion({ headers }: StoredMessage): boolean {
  const operation = headers.get(operationHeader);
  return operation === 'DEL' || operation === 'PURGE' || headers.has(markerHeader);
}

/** @throws TroupeError TRP_BUS_PAYLOAD for what another client wrote and is no JSON. */
function entryOf(message: StoredMessage, prefix: string): KeyEntry {
  const key = message.subject.slice(prefix.length);
  const { seq: revision } = message;
  if (isDeletion(message)) return Object.freeze({ key, value: undefined, revision });
  try {
    return Object.freeze({ key, value: decodeJson(message.data), revision });
  } catch (error) {
    const text = `Revision ${revision} of ${key} cannot be read: ${messageOf(error)}`;
    throw new TroupeError('TRP_BUS_PAYLOAD', text, { place: message.subject, cause: error });
  }
}

function movedOn(bucket: string, key: string, cause: unknown): TroupeError {
  const message = `The key ${key} of ${bucket} has moved on from the expected revision.`;
  return new TroupeError('TRP_BUS_CONFLICT', message, { place: `${bucket}/${key}`, cause });
}
