import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TroupeError } from '../../src/core/errors.ts';
import { assertPlain, isPlain, maxPlainDepth, pathText, toPlain } from '../../src/core/plain.ts';

function faultOf(value: unknown): TroupeError {
  try {
    assertPlain(value, 'output of task a');
  } catch (error) {
    if (error instanceof TroupeError) return error;
  }
  throw new Error('nothing was refused');
}

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < depth; level++) value = [value];
  return value;
}

const circular: { [key: string]: unknown } = { a: {} };
circular['a'] = { back: [circular] };

const offenders: readonly (readonly [string, unknown, string, string])[] = [
  ['undefined', undefined, '', 'undefined'],
  ['undefined in a list', { list: [1, undefined] }, 'list[1]', 'undefined'],
  ['a hole in a list', { list: [1, , 2] }, 'list[1]', 'undefined'], // eslint-disable-line no-sparse-arrays
  ['a function', { a: { run: () => 1 } }, 'a.run', 'a function'],
  ['a symbol', [Symbol('x')], '[0]', 'a symbol'],
  ['a symbol as a key', { a: { [Symbol('x')]: 1 } }, 'a', 'symbol for a key'],
  ['a bigint', { n: 1n }, 'n', 'a bigint'],
  ['NaN', { n: Number.NaN }, 'n', 'NaN'],
  ['Infinity', [[Infinity]], '[0][0]', 'Infinity'],
  ['a date', { at: new Date(0) }, 'at', 'instance of Date'],
  ['a map', { m: new Map() }, 'm', 'instance of Map'],
  ['a class instance', { e: new TroupeError('TRP_INTERNAL', 'x') }, 'e', 'instance of TroupeError'],
  [
    'an accessor',
    {
      a: {
        get b() {
          throw new Error('ran');
        },
      },
    },
    'a.b',
    'accessor',
  ],
  ['a cycle', circular, '', 'contains itself'],
  ['deep nesting', nested(maxPlainDepth + 1), '[0]'.repeat(maxPlainDepth), 'deeper than'],
  ['a prototype key', JSON.parse('{"a":{"__proto__":{"x":1}}}'), 'a', '__proto__'],
];

describe('plain data', () => {
  it.each(offenders)('refuses %s and names its path', (_title, value, path, message) => {
    const fault = faultOf(value);
    expect(fault.code).toBe('TRP_PLAIN_DATA');
    expect(fault.place).toBe(path);
    expect(fault.message).toContain(message);
    expect(isPlain(value)).toBe(false);
    expect(() => toPlain(value)).toThrow(TroupeError);
  });

  it('accepts nesting up to the limit', () => {
    expect(isPlain(nested(maxPlainDepth))).toBe(true);
  });

  it('accepts JSON values and bytes, and objects without a prototype', () => {
    const bare = Object.assign(Object.create(null) as object, { a: 1 });
    expect(isPlain({ bare, bytes: new Uint8Array(2), list: [null, true, 'x', 1.5] })).toBe(true);
  });

  it('copies deeply and freezes every level', () => {
    const source = { a: [{ b: 1 }], bytes: Buffer.from([1, 2]) };
    const copy = toPlain(source) as unknown as typeof source;
    source.a[0]!.b = 2;
    source.bytes[0] = 9;
    expect(copy.a[0]!.b).toBe(1);
    expect([...copy.bytes]).toEqual([1, 2]);
    expect(copy.bytes.constructor).toBe(Uint8Array);
    expect(Object.isFrozen(copy) && Object.isFrozen(copy.a) && Object.isFrozen(copy.a[0])).toBe(
      true,
    );
  });

  it('drops properties that hold undefined, makes -0 zero and mends broken surrogates', () => {
    const copy = toPlain({ gone: undefined, zero: -0, text: 'a\ud800b' }) as {
      zero: number;
      text: string;
    };
    expect(Object.keys(copy)).toEqual(['zero', 'text']);
    expect(Object.is(copy.zero, 0)).toBe(true);
    expect(copy.text).toBe('a\ufffdb');
  });

  it('refuses a hostile proxy without throwing from isPlain', () => {
    const trap = new Proxy(
      {},
      {
        ownKeys: () => {
          throw new Error('trap');
        },
      },
    );
    expect(isPlain(trap)).toBe(false);
  });

  it('refuses a small graph that unfolds into a huge tree', () => {
    let value: unknown = 1;
    for (let level = 0; level < 40; level++) value = [value, value];
    expect(faultOf(value).message).toContain('more than');
  });

  it('is the identity on JSON values', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        const value: unknown = JSON.parse(text);
        fc.pre(!text.includes('__proto__'));
        expect(JSON.stringify(toPlain(value))).toBe(JSON.stringify(value));
      }),
    );
  });

  it('never throws anything but its own error, whatever the value', () => {
    fc.assert(
      fc.property(
        fc.anything({
          withDate: true,
          withMap: true,
          withSparseArray: true,
          withNullPrototype: true,
        }),
        (value) => {
          try {
            toPlain(value);
          } catch (error) {
            expect(error).toBeInstanceOf(TroupeError);
          }
        },
      ),
    );
  });

  it('writes paths as people do', () => {
    expect(pathText(['tasks', 'a', 'needs', 0, 'task'])).toBe('tasks.a.needs[0].task');
  });
});
