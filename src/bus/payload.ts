import { messageOf, TroupeError } from '../core/errors.ts';
import { toPlain } from '../core/plain.ts';
import type { Plain } from '../core/plain.ts';
import { encode } from './codec.ts';
import { encodeJson, jsonBound } from './json-codec.ts';

/** Largest payload, encoded, on every driver: 1 MiB, what a NATS server takes by default. */
export const maxPayloadBytes = 1_048_576;

/** Payloads that were checked and frozen before: passing one on costs nothing. */
const checked = new WeakSet<object>();

/**
 * The payload as subscribers get it: plain data, a frozen copy, within the limit.
 * @throws TroupeError TRP_BUS_PAYLOAD
 */
export function checkedPayload(payload: Plain, maxBytes = maxPayloadBytes): Plain {
  if (typeof payload === 'object' && payload !== null && checked.has(payload)) return payload;
  if (isSmall(payload)) return payload;
  const plain = plainPayload(payload);
  checkSize(plain, maxBytes);
  if (typeof plain === 'object' && plain !== null) checked.add(plain);
  return plain;
}

/**
 * The value of a key as readers get it: a checked payload that is also within the limit as JSON.
 * @throws TroupeError TRP_BUS_PAYLOAD
 */
export function checkedValue(value: Plain, maxBytes = maxPayloadBytes): Plain {
  const plain = checkedPayload(value, maxBytes);
  if (jsonBound(plain) > maxBytes) refuseLarge(encodeJson(plain).length, maxBytes);
  return plain;
}

/** Most bytes that the encoded value can take; counting exactly would cost as much as encoding. */
export function encodedBound(value: Plain): number {
  if (typeof value === 'string') return 5 + 3 * value.length;
  if (typeof value !== 'object' || value === null) return 9;
  if (value instanceof Uint8Array) return 5 + value.length;
  let bound = 5;
  if (Array.isArray(value))
    for (const item of value as readonly Plain[]) bound += encodedBound(item);
  else
    for (const [key, item] of Object.entries(value))
      bound += 5 + 3 * key.length + encodedBound(item);
  return bound;
}

/** What is plain without a look at its parts. -0 is not, and long text is measured. */
function isSmall(payload: Plain): boolean {
  if (payload === null || typeof payload === 'boolean') return true;
  return Number.isSafeInteger(payload) && !Object.is(payload, -0);
}

function plainPayload(payload: Plain): Plain {
  try {
    return toPlain(payload, 'the payload');
  } catch (error) {
    throw new TroupeError('TRP_BUS_PAYLOAD', messageOf(error), { cause: error });
  }
}

function checkSize(plain: Plain, maxBytes: number): void {
  if (encodedBound(plain) <= maxBytes) return;
  refuseLarge(encode(plain).length, maxBytes);
}

function refuseLarge(size: number, maxBytes: number): void {
  if (size <= maxBytes) return;
  throw new TroupeError(
    'TRP_BUS_PAYLOAD',
    `The payload is ${size} bytes encoded; the limit is ${maxBytes}.`,
    { hint: 'Send a reference instead of the data.' },
  );
}
