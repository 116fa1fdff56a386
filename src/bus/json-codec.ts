import { canonicalJson } from '../core/canonical.ts';
import { messageOf, TroupeError } from '../core/errors.ts';
import { toPlain } from '../core/plain.ts';
import type { Plain } from '../core/plain.ts';

const bytesKey = '$bytes';

/** Plain data as JSON that any client reads: keys sorted, bytes as `{"$bytes": "<base64>"}`. */
export function encodeJson(value: Plain): Uint8Array {
  return new TextEncoder().encode(canonicalJson(value));
}

/**
 * JSON as frozen plain data; what {@link encodeJson} was given, or what another client wrote.
 * @throws TroupeError TRP_BUS_PAYLOAD for what is not UTF-8, not JSON or not plain data.
 */
export function decodeJson(bytes: Uint8Array): Plain {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    const value = toPlain(JSON.parse(text), 'the message');
    return text.includes('bytes"') ? restored(value) : value;
  } catch (error) {
    throw new TroupeError('TRP_BUS_PAYLOAD', `The message is no JSON: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** Most bytes that the value can take as JSON; a control character takes six. */
export function jsonBound(value: Plain): number {
  if (typeof value === 'string') return 2 + 6 * value.length;
  if (typeof value !== 'object' || value === null) return 25;
  if (value instanceof Uint8Array) return 16 + 4 * Math.ceil(value.length / 3);
  let bound = 2;
  if (Array.isArray(value))
    for (const item of value as readonly Plain[]) bound += 1 + jsonBound(item);
  else
    for (const [key, item] of Object.entries(value)) bound += 5 + 6 * key.length + jsonBound(item);
  return bound;
}

/** Bytes where the text has their mark, and keys without the `$` that kept them from being one. */
function restored(value: Plain): Plain {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  if (Array.isArray(value)) return Object.freeze((value as readonly Plain[]).map(restored));
  const entries = Object.entries(value);
  const [first] = entries;
  if (entries.length === 1 && first?.[0] === bytesKey && typeof first[1] === 'string')
    return bytesOf(first[1]);
  return Object.freeze(
    Object.fromEntries(entries.map(([key, item]) => [unescapedKey(key), restored(item)])),
  );
}

function unescapedKey(key: string): string {
  return /^\$\$+bytes$/.test(key) ? key.slice(1) : key;
}

function bytesOf(base64: string): Uint8Array {
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.toString('base64') !== base64)
    throw new TroupeError('TRP_BUS_PAYLOAD', `${bytesKey} holds no base64`);
  return Uint8Array.from(bytes);
}
