import fc from 'fast-check';
import { expect, test } from 'vitest';
import { shardItems } from '../../src/results/sharding.ts';

test.each([
  [
    'seven items in three shards',
    [1, 2, 3, 4, 5, 6, 7],
    { count: 3 },
    [
      [1, 2],
      [3, 4],
      [5, 6, 7],
    ],
  ],
  ['five items of at most two', [1, 2, 3, 4, 5], { size: 2 }, [[1], [2, 3], [4, 5]]],
  ['fewer items than shards', ['a', 'b'], { count: 5 }, [['a'], ['b']]],
  ['no items', [], { count: 3 }, []],
  ['no items by size', [], { size: 3 }, []],
  ['size before count', [1, 2, 3, 4], { count: 4, size: 4 }, [[1, 2, 3, 4]]],
])('%s', (_what, items, how, shards) => {
  expect(shardItems(items, how)).toEqual(shards);
});

test.each([{}, { count: 0 }, { size: 0 }, { size: 1.5 }, { count: Number.NaN }])(
  '%o is refused',
  (how) => {
    expect(() => shardItems([1], how)).toThrow(
      expect.objectContaining({ code: 'TRP_OPTION_INVALID' }),
    );
  },
);

test('shards are balanced, in order, complete and never empty', () => {
  const how = fc.oneof(
    fc.record({ count: fc.integer({ min: 1, max: 40 }) }),
    fc.record({ size: fc.integer({ min: 1, max: 40 }) }),
  );
  fc.assert(
    fc.property(fc.array(fc.nat(), { maxLength: 200 }), how, (items, request) => {
      const shards = shardItems(items, request);
      const lengths = shards.map((shard) => shard.length);
      expect(shards.flat()).toEqual(items);
      if (items.length === 0) return;
      expect(Math.min(...lengths)).toBeGreaterThan(0);
      expect(Math.max(...lengths) - Math.min(...lengths)).toBeLessThanOrEqual(1);
      if ('size' in request) expect(shards).toHaveLength(Math.ceil(items.length / request.size));
      else expect(shards).toHaveLength(Math.min(items.length, request.count));
      if ('size' in request) expect(Math.max(...lengths)).toBeLessThanOrEqual(request.size);
    }),
  );
});
