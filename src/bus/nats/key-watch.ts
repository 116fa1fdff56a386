import type { KeyEntry, Watch, WatchEvent } from '../key-bucket.ts';
import type { JetStream } from './jetstream.ts';
import type { Readings } from './readings.ts';
import type { StoredMessage } from './stored-message.ts';
import { streamInfo } from './streams.ts';

/** What is watched, and who is told. */
export interface KeyWatchOptions {
  readonly js: JetStream;
  readonly readings: Readings;
  readonly stream: string;
  readonly filter: string;
  readonly after: number | undefined;
  readonly toEntry: (message: StoredMessage) => KeyEntry;
  readonly handler: (event: WatchEvent) => void;
}

/**
 * Begins a watch. The revision of the bucket is read before its messages are, so that everything up to it has
 * been handed over when the reader has caught up.
 */
export async function watchKeys(options: KeyWatchOptions): Promise<Watch> {
  const { js, readings, stream, filter, after, toEntry, handler } = options;
  let revision = (await streamInfo(js, stream))?.state.last_seq ?? 0;
  const start = revision;
  const presentOnly = after === undefined;
  const stop = await readings.follow({
    stream,
    filter,
    from: after === undefined ? 'last per subject' : after + 1,
    onMessage: (message) => {
      revision = Math.max(revision, message.seq);
      const entry = toEntry(message);
      // What was deleted before the watch began has no present value.
      if (presentOnly && entry.value === undefined && message.seq <= start) return;
      handler({ type: 'entry', ...entry });
    },
    onCaughtUp: () => handler({ type: 'ready', revision }),
  });
  return { stop };
}
