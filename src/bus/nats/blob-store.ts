import { createHash } from 'node:crypto';
import { nuid } from 'nats';
import { TroupeError } from '../../core/errors.ts';
import type { BlobRef, BlobShelf, BlobStore } from '../blob-store.ts';
import { bucketName } from '../subjects.ts';
import { isConflict, JetStream } from './jetstream.ts';
import type { JetStreamOptions } from './jetstream.ts';
import type { NatsLink } from './link.ts';
import { wireHeaders } from './message-headers.ts';
import { Readings } from './readings.ts';
import type { StoredMessage } from './stored-message.ts';
import { streamConfig, Streams } from './streams.ts';
import { purgeSubject } from './stream-subjects.ts';

/** The blobs of one bus. */
export interface Blobs {
  open(shelf: BlobShelf): Promise<BlobStore>;
  /** Ends all readings. */
  close(): void;
}

/** Each has its own bucket, so that a server's permissions can tell them apart. */
const buckets: { readonly [Shelf in BlobShelf]: string } = { journal: 'jrn-blob', work: 'blob' };

/** Blobs on JetStream, laid out as NATS lays out its object stores (ADR-20): any client reads them, by hash. */
export function createBlobStore(link: NatsLink, options?: JetStreamOptions): Blobs {
  const js = new JetStream(link, options);
  const readings = new Readings(js);
  const streams = new Streams(js);
  return {
    open: async (shelf) => {
      const bucket = bucketName(link.ns, buckets[shelf]);
      const subjects = [`$O.${bucket}.C.>`, `$O.${bucket}.M.>`];
      const wanted = streamConfig(js, { name: `OBJ_${bucket}`, subjects, allow_rollup_hdrs: true });
      await streams.ensure(wanted, ['subjects', 'retention', 'max_age', 'deny_purge']);
      return new StreamBlobs({ js, readings, bucket });
    },
    close: () => readings.close(),
  };
}

/** Largest blob, size of one message, and messages on their way at one time. */
const maxBlobBytes = 268_435_456;
const chunkBytes = 131_072;
const chunksInFlight = 8;

const hashForm = /^[0-9a-f]{64}$/;

interface StreamBlobsOptions {
  readonly js: JetStream;
  readonly readings: Readings;
  readonly bucket: string;
}

/** What stands in a store about a blob. */
interface BlobMeta {
  readonly name: string;
  readonly bucket: string;
  /** Names its chunks. */
  readonly nuid: string;
  readonly size: number;
  readonly chunks: number;
  readonly digest: string;
  readonly mtime: string;
  readonly deleted?: boolean;
}

/**
 * Invariant: a blob is there when its description is, which is written last and once; chunks without a
 * description belong to somebody who is still writing, or died of it.
 */
class StreamBlobs implements BlobStore {
  private readonly options: StreamBlobsOptions;

  constructor(options: StreamBlobsOptions) {
    this.options = options;
  }

  async put(content: Uint8Array): Promise<BlobRef> {
    checkBlobSize(content.length);
    const copy = Uint8Array.from(content);
    const ref = { hash: sha256(copy), bytes: copy.length };
    if (await this.meta(ref.hash)) return ref;
    const chunkSet = nuid.next();
    try {
      await this.putChunks(chunkSet, copy);
      await this.describe(ref, chunkSet, copy);
    } catch (error) {
      await this.dropChunks(chunkSet).catch(() => undefined);
      // Somebody else wrote the same content meanwhile.
      if (!isConflict(error)) throw error;
    }
    return ref;
  }

  async get(hash: string): Promise<Uint8Array | undefined> {
    const meta = await this.meta(hash);
    if (!meta) return undefined;
    const content = new Uint8Array(checkedSize(meta));
    const { readings } = this.options;
    const filter = this.chunkSubject(meta.nuid);
    let offset = 0;
    for await (const { data } of readings.read({ stream: this.stream, filter, from: 1 })) {
      if (offset + data.length > content.length) throw damaged(hash);
      content.set(data, offset);
      offset += data.length;
    }
    if (offset === content.length && sha256(content) === hash) return content;
    // It may have been deleted while it was read.
    if ((await this.meta(hash))?.nuid !== meta.nuid) return this.get(hash);
    throw damaged(hash);
  }

  async delete(hash: string): Promise<boolean> {
    const meta = await this.meta(hash);
    if (!meta) return false;
    const { js } = this.options;
    const purged = await js.call<{ purged: number }>(`STREAM.PURGE.${this.stream}`, {
      filter: this.metaSubject(hash),
    });
    await this.dropChunks(meta.nuid);
    return purged.purged > 0;
  }

