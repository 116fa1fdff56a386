import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isPlain } from '../../src/core/plain.ts';
import { isSurelyPlain } from '../../src/core/surely-plain.ts';

describe('the quick look at plain data', () => {
  it('never takes anything for plain that the thorough walk refuses', () => {
    const anything = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withNullPrototype: true,
      withSparseArray: true,
      withTypedArray: true,
      maxDepth: 4,
    });
    fc.assert(
      fc.property(anything, (value) => {
        if (isSurelyPlain(value)) expect(isPlain(value)).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  it('recognises the data of ordinary messages', () => {
    for (const value of [null, true, 3, 'text', [], {}, { a: [1, { b: null }], c: 'd' }])
      expect(isSurelyPlain(value)).toBe(true);
  });

  it('runs no getter, and leaves accessors to the walk', () => {
    let ran = false;
    const value = {
      get a() {
        ran = true;
        return 1;
      },
    };
    expect([isSurelyPlain(value), ran]).toEqual([false, false]);
  });

  it.each([
    ['a symbol for a key', { [Symbol('s')]: 1 }],
    ['a key named __proto__', JSON.parse('{"__proto__": 1}')],
    ['a class', new (class Thing {})()],
    ['a hole', new Array<number>(2)],
    ['no number', { a: NaN }],
    ['a function', { a: () => undefined }],
  ])('leaves a value with %s to the walk', (_, value) => {
    expect(isSurelyPlain(value)).toBe(false);
  });

  it('leaves cycles, deep nesting and what unfolds without end to the walk', () => {
    const cycle: { self?: unknown } = {};
    cycle.self = cycle;
    let deep: unknown = 1;
    for (let level = 0; level < 20; level++) deep = [deep];
    let bomb: unknown = 1;
    for (let level = 0; level < 15; level++) bomb = [bomb, bomb];
    expect([cycle, deep, bomb].map(isSurelyPlain)).toEqual([false, false, false]);
  });
});
