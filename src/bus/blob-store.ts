/** Where a blob is found: its content's name. */
export interface BlobRef {
  /** SHA-256 of the content, hexadecimal. */
  readonly hash: string;
  readonly bytes: number;
}

/** Whose large values: of journals, which watchers may read, or of what processes exchange, which they may not. */
export type BlobShelf = 'journal' | 'work';

/** Large values by content: equal bytes are one blob, whoever puts them. */
export interface BlobStore {
  /** Resolves when the blob is stored whole. Rejects with TRP_BUS_PAYLOAD above 256 MiB. */
  put(content: Uint8Array): Promise<BlobRef>;
  /** A copy, verified against its hash; undefined when there is none. Rejects with TRP_BUS_PAYLOAD when damaged. */
  get(hash: string): Promise<Uint8Array | undefined>;
  /** False: there was none. */
  delete(hash: string): Promise<boolean>;
  /** All blobs, by hash. */
  list(): Promise<readonly BlobRef[]>;
}
