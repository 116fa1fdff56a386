import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeJson, encodeJson, jsonBound } from '../../src/bus/json-codec.ts';
import { toPlain } from '../../src/core/plain.ts';

const text = (json: string): Uint8Array => new TextEncoder().encode(json);
const shown = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

describe('values as JSON', () => {
  it('hold bytes as base64 under one key, and a key of that name with one sign more', () => {
    expect(shown(encodeJson({ b: Uint8Array.of(1, 2), a: 1 }))).toBe(
      '{"a":1,"b":{"$bytes":"AQI="}}',
    );
    expect(shown(encodeJson({ $bytes: 'AQI=' }))).toBe('{"$$bytes":"AQI="}');
  });

  it('come back as they were, frozen', () => {
    const bytes = fc.uint8Array({ maxLength: 8 });
    const key = fc.oneof(fc.string(), fc.constantFrom('$bytes', '$$bytes', '$', 'bytes'));
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 3 },
        fc.oneof(fc.string({ unit: 'binary' }), fc.double({ noNaN: true }), bytes, fc.boolean()),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(key, tie('value'), { maxKeys: 3 }),
      ),
    }));
    fc.assert(
      fc.property(value, (raw) => {
        fc.pre(raw !== Infinity && raw !== -Infinity);
        let plain;
        try {
          plain = toPlain(raw);
        } catch {
          return fc.pre(false);
        }
        const encoded = encodeJson(plain);
        const decoded = decodeJson(encoded);
        expect(decoded).toEqual(plain);
        if (typeof decoded === 'object' && !(decoded instanceof Uint8Array))
          expect(Object.isFrozen(decoded)).toBe(true);
        expect(jsonBound(plain)).toBeGreaterThanOrEqual(encoded.length);
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ['nothing', ''],
    ['half a value', '{"a":'],
    ['a number that no double holds', '1e400'],
    ['a key named __proto__', '{"__proto__":{"a":1}}'],
    ['bytes that are no base64', '{"$bytes":"?"}'],
    ['a nesting of a hundred thousand', '['.repeat(100_000) + ']'.repeat(100_000)],
  ])('refuse %s', (_, json) => {
    expect(() => decodeJson(text(json))).toThrow(
      expect.objectContaining({ code: 'TRP_BUS_PAYLOAD' }),
    );
  });

  it('refuse bytes that are no UTF-8', () => {
    expect(() => decodeJson(Uint8Array.of(0x22, 0xff, 0x22))).toThrow(
      expect.objectContaining({ code: 'TRP_BUS_PAYLOAD' }),
    );
  });
});
