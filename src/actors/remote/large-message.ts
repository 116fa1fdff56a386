import type { Bus } from '../../bus/bus.ts';
import { decode, encode } from '../../bus/codec.ts';
import { encodedBound } from '../../bus/payload.ts';
import { TroupeError } from '../../core/errors.ts';
import type { Plain, PlainObject } from '../../core/plain.ts';
import type { Label } from './label.ts';
import { labelOf } from './label.ts';

/** Messages that may be larger than this go aside as a blob: below every server's limit, headers included. In bytes. */
export const maxInlineBytes = 512 * 1024;

/** The message as it goes over the bus: whole, or its label with the name of the blob that holds the rest. */
export async function packed(
  bus: Bus,
  message: Label & { readonly protocol: number },
): Promise<PlainObject> {
  // Its parts are plain, and whoever takes it makes sure of that once more.
  const plain = message as unknown as PlainObject;
  if (encodedBound(plain) <= maxInlineBytes) return plain;
  const { hash } = await (await bus.blobs()).put(encode(plain));
  return { ...labelOf(message), protocol: message.protocol, type: 'blob', blob: hash };
}

/** What {@link packed} was given. @throws TroupeError TRP_BUS_PAYLOAD when the blob is not there any more */
export async function unpacked(bus: Bus, payload: Plain): Promise<Plain> {
  const blob = blobOf(payload);
  if (blob === undefined) return payload;
  const content = await (await bus.blobs()).get(blob);
  if (content) return decode(content);
  throw new TroupeError('TRP_BUS_PAYLOAD', `The blob ${blob} of a large message is gone.`);
}

/** Removes what {@link packed} put aside; for the one who was the last to need it. */
export async function forgetLarge(bus: Bus, payload: Plain): Promise<void> {
  const blob = blobOf(payload);
  if (blob !== undefined) await (await bus.blobs()).delete(blob);
}

function blobOf(payload: Plain): string | undefined {
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) return undefined;
  const { type, blob } = payload as PlainObject;
  return type === 'blob' && typeof blob === 'string' ? blob : undefined;
}
