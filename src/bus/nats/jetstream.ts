import type { Msg, MsgHdrs } from 'nats';
import { messageOf, TroupeError } from '../../core/errors.ts';
import type { ErrorCode } from '../../core/errors.ts';
import { isRefusal, apiCodes, JetStreamRefusal } from './jetstream-refusal.ts';
import type { ApiError } from './jetstream-refusal.ts';
import type { NatsLink } from './link.ts';
import { expectedSeqHeader, messageIdHeader } from './message-headers.ts';
import { fromApi } from './stored-message.ts';
import type { ApiMessage, StoredMessage } from './stored-message.ts';

/** How streams and buckets are made. */
export interface JetStreamOptions {
  /** Servers that hold a copy of every stream, 1 to 5. Default 1. */
  readonly replicas?: number;
}

/** A message to be stored. */
export interface Publication {
  readonly stream: string;
  readonly subject: string;
  readonly data: Uint8Array;
  readonly headers: MsgHdrs;
  /** Identity: the same message is stored once, however often it is sent. */
  readonly id: string;
  /** Stored only behind this sequence number of the subject; 0: behind none. */
  readonly expectedSeq?: number;
  /**
   * Asked before a message is sent again: where the first sending stored it. For streams in which a message may be
   * gone before its sender knows that it was stored; the server forgets the ids of those when it restarts.
   */
  readonly readBack?: () => Promise<number | undefined>;
  /** True: an earlier call may have sent it. Default false. */
  readonly resent?: boolean;
  /** Room below the server's limit that is left for headers that come later, in bytes. Default 0. */
  readonly reserveBytes?: number;
}

/** Where a message was stored. */
export interface Stored {
  readonly seq: number;
  /** True: it was there before this call. */
  readonly duplicate: boolean;
  /** True: an earlier sending of this call may have stored it. */
  readonly repeated: boolean;
}

/** Which message of a stream: by number, the next of a subject from a number on, or the last of a subject. */
export type MessageQuery =
  | { readonly seq: number; readonly next_by_subj?: string }
  | { readonly last_by_subj: string };

/** How long one answer is waited for before the call is repeated, and the call as a whole, in milliseconds. */
const answerMs = 2_000;
const callMs = 5_000;
/** Between two tries when the server is not ready, in milliseconds. */
const pauseMs = 50;

const none = new Uint8Array();

/**
 * Calls of JetStream over the link's own inbox, repeated over lost answers and connections.
 *
 * Invariant: a message that was sent more than once is stored at most once, and whoever sent it learns where,
 * or that it is not known.
 */
export class JetStream {
  readonly link: NatsLink;
  readonly replicas: number;

  constructor(link: NatsLink, options: JetStreamOptions = {}) {
    this.link = link;
    this.replicas = checkedReplicas(options.replicas ?? 1);
  }

  /**
   * A call of the API that may be repeated without harm. Rejects with a {@link JetStreamRefusal}, or as a call of
   * the contract does.
   * @param api subject after `$JS.API.`
   */
  async call<T>(api: string, body?: object): Promise<T> {
    const data = body ? new TextEncoder().encode(JSON.stringify(body)) : none;
    const answer = await this.repeated(`The call ${api}`, () =>
      this.link
        .request({ subject: `$JS.API.${api}`, data, timeoutMs: answerMs })
        .then((message) => result(message, api)),
    );
    return answer as T;
  }

  /** One message of a stream, from its leader; undefined when there is none. */
  async message(stream: string, query: MessageQuery): Promise<StoredMessage | undefined> {
    try {
      const answer = await this.call<{ message: ApiMessage }>(`STREAM.MSG.GET.${stream}`, query);
      return fromApi(answer.message);
    } catch (error) {
      if (isRefusal(error, apiCodes.messageNotFound)) return undefined;
      throw error;
    }
  }

  /**
   * Stores a message once. An answer that got lost is settled by reading back; rejects with TRP_BUS_CONFLICT
   * when the subject has moved on, with TRP_BUS_PAYLOAD when the server takes no message as large.
   */
  async publish(publication: Publication): Promise<Stored> {
    this.checkSize(publication);
    const { subject, id, expectedSeq, headers } = publication;
    headers.set(messageIdHeader, id);
    if (expectedSeq !== undefined) headers.set(expectedSeqHeader, String(expectedSeq));
    let sent = publication.resent ?? false;
    return this.repeated(`Publishing on ${subject}`, async () => {
      const repeated = sent;
      // Also a try that is still under way, when another begins on a new connection, may have stored it.
      sent = true;
      const before = repeated ? await publication.readBack?.() : undefined;
      if (before !== undefined) return { seq: before, duplicate: false, repeated };
      try {
        return await this.store(publication, repeated);
      } catch (error) {
        // The first sending may be what moved the subject on; newer servers look there before they look at ids.
        const own = repeated && isConflict(error) ? await this.stored(publication) : undefined;
        if (own === undefined) throw error;
        return { seq: own, duplicate: false, repeated };
      }
    });
  }

