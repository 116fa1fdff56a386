import type { BlobStore } from '../../../bus/blob-store.ts';
import type { Bus } from '../../../bus/bus.ts';
import type { BlobPort } from '../../blobs/blob-port.ts';
import type { StoredRecord } from '../../blobs/lift.ts';
import type { JournalRecord } from '../../record.ts';

/** Stands between the run's id, which never holds it, and the content. */
const separator = 0;

/**
 * Where the large values of one run are kept on a bus. The content is stored behind the run's id, so that no two runs
 * share a blob and one can be removed with all that is its own.
 */
export function runBlobs(bus: Bus, run: string): BlobPort {
  const head = Buffer.from(`${run}\0`);
  let opened: Promise<BlobStore> | undefined;
  const store = (): Promise<BlobStore> => {
    opened ??= bus.blobs('journal');
    opened.catch(() => (opened = undefined));
    return opened;
  };
  return {
    put: async (content) => {
      const { hash } = await (await store()).put(Buffer.concat([head, content]));
      return { hash, bytes: content.length };
    },
    get: async (hash) => {
      const content = await (await store()).get(hash);
      return content?.subarray(content.indexOf(separator) + 1);
    },
  };
}

/** Hashes of the blobs that records refer to. */
export function hashesIn(records: readonly JournalRecord[]): readonly string[] {
  return records.flatMap((record: StoredRecord) => record.blobs?.map(({ hash }) => hash) ?? []);
}
