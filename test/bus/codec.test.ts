import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decode, encode } from '../../src/bus/codec.ts';
import { encodedBound } from '../../src/bus/payload.ts';
import { toPlain } from '../../src/core/plain.ts';
import type { Plain } from '../../src/core/plain.ts';

const hex = (text: string): Uint8Array =>
  Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));
const refused = (fault: RegExp): unknown =>
  expect.objectContaining({ code: 'TRP_BUS_PAYLOAD', message: expect.stringMatching(fault) });

/** Bytes written by hand from the MessagePack specification. */
const samples: readonly (readonly [string, Plain, string])[] = [
  ['nil', null, 'c0'],
  ['false', false, 'c2'],
  ['true', true, 'c3'],
  ['a positive fixint', 127, '7f'],
  ['a negative fixint', -32, 'e0'],
  ['uint 8', 255, 'cc ff'],
  ['uint 16', 65_535, 'cd ffff'],
  ['uint 32', 4_294_967_295, 'ce ffffffff'],
  ['int 8', -128, 'd0 80'],
  ['int 16', -32_768, 'd1 8000'],
  ['int 32', -2_147_483_648, 'd2 80000000'],
  ['float 64', 1.5, 'cb 3ff8000000000000'],
  ['a time in milliseconds', 1_700_000_000_000, 'cb 4278bcfe56800000'],
  ['a fixstr', 'é', 'a2 c3a9'],
  ['str 8', 'x'.repeat(32), `d9 20 ${'78'.repeat(32)}`],
  ['bytes', Uint8Array.of(1, 2), 'c4 02 0102'],
  ['a fixarray', [1, [2]], '92 01 91 02'],
  ['a fixmap', { a: 1, b: { c: null } }, '82 a161 01 a162 81 a163 c0'],
];

describe('the codec', () => {
  it.each(samples)('writes and reads %s as the specification says', (_, value, bytes) => {
    expect(Buffer.from(encode(value)).toString('hex')).toBe(
      Buffer.from(hex(bytes)).toString('hex'),
    );
    expect(decode(hex(bytes))).toEqual(value);
  });

  it('leaves out undefined properties and reads foreign integers of 64 bits', () => {
    expect(Buffer.from(encode({ a: undefined, b: 1 } as never)).toString('hex')).toBe('81a16201');
    expect(decode(hex('cf 00000000000000ff'))).toBe(255);
    expect(decode(hex('d3 ffffffffffffffff'))).toBe(-1);
  });

  it('gives back bytes that share no memory with the message and are no Buffer', () => {
    const message = Buffer.from(encode({ b: Uint8Array.of(7) }));
    const { b } = decode(message) as { b: Uint8Array };
    message.fill(0);
    expect(b).toEqual(Uint8Array.of(7));
    expect(Buffer.isBuffer(b)).toBe(false);
  });

  it('keeps every plain value', () => {
    const plain = fc.anything({
      withBigInt: false,
      withDate: false,
      withSparseArray: false,
      withNullPrototype: true,
    });
    fc.assert(
      fc.property(plain, (raw) => {
        let value: Plain;
        try {
          value = toPlain(raw);
        } catch {
          return fc.pre(false);
        }
        const bytes = encode(value);
        expect(decode(bytes)).toEqual(value);
        expect(encodedBound(value)).toBeGreaterThanOrEqual(bytes.length);
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ['nothing', '', /ends too early/],
    ['a cut string', 'a3 6161', /ends too early/],
    ['a cut length', 'da 00', /ends too early/],
    ['bytes after the end', 'c0 c0', /1 bytes after its end/],
    ['a reserved byte', 'c1', /extension/],
    ['an extension', 'd4 01 00', /extension/],
    ['a timestamp', 'd6 ff 00000000', /extension/],
    ['a long extension', 'c7 01 05 00', /extension/],
    ['an integer key', '81 01 02', /key that is not a string/],
    ['an array for a key', '81 90 02', /key that is not a string/],
    ['a __proto__ key', '81 a9 5f5f70726f746f5f5f 01', /__proto__/],
    ['a __proto__ key in long form', '81 d9 09 5f5f70726f746f5f5f 01', /__proto__/],
    ['an array of four thousand million', 'dd ffffffff', /more values than/],
    ['a map of four thousand million', 'df ffffffff', /more values than/],
    ['a string of four thousand million', 'db ffffffff', /ends too early/],
    ['NaN', 'cb 7ff8000000000000', /number/],
    ['infinity in 32 bits', 'ca 7f800000', /number/],
    ['an integer over 2^53', 'cf 0020000000000001', /number/],
    ['a negative integer under -2^53', 'd3 8000000000000000', /number/],
  ])('refuses %s', (_, bytes, fault) => {
    expect(() => decode(hex(bytes))).toThrow(refused(fault));
  });

  it('allows `__proto__` as a value and keys that merely resemble it', () => {
    expect(decode(encode({ a: '__proto__', __proto: 1, __proto___: 2 }))).toEqual({
      a: '__proto__',
      __proto: 1,
      __proto___: 2,
    });
  });

  it('takes 100 levels and refuses 101, whatever is innermost', () => {
    const nested = (depth: number, inner: string): Uint8Array =>
      hex('91'.repeat(depth - 1) + inner);
    for (const inner of ['90', '80', '91c0']) {
      expect(() => decode(nested(100, inner))).not.toThrow();
      expect(() => decode(nested(101, inner))).toThrow(refused(/deeper than 100/));
    }
    expect(() => decode(nested(100_000, '90'))).toThrow(refused(/deeper/));
  });

  it('refuses a message over the limit of the caller', () => {
    expect(() => decode(encode('x'.repeat(100)), { maxBytes: 50 })).toThrow(
      refused(/over the limit of 50/),
    );
  });

  it('never throws anything but its own refusal', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        try {
          toPlain(decode(bytes));
        } catch (error) {
          expect(error).toMatchObject({ code: 'TRP_BUS_PAYLOAD' });
        }
      }),
      { numRuns: 3_000 },
    );
  });
});
