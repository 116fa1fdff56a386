import { headers as newHeaders } from 'nats';
import type { MsgHdrs } from 'nats';
import { checkHeaders } from '../headers.ts';
import type { Headers } from '../headers.ts';

/** Headers of the driver's own begin so. */
export const driverPrefix = 'Troupe-Bus-';
/** Identity of a message: the server keeps a second one of that id out for a while. */
export const messageIdHeader = 'Nats-Msg-Id';
/** The last sequence number of the subject that a message is stored behind, or not at all. */
export const expectedSeqHeader = 'Nats-Expected-Last-Subject-Sequence';

const escapedPrefix = `${driverPrefix}Header-`;
/** The server acts on `Nats-`; what begins with the driver's prefix is the driver's. */
const reserved = /^(?:nats-|troupe-bus-)/i;

/**
 * Headers of the user and of the driver, as they go out. Names that would collide, and values that lose
 * spaces on the way, are escaped; {@link userHeaders} gives back what was there.
 * @throws TroupeError TRP_BUS_PAYLOAD
 */
export function wireHeaders(user: Headers, own: Headers): MsgHdrs {
  const headers = newHeaders();
  for (const [name, value] of Object.entries(checkHeaders(user))) {
    const awkward = reserved.test(name) || Object.hasOwn(own, name) || value !== value.trim();
    if (awkward) headers.set(escapedPrefix + name, encodeURIComponent(wellFormed(value)));
    else headers.set(name, value);
  }
  for (const [name, value] of Object.entries(own)) headers.set(name, value);
  return headers;
}

/** The user's headers of a stored message. @param own names that the driver put beside them */
export function userHeaders(
  stored: ReadonlyMap<string, string>,
  own: readonly string[] = [],
): Headers {
  const headers: { [name: string]: string } = {};
  for (const [name, value] of stored) {
    if (name.startsWith(escapedPrefix)) headers[name.slice(escapedPrefix.length)] = decoded(value);
    else if (!reserved.test(name) && !own.includes(name)) headers[name] = value;
  }
  return Object.freeze(headers);
}

/** Any text as the value of a header. */
export function encodedText(text: string): string {
  return encodeURIComponent(wellFormed(text));
}

/** What {@link encodedText} was given; anything else as it is. */
export function decoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

function wellFormed(text: string): string {
  return (text as string & { toWellFormed(): string }).toWellFormed();
}
