import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalJson } from '../../src/core/canonical.ts';
import type { Plain } from '../../src/core/plain.ts';
import { aggregate } from '../../src/results/aggregation.ts';
import type { AggregateSpec } from '../../src/workflow/model.ts';

function by(kind: AggregateSpec['kind'], threshold?: number): AggregateSpec {
  return { kind, threshold, module: undefined, export: undefined };
}

const gappy: (Plain | null)[] = [['a', 'b'], null, ['b', 'c'], ['b', 'b', 'a']];

test.each<[string, AggregateSpec | undefined, Plain]>([
  ['no spec lists the outputs with their gaps', undefined, gappy as Plain],
  ['list keeps one slot per member', by('list'), gappy as Plain],
  ['concat joins what there is', by('concat'), ['a', 'b', 'b', 'c', 'b', 'b', 'a']],
  ['union names every item once', by('union'), ['a', 'b', 'c']],
  ['intersection keeps what all have', by('intersection'), ['b']],
  [
    'frequency counts a member once for an item',
    by('frequency', 0.5),
    [
      { item: 'b', frequency: 1 },
      { item: 'a', frequency: 2 / 3 },
    ],
  ],
  [
    'frequency without a threshold asks for two fifths',
    by('frequency'),
    [
      { item: 'b', frequency: 1 },
      { item: 'a', frequency: 2 / 3 },
    ],
  ],
  [
    'frequency with a low threshold names all',
    by('frequency', 1 / 3),
    [
      { item: 'b', frequency: 1 },
      { item: 'a', frequency: 2 / 3 },
      { item: 'c', frequency: 1 / 3 },
    ],
  ],
])('%s', (_what, spec, expected) => {
  expect(aggregate(spec, gappy)).toEqual(expected);
});

describe('majority', () => {
  test.each<[string, (Plain | null)[], Plain]>([
    ['the most frequent output wins', ['yes', 'no', null, 'no'], 'no'],
    ['of equally frequent ones the earliest wins', ['b', 'a', 'a', 'b'], 'b'],
    ['outputs are compared by content', [{ x: 1, y: 2 }, 'z', { y: 2, x: 1 }], { x: 1, y: 2 }],
    ['only gaps give null', [null, null], null],
  ])('%s', (_what, outputs, expected) => {
    expect(aggregate(by('majority'), outputs)).toEqual(expected);
  });
});

test('items are compared by content, not by identity or key order', () => {
  const outputs = [[{ a: 1, b: 2 }], [{ b: 2, a: 1 }, 5]];
  expect(aggregate(by('union'), outputs)).toEqual([{ a: 1, b: 2 }, 5]);
  expect(aggregate(by('intersection'), outputs)).toEqual([{ a: 1, b: 2 }]);
});

test('an output that is no list counts as a list of one', () => {
  expect(aggregate(by('concat'), ['a', ['b'], { c: 1 }])).toEqual(['a', 'b', { c: 1 }]);
});

test.each(['concat', 'union', 'intersection', 'frequency'] as const)(
  '%s of nothing is an empty list',
  (kind) => {
    expect(aggregate(by(kind), [null, null])).toEqual([]);
  },
);

test('a function is not carried out here', () => {
  expect(() => aggregate(by('function'), [])).toThrow(
    expect.objectContaining({ code: 'TRP_INTERNAL' }),
  );
});

test('an item at exactly the threshold is named, also where the share is no round binary number', () => {
  const hundred = Array.from({ length: 100 }, (_, index) => (index < 7 ? 'rare' : 'common'));
  expect(aggregate(by('frequency', 0.07), hundred)).toContainEqual({
    item: 'rare',
    frequency: 0.07,
  });
  expect(aggregate(by('frequency', 0.08), hundred)).toEqual([{ item: 'common', frequency: 0.93 }]);
});

const outputs = fc.array(fc.option(fc.array(fc.integer({ min: 0, max: 6 }), { maxLength: 6 })), {
  maxLength: 8,
});

test('union and intersection hold exactly the items that some and all members have', () => {
  fc.assert(
    fc.property(outputs, (all) => {
      const given = all.filter((output) => output !== null);
      const has = (item: number) => (output: readonly number[]) => output.includes(item);
      for (let item = 0; item <= 6; item++) {
        const some = given.some(has(item)) ? 1 : 0;
        const every = given.length > 0 && given.every(has(item)) ? 1 : 0;
        expect(
          (aggregate(by('union'), all) as Plain[]).filter((other) => other === item),
        ).toHaveLength(some);
        expect(
          (aggregate(by('intersection'), all) as Plain[]).filter((other) => other === item),
        ).toHaveLength(every);
      }
    }),
  );
});

test('frequencies are above the threshold, in falling order, and equal for any order of the members', () => {
  fc.assert(
    fc.property(outputs, fc.double({ min: 0, max: 1, noNaN: true }), (all, threshold) => {
      const rows = aggregate(by('frequency', threshold), all) as {
        item: number;
        frequency: number;
      }[];
      const shares = rows.map(({ frequency }) => frequency);
      expect(shares).toEqual(shares.toSorted((a, b) => b - a));
      for (const share of shares) expect(share).toBeGreaterThanOrEqual(threshold - 1e-6);
      const reversed = aggregate(by('frequency', threshold), all.toReversed()) as Plain[];
      expect(reversed.map(canonicalJson).sort()).toEqual(
        (rows as Plain[]).map(canonicalJson).sort(),
      );
    }),
  );
});
