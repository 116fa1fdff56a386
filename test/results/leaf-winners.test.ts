import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson } from '../../src/core/canonical.ts';
import type { Plain } from '../../src/core/plain.ts';
import { LeafWinners } from '../../src/results/leaf-winners.ts';
import { mergeWrite, styleOf } from '../../src/results/merging.ts';
import type { KeyWrite } from '../../src/results/merging.ts';
import type { MergeStyle } from '../../src/results/leaf-winners.ts';

/** Few keys and few leaves, so that writes meet; scalars, mappings, lists and texts stand in each other's place. */
const { tree } = fc.letrec<{ tree: Plain }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.constantFrom<Plain>(0, 1, null, 'a\nb\nc', 'a\nB\nc', 'A\nb\nc', 'a\nb\nC'),
    fc.array(fc.constantFrom<Plain>(0, 1), { maxLength: 2 }),
    fc.dictionary(fc.constantFrom('a', 'b', '__proto__'), tie('tree')),
  ),
}));
const value = fc.option(tree, { nil: undefined, freq: 6 });
const writers = fc
  .array(
    fc.record({
      value,
      priority: fc.integer({ min: 4, max: 6 }),
      agent: fc.constantFrom('x', 'y'),
    }),
    {
      minLength: 2,
      maxLength: 6,
    },
  )
  .map((list) => list.map((write, index): KeyWrite => ({ ...write, op: `op-${index}` })));

const text = (content: Plain | undefined): string =>
  content === undefined ? 'absent' : canonicalJson(content);

function mergedText(
  base: Plain | undefined,
  writes: readonly KeyWrite[],
  style: MergeStyle,
): string {
  const merging = new LeafWinners(base, style);
  for (const write of writes) merging.add(write);
  return text(merging.value());
}

describe.each([
  ['priority_merge', undefined],
  ['three_way', 'auto'],
  ['three_way', 'structured'],
  ['three_way', 'text'],
] as const)('writes merged by %s (%s)', (rule, type) => {
  const style = styleOf(rule, type) as MergeStyle;

  it('give one value in every order and however often they come', () => {
    fc.assert(
      fc.property(
        value,
        writers.chain((list) =>
          fc.tuple(
            fc.constant(list),
            fc.shuffledSubarray([...list, ...list], { minLength: 2 * list.length }),
          ),
        ),
        (base, [writes, shuffled]) => {
          expect(mergedText(base, shuffled, style)).toBe(mergedText(base, writes, style));
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it('do not depend on what was merged first: a part merged before the rest gives the same', () => {
    fc.assert(
      fc.property(value, writers, fc.nat(5), (base, writes, cut) => {
        const merging = new LeafWinners(base, style);
        for (const write of writes.slice(0, cut)) merging.add(write);
        merging.value();
        for (const write of writes.slice(cut)) merging.add(write);
        expect(text(merging.value())).toBe(mergedText(base, writes, style));
      }),
    );
  });

  it('lose nothing that is not told, unless the strongest of them all said the same', () => {
    fc.assert(
      fc.property(value, writers, (base, writes) => {
        const merging = new LeafWinners(base, style);
        const losers = new Set(
          writes.flatMap((write) => merging.add(write).map(({ loser }) => loser)),
        );
        const whole = text(merging.value());
        for (const write of writes) {
          if (losers.has(write)) continue;
          const again = mergeWrite({
            rule,
            type,
            base,
            theirs: { ...write, value: merging.value(), priority: 10 },
            mine: write,
          });
          expect(text(again.value)).toBe(whole);
        }
      }),
    );
  });
});

describe('a merge place by place', () => {
  const by = (priority: number, content: Plain | undefined): KeyWrite => ({
    value: content,
    priority,
    agent: 'a',
    op: `op-${priority}`,
  });
  const style = styleOf('priority_merge') as MergeStyle;

  it('shows what a scalar had covered again when a stronger mapping comes', () => {
    const merging = new LeafWinners<KeyWrite>({}, style);
    merging.add(by(1, { o: { low: 1 } }));
    merging.add(by(5, { o: 'scalar' }));
    expect(merging.value()).toEqual({ o: 'scalar' });
    const losses = merging.add(by(9, { o: { high: 9 } }));
    expect(merging.value()).toEqual({ o: { low: 1, high: 9 } });
    expect(losses).toMatchObject([{ path: '/o', value: 'scalar', loser: { priority: 5 } }]);
  });

  it('tells everybody whose part a scalar covers', () => {
    const merging = new LeafWinners<KeyWrite>({}, style);
    merging.add(by(1, { o: { a: 1 } }));
    merging.add(by(2, { o: { b: 2 } }));
    const losses = merging.add(by(3, { o: 3 }));
    expect(losses.map(({ loser, value: lost }) => [loser.priority, lost])).toEqual([
      [1, { a: 1 }],
      [2, { b: 2 }],
    ]);
  });

  it('touches only what a write changes, whatever has been merged before', () => {
    const merging = new LeafWinners<KeyWrite>(undefined, style);
    for (let index = 0; index < 1_000; index++)
      merging.add({ ...by(5, { [`k${index}`]: index }), op: `op-${index}` });
    const before = merging.places;
    merging.add({ ...by(5, { own: { leaf: 1 } }), op: 'last' });
    expect(merging.places - before).toBe(2);
  });
});
