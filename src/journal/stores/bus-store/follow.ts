import type { BlobStore } from '../../../bus/blob-store.ts';
import type { EventLog } from '../../../bus/event-log.ts';
import type { JournalFollowing } from '../../journal.ts';
import type { JournalRecord } from '../../record.ts';
import { readEntry } from './run-log.ts';

/** Hands over a run's records in order, each once, as long as it is followed; a blob on the way holds up what follows. */
export async function followRun(
  log: EventLog,
  blobs: () => Promise<BlobStore>,
  take: (records: readonly JournalRecord[]) => void,
): Promise<JournalFollowing> {
  let isStopped = false;
  let last: Promise<void> = Promise.resolve();
  const following = await log.follow((entry) => {
    last = last.then(async () => {
      if (isStopped) return;
      const { records } = await readEntry(entry, blobs);
      if (!isStopped && records.length > 0) take(records);
    });
    // What cannot be read ends the following silently: reading the run says why.
    last.catch(() => following?.stop());
  });
  return {
    stop: () => {
      isStopped = true;
      following.stop();
    },
  };
}
