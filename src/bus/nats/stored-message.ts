import type { Msg } from 'nats';
import { TroupeError } from '../../core/errors.ts';

/** A message as a stream holds it. */
export interface StoredMessage {
  readonly subject: string;
  readonly seq: number;
  readonly data: Uint8Array;
  readonly headers: ReadonlyMap<string, string>;
}

/** A message in an answer of `STREAM.MSG.GET`: bytes are base64. */
export interface ApiMessage {
  readonly subject: string;
  readonly seq: number;
  readonly data?: string;
  readonly hdrs?: string;
}

/** What the server says about a delivery in the subject of its acknowledgement. */
export interface DeliveryInfo {
  /** Name of the consumer that delivered it. */
  readonly consumer: string;
  /** How often the message was delivered, this time included. */
  readonly deliveries: number;
  readonly streamSeq: number;
  /** Counts the deliveries of the consumer, from 1. */
  readonly consumerSeq: number;
  /** Messages that the consumer has not delivered yet. */
  readonly pending: number;
}

/** Takes a message out of an answer of the API. */
export function fromApi({ subject, seq, data = '', hdrs = '' }: ApiMessage): StoredMessage {
  const headers = parseHeaders(Buffer.from(hdrs, 'base64').toString());
  return { subject, seq, data: Buffer.from(data, 'base64'), headers };
}

/** A message that a consumer delivered. */
export function fromDelivery(message: Msg, seq: number): StoredMessage {
  return { subject: message.subject, seq, data: message.data, headers: headersOf(message) };
}

/** The first value of each header. */
export function headersOf(message: Msg): ReadonlyMap<string, string> {
  const headers = new Map<string, string>();
  for (const [name, [value]] of message.headers ?? []) headers.set(name, value ?? '');
  return headers;
}

/**
 * Takes the subject of an acknowledgement apart:
 * `$JS.ACK[.<domain>.<account>].<stream>.<consumer>.<deliveries>.<stream seq>.<consumer seq>.<time>.<pending>[.<token>]`.
 * @throws TroupeError TRP_BUS_SERVER for anything else.
 */
export function deliveryInfo(ackSubject: string | undefined): DeliveryInfo {
  const tokens = (ackSubject ?? '').split('.');
  const first = tokens.length > 9 ? 6 : 4;
  const [deliveries, streamSeq, consumerSeq, , pending] = tokens.slice(first).map(Number);
  const numbers = [deliveries, streamSeq, consumerSeq, pending];
  if (!numbers.every(Number.isSafeInteger))
    throw new TroupeError('TRP_BUS_SERVER', `${ackSubject} is no subject to acknowledge on.`);
  const [d = 0, s = 0, c = 0, p = 0] = numbers;
  return {
    consumer: tokens[first - 1] ?? '',
    deliveries: d,
    streamSeq: s,
    consumerSeq: c,
    pending: p,
  };
}

function parseHeaders(block: string): ReadonlyMap<string, string> {
  const headers = new Map<string, string>();
  for (const line of block.split('\r\n').slice(1)) {
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(colon, 0));
    if (colon > 0 && !headers.has(name)) headers.set(name, line.slice(colon + 1).trim());
  }
  return headers;
}
