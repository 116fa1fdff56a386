import fc from 'fast-check';
import { expect, test } from 'vitest';
import { emptyMarks, hasMark, withMark } from '../../src/policies/marks.ts';

test.each([1, 32, 33, 1024, 1025, 40_000, 1_100_000])(
  'a set with room for %i holds its first and last number',
  (size) => {
    const marks = withMark(withMark(emptyMarks(size), 0), size - 1);
    expect([0, 1, size - 2, size - 1].map((index) => hasMark(marks, index))).toEqual(
      [0, 1, size - 2, size - 1].map((index) => index === 0 || index === size - 1),
    );
  },
);

test('it holds what was added and nothing else, and earlier sets stay as they were', () => {
  const size = 3000;
  fc.assert(
    fc.property(fc.array(fc.nat(size - 1), { maxLength: 60 }), fc.nat(size - 1), (added, probe) => {
      const sets = [emptyMarks(size)];
      for (const index of added) sets.push(withMark(sets.at(-1) ?? emptyMarks(size), index));
      for (const [count, marks] of sets.entries()) {
        const known = added.slice(0, count);
        for (const index of [...added, probe])
          expect(hasMark(marks, index)).toBe(known.includes(index));
      }
    }),
  );
});
