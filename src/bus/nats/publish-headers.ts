import type { Msg, MsgHdrs } from 'nats';
import { checkHeaders } from '../headers.ts';
import type { Headers } from '../headers.ts';
import { userHeaders, wireHeaders } from './message-headers.ts';

const none: Headers = Object.freeze({});

/**
 * Headers of a published message. Of a message's headers the client asks only for their bytes, and its own class looks
 * at every name again in a way that costs more than the rest of the publish; so ordinary ones are written here.
 * @throws TroupeError TRP_BUS_PAYLOAD for what could forge a line of the protocol.
 */
export function publishHeaders(headers: Headers | undefined): MsgHdrs | undefined {
  if (!headers) return undefined;
  const entries = Object.entries(checkHeaders(headers));
  if (entries.length === 0) return undefined;
  let text = 'NATS/1.0\r\n';
  for (const [name, value] of entries) {
    if (isAwkward(name, value)) return wireHeaders(headers, {});
    text += `${name}: ${value}\r\n`;
  }
  const bytes = Buffer.from(`${text}\r\n`);
  return { encode: () => bytes } as unknown as MsgHdrs;
}

/** The headers of a message that came, frozen; of several values of one name the first. */
export function headersOf(message: Msg): Headers {
  const { headers } = message;
  if (!headers) return none;
  const firsts = new Map<string, string>();
  for (const [name, [first = '']] of headers) firsts.set(name, first);
  return userHeaders(firsts);
}

/** What would not come out as it went in: names of the server and the driver, spaces around a value. */
function isAwkward(name: string, value: string): boolean {
  return /^(?:nats-|troupe-bus-)/i.test(name) || value !== value.trim();
}
