import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalJson } from '../../src/core/canonical.ts';
import type { Plain } from '../../src/core/plain.ts';
import { mergeWrite, type KeyWrite } from '../../src/results/merging.ts';
import type { MergerName } from '../../src/workflow/model.ts';

/** Few keys and few scalars, so that edits often meet. */
const { tree } = fc.letrec<{ tree: Plain }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.constantFrom<Plain>(0, 1, 'x', null, true),
    fc.array(fc.constantFrom<Plain>(0, 1, 'x'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom('a', 'b', 'c'), tie('tree')),
  ),
}));
const value = fc.option(tree, { nil: undefined, freq: 8 });
const list = fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 8 });
const number = fc.option(fc.integer({ min: -1000, max: 1000 }), { nil: undefined });
const writer = fc.record({
  priority: fc.integer({ min: 4, max: 6 }),
  agent: fc.constantFrom('a', 'b'),
  op: fc.constantFrom('1', '2'),
});

function writes(
  of: fc.Arbitrary<Plain | undefined>,
): fc.Arbitrary<[Plain | undefined, KeyWrite, KeyWrite]> {
  const write = fc.tuple(of, writer).map(([content, by]) => ({ ...by, value: content }));
  return fc.tuple(of, write, write);
}

const text = (content: Plain | undefined): string =>
  content === undefined ? 'absent' : canonicalJson(content);

describe.each(['three_way', 'priority_merge'] as const)('%s', (rule) => {
  test('what only one side changed is taken from that side, without a conflict', () => {
    fc.assert(
      fc.property(writes(value), ([base, a, b]) => {
        const unchanged = { ...b, value: base };
        const mineUnchanged = mergeWrite({ rule, base, theirs: a, mine: unchanged });
        const theirsUnchanged = mergeWrite({ rule, base, theirs: unchanged, mine: a });
        for (const answer of [mineUnchanged, theirsUnchanged]) {
          expect(text(answer.value)).toBe(text(a.value));
          expect(answer).toMatchObject({ dropped: null, conflict: false });
        }
      }),
    );
  });

  test('every leaf of the result was written by one of the two', () => {
    fc.assert(
      fc.property(writes(value), ([base, theirs, mine]) => {
        const answer = mergeWrite({ rule, base, theirs, mine });
        const sources = new Set([...leaves(theirs.value), ...leaves(mine.value)]);
        for (const leaf of leaves(answer.value))
          expect(sources.has(leaf) || leaf.endsWith(' {}')).toBe(true);
      }),
    );
  });

  test('without a conflict every change of both is in the result', () => {
    fc.assert(
      fc.property(writes(value), ([base, theirs, mine]) => {
        const answer = mergeWrite({ rule, base, theirs, mine });
        const result = new Set(leaves(answer.value));
        const old = new Set(leaves(base));
        for (const leaf of [...leaves(theirs.value), ...leaves(mine.value)]) {
          const kept = answer.conflict || old.has(leaf) || result.has(leaf) || leaf.endsWith(' {}');
          expect(kept).toBe(true);
        }
      }),
    );
  });
});

/** Every leaf with its path. */
function leaves(content: Plain | undefined, path = ''): string[] {
  if (content === undefined) return [];
  const isObject = typeof content === 'object' && content !== null && !Array.isArray(content);
  const keys = isObject ? Object.entries(content) : [];
  if (keys.length === 0) return [`${path} ${canonicalJson(content)}`];
  return keys.flatMap(([key, part]) => leaves(part as Plain, `${path}/${key}`));
}

const commutative: [MergerName, fc.Arbitrary<Plain | undefined>][] = [
  ['three_way', value],
  ['priority_merge', value],
  ['union', fc.oneof(list, value)],
  ['max', fc.oneof(number, value)],
  ['min', fc.oneof(number, value)],
  ['sum', fc.oneof(number, value)],
];

test.each(commutative)('%s gives the same value whoever came first', (rule, of) => {
  fc.assert(
    fc.property(writes(of), ([base, a, b]) => {
      const one = mergeWrite({ rule, base, theirs: a, mine: b });
      const other = mergeWrite({ rule, base, theirs: b, mine: a });
      expect(text(one.value)).toBe(text(other.value));
      expect(one.conflict).toBe(other.conflict);
    }),
    { numRuns: 500 },
  );
});

test('union of any number of writes from one base does not depend on their order', () => {
  fc.assert(
    fc.property(list, fc.array(list, { minLength: 1, maxLength: 5 }), (base, proposals) => {
      const by = { priority: 5, agent: 'a', op: '1' };
      const folded = (order: readonly number[][]): Plain | undefined =>
        order.reduce<Plain | undefined>((committed, mine) => {
          return mergeWrite({
            rule: 'union',
            base,
            theirs: { ...by, value: committed },
            mine: { ...by, value: mine },
          }).value;
        }, base);
      expect(folded(proposals)).toEqual(folded(proposals.toReversed()));
    }),
  );
});

test('append loses nothing of theirs and no addition of mine', () => {
  fc.assert(
    fc.property(list, list, list, (base, theirs, additions) => {
      const by = { priority: 5, agent: 'a', op: '1' };
      const mine = { ...by, value: [...base, ...additions] };
      const answer = mergeWrite({ rule: 'append', base, theirs: { ...by, value: theirs }, mine });
      expect(answer).toEqual({ value: [...theirs, ...additions], dropped: null, conflict: false });
    }),
  );
});

test('union loses nothing of either and has no item twice', () => {
  fc.assert(
    fc.property(writes(list), ([base, theirs, mine]) => {
      const items = mergeWrite({ rule: 'union', base, theirs, mine }).value as number[];
      expect(new Set(items)).toEqual(
        new Set([...(theirs.value as number[]), ...(mine.value as number[])]),
      );
      expect(new Set(items).size).toBe(items.length);
    }),
  );
});

test('a sum of any number of additions is all of them, in any order of arrival', () => {
  fc.assert(
    fc.property(fc.nat(1000), fc.array(fc.integer({ min: -99, max: 99 })), (base, differences) => {
      const by = { priority: 5, agent: 'a', op: '1' };
      const total = differences.reduce((committed, difference) => {
        const mine = { ...by, value: base + difference };
        return mergeWrite({ rule: 'sum', base, theirs: { ...by, value: committed }, mine })
          .value as number;
      }, base);
      expect(total).toBe(differences.reduce((sum, difference) => sum + difference, base));
    }),
  );
});

const rules: MergerName[] = [
  'last_writer_wins',
  'first_writer_wins',
  'three_way',
  'priority_merge',
  'max',
  'min',
  'reject',
];

test.each(rules)('%s of equal writes is that write, without a conflict', (rule) => {
  fc.assert(
    fc.property(writes(value), ([base, theirs, by]) => {
      const answer = mergeWrite({ rule, base, theirs, mine: { ...by, value: theirs.value } });
      expect(text(answer.value)).toBe(text(theirs.value));
      expect(answer).toMatchObject({ dropped: null, conflict: false });
    }),
  );
});
