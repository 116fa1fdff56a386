import { createRequire } from 'node:module';
import type { Packr } from 'msgpackr';
import { messageOf, TroupeError } from '../core/errors.ts';
import { maxPlainDepth } from '../core/plain.ts';
import type { Plain } from '../core/plain.ts';
import { checkWire } from './wire-check.ts';

/** What {@link decode} accepts at most. */
export interface DecodeLimits {
  /** Bytes of the whole message. Default: no limit of its own. */
  readonly maxBytes?: number;
  /** Nesting. Default 100, as deep as plain data may be. */
  readonly maxDepth?: number;
}

/**
 * Self-contained MessagePack that any other library reads: no records, no shared structures, no
 * extensions. Properties that hold `undefined` are left out, as JSON does; in arrays it becomes nil.
 */
const options = {
  useRecords: false,
  variableMapSize: true,
  moreTypes: false,
  useToJSON: false,
  skipValues: [undefined],
  encodeUndefinedAsNil: true,
  copyBuffers: true,
  int64AsType: 'number',
} as ConstructorParameters<typeof Packr>[0];

let made: Packr | undefined;

/** Loaded when first used, and at once: who never writes a journal or a long message never pays for it. */
function packr(): Packr {
  if (!made) {
    const library = createRequire(import.meta.url)('msgpackr') as { Packr: typeof Packr };
    made = new library.Packr(options);
  }
  return made;
}

/** Plain data as MessagePack. The value is trusted: check foreign data with `toPlain` first. */
export function encode(value: Plain): Uint8Array {
  return packr().pack(value);
}

/**
 * MessagePack as plain data that shares no memory with the input.
 * @throws TroupeError TRP_BUS_PAYLOAD for anything that is not exactly one plain value: extensions, keys
 * that are no strings or `__proto__`, numbers that a double cannot hold, bytes missing or left over, limits.
 */
export function decode(bytes: Uint8Array, limits: DecodeLimits = {}): Plain {
  const { maxBytes = Infinity, maxDepth = maxPlainDepth } = limits;
  if (bytes.length > maxBytes)
    throw refusal(`is ${bytes.length} bytes, over the limit of ${maxBytes}`);
  const fault = checkWire(bytes, maxDepth);
  if (fault) throw refusal(fault);
  try {
    return packr().unpack(withoutBuffer(bytes)) as Plain;
  } catch (error) {
    throw refusal(`cannot be decoded: ${messageOf(error)}`);
  }
}

/** A view that is no Buffer: what msgpackr slices from it is then a Uint8Array and nothing else. */
function withoutBuffer(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}

function refusal(fault: string): TroupeError {
  return new TroupeError('TRP_BUS_PAYLOAD', `The message ${fault}.`);
}