  async list(): Promise<readonly BlobRef[]> {
    const { readings, bucket } = this.options;
    const refs: BlobRef[] = [];
    const filter = `$O.${bucket}.M.>`;
    const request = { stream: this.stream, filter, from: 'last per subject' } as const;
    for await (const message of readings.read(request)) {
      const meta = metaOf(message);
      if (meta && hashForm.test(meta.name)) refs.push({ hash: meta.name, bytes: meta.size });
    }
    return refs.sort((a, b) => (a.hash < b.hash ? -1 : 1));
  }

  private get stream(): string {
    return `OBJ_${this.options.bucket}`;
  }

  private chunkSubject(chunkSet: string): string {
    return `$O.${this.options.bucket}.C.${chunkSet}`;
  }

  private metaSubject(hash: string): string {
    return `$O.${this.options.bucket}.M.${paddedBase64Url(Buffer.from(hash))}`;
  }

  private async meta(hash: string): Promise<BlobMeta | undefined> {
    if (!hashForm.test(hash)) return undefined;
    const { js } = this.options;
    const last = await js.message(this.stream, { last_by_subj: this.metaSubject(hash) });
    return last && metaOf(last);
  }

  /** Each chunk behind the one before it: the number of the last is known only with its answer, so they go in groups. */
  private async putChunks(chunkSet: string, content: Uint8Array): Promise<void> {
    for (let start = 0; start < content.length; start += chunkBytes * chunksInFlight) {
      const group = content.subarray(start, start + chunkBytes * chunksInFlight);
      const stored = await Promise.all(
        chunksOf(group).map((data, index) =>
          this.store(this.chunkSubject(chunkSet), data, `${chunkSet}-${start}-${index}`),
        ),
      );
      const inOrder = stored.every((seq, index) => index === 0 || seq > (stored[index - 1] ?? 0));
      if (!inOrder) return this.putAgain(chunkSet, content);
    }
  }

  /** A lost answer brought chunks out of order: one at a time, they cannot. */
  private async putAgain(chunkSet: string, content: Uint8Array): Promise<void> {
    await this.dropChunks(chunkSet);
    for (const [index, data] of chunksOf(content).entries())
      await this.store(this.chunkSubject(chunkSet), data, `${chunkSet}-again-${index}`);
  }

  private async describe(ref: BlobRef, chunkSet: string, content: Uint8Array): Promise<void> {
    const { js, bucket } = this.options;
    const meta: BlobMeta = {
      name: ref.hash,
      bucket,
      nuid: chunkSet,
      size: ref.bytes,
      chunks: Math.ceil(ref.bytes / chunkBytes),
      digest: `SHA-256=${paddedBase64Url(createHash('sha256').update(content).digest())}`,
      mtime: '0001-01-01T00:00:00Z',
    };
    await js.publish({
      stream: this.stream,
      subject: this.metaSubject(ref.hash),
      data: new TextEncoder().encode(JSON.stringify(meta)),
      headers: wireHeaders({}, {}),
      id: chunkSet,
      expectedSeq: 0,
    });
  }

  private async store(subject: string, data: Uint8Array, id: string): Promise<number> {
    const { js } = this.options;
    const headers = wireHeaders({}, {});
    return (await js.publish({ stream: this.stream, subject, data, headers, id })).seq;
  }

  private dropChunks(chunkSet: string): Promise<void> {
    return purgeSubject(this.options.js, this.stream, this.chunkSubject(chunkSet));
  }
}

function chunksOf(content: Uint8Array): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let start = 0; start < content.length; start += chunkBytes)
    chunks.push(content.subarray(start, start + chunkBytes));
  return chunks;
}

function metaOf(message: StoredMessage): BlobMeta | undefined {
  try {
    const meta = JSON.parse(Buffer.from(message.data).toString()) as BlobMeta;
    return meta.deleted === true ? undefined : meta;
  } catch {
    return undefined;
  }
}

function sha256(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

/** RFC 4648, section 5, with padding: object stores name and hash so. */
function paddedBase64Url(bytes: Buffer): string {
  return bytes.toString('base64').replaceAll('+', '-').replaceAll('/', '_');
}

/** @throws TroupeError TRP_BUS_PAYLOAD */
function checkBlobSize(bytes: number): void {
  if (bytes <= maxBlobBytes) return;
  const message = `The blob is ${bytes} bytes; the limit is ${maxBlobBytes}.`;
  throw new TroupeError('TRP_BUS_PAYLOAD', message);
}

/** What another client wrote about a blob is not believed beyond the limit. */
function checkedSize({ name, size }: BlobMeta): number {
  if (Number.isSafeInteger(size) && size >= 0 && size <= maxBlobBytes) return size;
  throw damaged(name);
}

function damaged(hash: string): TroupeError {
  return new TroupeError('TRP_BUS_PAYLOAD', `The blob ${hash} is damaged.`, {
    hint: 'Delete it and put it again.',
  });
}
