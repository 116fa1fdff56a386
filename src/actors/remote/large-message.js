import { decode, encode } from '../../bus/codec.js';
import { encodedBound } from '../../bus/payload.js';
import { TroupeError } from '../../core/errors.js';
import { toPlain } from '../../core/plain.js';
import { labelOf } from './messages.js';
/** Messages that may be larger than this go aside as a blob: below every server's limit, headers included. In bytes. */
const maxInlineBytes = 512 * 1024;
/** The message as it goes over the bus: whole, or its label with the name of the blob that holds the rest. */
export async function packed(bus, message) {
  const plain = toPlain(message, 'the message');
  if (encodedBound(plain) <= maxInlineBytes) return plain;
  const { hash } = await (await bus.blobs()).put(encode(plain));
  return { ...labelOf(message), protocol: message.protocol, type: 'blob', blob: hash };
}
/** What {@link packed} was given. @throws TroupeError TRP_BUS_PAYLOAD when the blob is not there any more */
export async function unpacked(bus, payload) {
  const blob = blobOf(payload);
  if (blob === undefined) return payload;
  const content = await (await bus.blobs()).get(blob);
  if (content) return decode(content);
  throw new TroupeError('TRP_BUS_PAYLOAD', `The blob ${blob} of a large message is gone.`);
}
/** Removes what {@link packed} put aside; for the one who was the last to need it. */
export async function forgetLarge(bus, payload) {
  const blob = blobOf(payload);
  if (blob !== undefined) await (await bus.blobs()).delete(blob);
}
function blobOf(payload) {
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) return undefined;
  const { type, blob } = payload;
  return type === 'blob' && typeof blob === 'string' ? blob : undefined;
}
