import type { BlobRef, BlobStore } from '../blob-store.ts';
import type { Connection } from './connection.ts';
import type { StoredBlobs } from './stored-blobs.ts';

/** Blobs as one connection sees them. */
export class EmbeddedBlobStore implements BlobStore {
  private readonly blobs: StoredBlobs;
  private readonly connection: Connection;

  constructor(blobs: StoredBlobs, connection: Connection) {
    this.blobs = blobs;
    this.connection = connection;
  }

  put(content: Uint8Array): Promise<BlobRef> {
    return this.connection.call(() => this.blobs.put(content));
  }

  get(hash: string): Promise<Uint8Array | undefined> {
    return this.connection.call(() => this.blobs.get(hash));
  }

  delete(hash: string): Promise<boolean> {
    return this.connection.call(() => this.blobs.delete(hash));
  }

  list(): Promise<readonly BlobRef[]> {
    return this.connection.call(() => this.blobs.list());
  }
}
