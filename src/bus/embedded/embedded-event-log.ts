import type { Plain } from '../../core/plain.ts';
import type { AppendOptions, EventLog, Following, LogEntry, ReadOptions } from '../event-log.ts';
import { checkHeaders } from '../headers.ts';
import type { Connection } from './connection.ts';
import { Feed } from './feed.ts';
import type { FeedOptions } from './feed.ts';
import type { StoredLog } from './stored-log.ts';

/** What a log needs of its connection. */
export interface LogFaceOptions extends Pick<FeedOptions<never>, 'queue' | 'report'> {
  readonly connection: Connection;
  /** The payload as it is stored. Throws TRP_BUS_PAYLOAD. */
  readonly checked: (payload: Plain) => Plain;
}

/** Stands behind the last entry of the beginning. */
const end = 'end of the beginning';

/** A log as one connection sees it. */
export class EmbeddedEventLog implements EventLog {
  readonly name: string;
  private readonly log: StoredLog;
  private readonly options: LogFaceOptions;

  constructor(log: StoredLog, options: LogFaceOptions) {
    this.name = log.name;
    this.log = log;
    this.options = options;
  }

  async append(payload: Plain, options: AppendOptions = {}): Promise<number> {
    const { expectedSeq, op = '', headers = {} } = options;
    const entry = {
      payload: this.options.checked(payload),
      headers: checkHeaders(headers),
      op,
      expectedSeq,
    };
    return this.options.connection.call(() => this.log.append(entry));
  }

  async *read({ from = 0 }: ReadOptions = {}): AsyncGenerator<LogEntry> {
    yield* await this.options.connection.call(() => this.log.from(from));
  }

  follow(
    handler: (entry: LogEntry) => void,
    { from = 0, caughtUp }: ReadOptions & { readonly caughtUp?: () => void } = {},
  ): Promise<Following> {
    return this.options.connection.call(() => {
      const { queue, report, connection } = this.options;
      let [next, atStart] = [from, true];
      const feed: Feed<LogEntry | typeof end> = new Feed<LogEntry | typeof end>({
        queue,
        report,
        rest: () => (atStart ? [...this.log.from(next), end] : this.log.from(next)),
        hand: (item) => {
          if (item === end) {
            atStart = false;
            caughtUp?.();
          } else {
            next = item.seq + 1;
            handler(item);
          }
        },
        ended: () => (forget(), detach()),
      });
      const forget = this.log.listen((entry) => entry.seq >= from && feed.push(entry));
      const detach = connection.attach(feed);
      feed.attached();
      return { stop: () => feed.stop() };
    });
  }

  lastSeq(): Promise<number> {
    return this.options.connection.call(() => this.log.lastSeq);
  }

  purge(): Promise<void> {
    return this.options.connection.call(() => this.log.purge());
  }
}
