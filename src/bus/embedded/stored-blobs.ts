import { createHash } from 'node:crypto';
import { TroupeError } from '../../core/errors.ts';
import type { BlobRef } from '../blob-store.ts';

/** Largest blob, in bytes. */
const maxBlobBytes = 268_435_456;

/**
 * Blobs by the hash of their content.
 *
 * Invariant: nobody outside has a reference to the bytes that are kept.
 */
export class StoredBlobs {
  private readonly contents = new Map<string, Uint8Array>();

  /** Throws TRP_BUS_PAYLOAD above 256 MiB. */
  put(content: Uint8Array): BlobRef {
    if (content.length > maxBlobBytes) {
      throw new TroupeError(
        'TRP_BUS_PAYLOAD',
        `The blob is ${content.length} bytes; the limit is ${maxBlobBytes}.`,
      );
    }
    const hash = createHash('sha256').update(content).digest('hex');
    if (!this.contents.has(hash)) this.contents.set(hash, Uint8Array.from(content));
    return { hash, bytes: content.length };
  }

  get(hash: string): Uint8Array | undefined {
    const content = this.contents.get(hash);
    return content && Uint8Array.from(content);
  }

  delete(hash: string): boolean {
    return this.contents.delete(hash);
  }

  list(): readonly BlobRef[] {
    const refs = [...this.contents].map(([hash, { length }]) => ({ hash, bytes: length }));
    return refs.sort((a, b) => (a.hash < b.hash ? -1 : 1));
  }
}
