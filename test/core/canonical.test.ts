import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson, contentHash } from '../../src/core/canonical.ts';
import type { Plain } from '../../src/core/plain.ts';

function shuffled(value: Plain): Plain {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  if (Array.isArray(value)) return (value as readonly Plain[]).map(shuffled);
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, item]) => [key, shuffled(item as Plain)]),
  );
}

describe('canonicalJson', () => {
  it('sorts keys at every level and leaves out undefined', () => {
    const value = { b: [{ d: 1, c: 2 }], a: undefined as unknown as Plain, '\u00e9': 'x', Z: null };
    expect(canonicalJson(value)).toBe('{"Z":null,"b":[{"c":2,"d":1}],"\u00e9":"x"}');
  });

  it('gives bytes a text that no object shares', () => {
    const bytes = canonicalJson(Uint8Array.from([1, 2]));
    expect(bytes).toBe('{"$bytes":"AQI="}');
    expect(canonicalJson({ $bytes: 'AQI=' })).toBe('{"$$bytes":"AQI="}');
    expect(canonicalJson({ $$bytes: 'AQI=' })).not.toBe(canonicalJson({ $bytes: 'AQI=' }));
  });

  it('does not depend on the order of keys, and reads back as the same value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const plain = value as Plain;
        fc.pre(
          !JSON.stringify(value).includes('bytes') && !JSON.stringify(value).includes('__proto__'),
        );
        expect(canonicalJson(shuffled(plain))).toBe(canonicalJson(plain));
        expect(JSON.stringify(shuffled(JSON.parse(canonicalJson(plain)) as Plain)).length).toBe(
          canonicalJson(plain).length,
        );
      }),
    );
  });
});

describe('contentHash', () => {
  it('is the SHA-256 of the canonical text', () => {
    expect(contentHash({})).toBe(
      '44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a',
    );
  });

  it('tells different values apart', () => {
    expect(contentHash([1])).not.toBe(contentHash(['1']));
  });
});
