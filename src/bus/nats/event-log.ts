import { nuid } from 'nats';
import { messageOf, TroupeError } from '../../core/errors.ts';
import { toPlain } from '../../core/plain.ts';
import type { Plain } from '../../core/plain.ts';
import { decode, encode } from '../codec.ts';
import type {
  AppendOptions,
  EventLog,
  Following,
  LogEntry,
  LogKind,
  ReadOptions,
} from '../event-log.ts';
import { checkedPayload } from '../payload.ts';
import { unescapeToken } from '../subject-grammar.ts';
import { logRole, logSubject, streamName, subjectOf } from '../subjects.ts';
import { isConflict, JetStream } from './jetstream.ts';
import type { JetStreamOptions } from './jetstream.ts';
import type { NatsLink } from './link.ts';
import { decoded, encodedText, userHeaders, wireHeaders } from './message-headers.ts';
import { Readings } from './readings.ts';
import type { StoredMessage } from './stored-message.ts';
import { streamConfig, Streams } from './streams.ts';
import { purgeSubject, subjectsIn } from './stream-subjects.ts';
import type { StreamConfig } from './streams.ts';

/** The logs of one bus. */
export interface EventLogs {
  open(kind: LogKind, name: string): Promise<EventLog>;
  /** Names of those of a kind that hold an entry. */
  names(kind: LogKind): Promise<readonly string[]>;
  /** Ends all readings. */
  close(): void;
}

/** Logs on JetStream: one stream per kind, one subject per log. */
export function createEventLogs(link: NatsLink, options?: JetStreamOptions): EventLogs {
  const js = new JetStream(link, options);
  const readings = new Readings(js);
  const streams = new Streams(js);
  return {
    open: async (kind, name) => {
      const subject = logSubject(link.ns, kind, name);
      const { name: stream } = await streams.ensure(logStream(js, kind));
      return new StreamLog({ js, readings, stream, subject, name });
    },
    names: (kind) => logNames(js, kind),
    close: () => readings.close(),
  };
}

/** Subjects of the kind's stream, as names. Makes no stream. */
async function logNames(js: JetStream, kind: LogKind): Promise<readonly string[]> {
  const { ns } = js.link;
  const above = `${subjectOf(ns, kind)}.`;
  const subjects = await subjectsIn(js, streamName(ns, logRole(kind)), `${above}*`);
  // Another client's subject may be no name of ours.
  return subjects.flatMap((subject) => unescapeToken(subject.slice(above.length)) ?? []).toSorted();
}

/** The stream of the logs of one kind. Nothing in it ages. */
function logStream(js: JetStream, kind: LogKind): StreamConfig {
  const { ns } = js.link;
  const subjects = [`${subjectOf(ns, kind)}.*`];
  return streamConfig(js, { name: streamName(ns, logRole(kind)), subjects, deny_delete: true });
}

/** Always there, so that an operation id of the user's own headers is never taken for it. */
const opHeader = 'Troupe-Op';

interface StreamLogOptions {
  readonly js: JetStream;
  readonly readings: Readings;
  readonly stream: string;
  readonly subject: string;
  readonly name: string;
}

/** Invariant: an append stands in the stream at most once, however often it was sent. */
class StreamLog implements EventLog {
  readonly name: string;
  private readonly options: StreamLogOptions;

  constructor(options: StreamLogOptions) {
    this.name = options.name;
    this.options = options;
  }

  async append(payload: Plain, options: AppendOptions = {}): Promise<number> {
    const { js, stream, subject } = this.options;
    const { expectedSeq, op = '', headers = {} } = options;
    const publication = {
      stream,
      subject,
      data: encode(checkedPayload(payload)),
      headers: wireHeaders(headers, { [opHeader]: encodedText(op) }),
      id: nuid.next(),
    };
    if (expectedSeq === undefined) return (await js.publish(publication)).seq;
    try {
      return (await js.publish({ ...publication, expectedSeq })).seq;
    } catch (error) {
      const own = op !== '' && isConflict(error) ? await this.appended(op, expectedSeq) : undefined;
      if (own !== undefined) return own;
      throw isConflict(error) ? movedOn(this.name, expectedSeq, error) : error;
    }
  }

  async *read({ from = 1 }: ReadOptions = {}): AsyncGenerator<LogEntry, void, undefined> {
    const { readings, stream, subject } = this.options;
    for await (const message of readings.read({ stream, filter: subject, from }))
      yield entryOf(message);
  }

  async follow(
    handler: (entry: LogEntry) => void,
    options: ReadOptions & { readonly caughtUp?: () => void } = {},
  ): Promise<Following> {
    const { readings, stream, subject } = this.options;
    const { from = 1, caughtUp = () => undefined } = options;
    const stop = await readings.follow({
      stream,
      filter: subject,
      from,
      onMessage: (message) => handler(entryOf(message)),
      onCaughtUp: caughtUp,
    });
    return { stop };
  }

  async lastSeq(): Promise<number> {
    const { js, stream, subject } = this.options;
    return (await js.message(stream, { last_by_subj: subject }))?.seq ?? 0;
  }

  async purge(): Promise<void> {
    const { js, stream, subject } = this.options;
    await purgeSubject(js, stream, subject);
  }

  /** The entry directly behind the expected one is the only one that the operation can have appended. */
  private async appended(op: string, expectedSeq: number): Promise<number | undefined> {
    const { js, stream, subject } = this.options;
    const next = await js.message(stream, { seq: expectedSeq + 1, next_by_subj: subject });
    return next?.headers.get(opHeader) === encodedText(op) ? next.seq : undefined;
  }
}

/** @throws TroupeError TRP_BUS_PAYLOAD for what another client wrote and nobody can read. */
function entryOf({ seq, data, headers, subject }: StoredMessage): LogEntry {
  try {
    const payload = toPlain(decode(data));
    const op = decoded(headers.get(opHeader) ?? '');
    return { seq, payload, headers: userHeaders(headers, [opHeader]), op };
  } catch (error) {
    const message = `The entry ${seq} cannot be read: ${messageOf(error)}`;
    throw new TroupeError('TRP_BUS_PAYLOAD', message, { place: subject, cause: error });
  }
}

function movedOn(name: string, expectedSeq: number, cause: unknown): TroupeError {
  const message = `The log ${name} has moved on from ${expectedSeq}.`;
  return new TroupeError('TRP_BUS_CONFLICT', message, { place: name, cause });
}
