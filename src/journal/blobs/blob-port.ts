import type { BlobStore } from '../../bus/blob-store.ts';

/** Size from which a value leaves its record, in bytes. Smaller ones are cheaper where they are. */
export const blobBytes = 64 * 1024;

/**
 * Where the large values of one run's records are kept, by content. What `put` has resolved for survives what the
 * store's level says. The blob store of a bus is one.
 */
export type BlobPort = Pick<BlobStore, 'put' | 'get'>;

/** Whether a text is the name of a blob: SHA-256 in lower-case hexadecimal. It becomes part of a path. */
export function isBlobHash(hash: string): boolean {
  return /^[0-9a-f]{64}$/.test(hash);
}
