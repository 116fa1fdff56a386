import type { Msg } from 'nats';
import { messageOf, TroupeError } from '../../core/errors.ts';
import { assertPlain } from '../../core/plain.ts';
import type { Plain } from '../../core/plain.ts';
import type { BusMessage } from '../bus.ts';
import { decode, encode } from '../codec.ts';
import type { Headers } from '../headers.ts';
import { decodeJson } from '../json-codec.ts';
import { headersOf } from './publish-headers.ts';

/**
 * Plain data as a message's bytes. It is checked where it lies: encoding is the copy that the contract asks for.
 * @throws TroupeError TRP_BUS_PAYLOAD
 */
export function payloadBytes(payload: Plain, maxBytes: number): Uint8Array {
  const bytes = encode(plain(payload));
  if (bytes.length <= maxBytes) return bytes;
  const message = `The payload is ${bytes.length} bytes encoded; the limit is ${maxBytes}.`;
  throw new TroupeError('TRP_BUS_PAYLOAD', message, {
    hint: 'Send a reference instead of the data.',
  });
}

function plain(payload: Plain): Plain {
  try {
    return assertPlain(payload, 'the payload');
  } catch (error) {
    throw new TroupeError('TRP_BUS_PAYLOAD', messageOf(error), { cause: error });
  }
}

/** What a message holds, frozen. Throws TRP_BUS_PAYLOAD when the bytes are nothing that a bus wrote. */
export function payloadOf(message: Msg): Plain {
  return isRepublished(message) ? decodeJson(message.data) : freeze(decode(message.data));
}

/**
 * Whether a message says nothing to a subscriber: of a bucket's changes, only new values are messages of the bus, and
 * who listens to everything also hears the server and its clients talk.
 */
export function isForeign(message: Msg): boolean {
  if (isRepublished(message)) return message.headers?.has('KV-Operation') === true;
  return message.subject.startsWith('$') || message.subject.startsWith('_INBOX');
}

/** The server republishes the values of a bucket as they are, JSON, and adds where they came from. */
function isRepublished(message: Msg): boolean {
  return message.headers?.get('Nats-Subject').startsWith('$KV.') === true;
}

function freeze(value: Plain): Plain {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  for (const item of Object.values(value) as Plain[]) freeze(item);
  return Object.freeze(value);
}

/** A message as a subscriber gets it. Headers are read when they are asked for. */
export class NatsMessage implements BusMessage {
  readonly payload: Plain;
  private readonly message: Msg;
  private readonly answer: (reply: string, payload: Plain) => void;
  private known: Headers | undefined;

  constructor(message: Msg, payload: Plain, answer: (reply: string, payload: Plain) => void) {
    this.message = message;
    this.payload = payload;
    this.answer = answer;
  }

  get subject(): string {
    return this.message.subject;
  }

  get headers(): Headers {
    this.known ??= headersOf(this.message);
    return this.known;
  }

  respond(payload: Plain): void {
    const { reply } = this.message;
    if (reply) this.answer(reply, payload);
  }
}