  /** Answers a message that a consumer delivered; resolves when the server knows. */
  async acknowledge(ackSubject: string, verb: string): Promise<void> {
    const data = new TextEncoder().encode(verb);
    await this.repeated(`The acknowledgement ${verb}`, () =>
      this.link.request({ subject: ackSubject, data, timeoutMs: answerMs }),
    );
  }

  /** Resolves after some milliseconds. */
  pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.link.clock.setTimeout(resolve, delayMs));
  }

  private async store(publication: Publication, repeated: boolean): Promise<Stored> {
    const { subject, data, headers } = publication;
    const answer = await this.link.request({ subject, data, headers, timeoutMs: answerMs });
    const { seq, duplicate = false } = result(answer, subject) as Partial<Stored>;
    if (seq === undefined)
      throw new TroupeError('TRP_BUS_SERVER', 'Who answers there is no stream.', {
        place: subject,
      });
    return { seq, duplicate, repeated };
  }

  /** What stands directly behind the expected number is this message, or somebody else was first. */
  private async stored({
    stream,
    subject,
    id,
    expectedSeq = 0,
  }: Publication): Promise<number | undefined> {
    const next = await this.message(stream, { seq: expectedSeq + 1, next_by_subj: subject });
    return next?.headers.get(messageIdHeader) === id ? next.seq : undefined;
  }

  private checkSize({ subject, data, headers, reserveBytes = 0 }: Publication): void {
    const limit = this.link.connection.info?.max_payload ?? Infinity;
    // The id and the expected number come on top.
    const overhead = 256 + reserveBytes;
    if (data.length + overhead < limit / 2) return;
    const size = data.length + overhead + headerBytes(headers);
    if (size <= limit) return;
    throw new TroupeError(
      'TRP_BUS_PAYLOAD',
      `The message is ${size} bytes with its headers; the server takes ${limit}.`,
      { place: subject, hint: 'Send a reference instead of the data, or raise max_payload.' },
    );
  }

  private async repeated<T>(what: string, operation: () => Promise<T>): Promise<T> {
    const { clock } = this.link;
    const end = clock.monotonic() + callMs;
    const attempt = async (): Promise<T> => {
      for (;;) {
        try {
          return await operation();
        } catch (error) {
          if (!mayPass(error) || clock.monotonic() >= end) throw error;
        }
        await this.pause(pauseMs);
      }
    };
    try {
      return await this.link.persist(what, attempt, callMs);
    } catch (error) {
      throw hasCode(error, 'TRP_BUS_NO_RESPONDERS') ? absent(what, error) : error;
    }
  }
}

/** @throws TroupeError TRP_OPTION_INVALID */
function checkedReplicas(replicas: number): number {
  if (Number.isInteger(replicas) && replicas >= 1 && replicas <= 5) return replicas;
  const message = `replicas is ${replicas}; it must be a whole number from 1 to 5.`;
  throw new TroupeError('TRP_OPTION_INVALID', message, { place: 'replicas' });
}

/** Bytes of headers on the wire, with the line that begins them. */
function headerBytes(headers: MsgHdrs): number {
  let bytes = 16;
  for (const [name, values] of headers)
    for (const value of values) bytes += name.length + 4 + Buffer.byteLength(value);
  return bytes;
}

/** Whether an error says that somebody else was first. */
export function isConflict(error: unknown): boolean {
  return hasCode(error, 'TRP_BUS_CONFLICT');
}

function hasCode(error: unknown, ...codes: readonly ErrorCode[]): boolean {
  return error instanceof TroupeError && codes.includes(error.code);
}

function mayPass(error: unknown): boolean {
  if (error instanceof JetStreamRefusal) return error.passing;
  return hasCode(error, 'TRP_BUS_TIMEOUT');
}

/** @throws JetStreamRefusal or TroupeError TRP_BUS_SERVER */
function result(message: Msg, place: string): object {
  let answer: { error?: ApiError };
  try {
    answer = JSON.parse(Buffer.from(message.data).toString()) as { error?: ApiError };
  } catch (error) {
    throw new TroupeError('TRP_BUS_SERVER', `No answer of JetStream: ${messageOf(error)}`, {
      place,
    });
  }
  if (answer.error) throw new JetStreamRefusal(answer.error, place);
  return answer;
}

function absent(what: string, cause: unknown): TroupeError {
  return new TroupeError('TRP_BUS_SERVER', `${what}: JetStream does not answer.`, {
    hint: 'Start the server with `-js`, or enable JetStream for the account; check that the stream is still there.',
    cause,
  });
}
