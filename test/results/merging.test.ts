import { describe, expect, test } from 'vitest';
import type { Plain } from '../../src/core/plain.ts';
import { mergeWrite, type KeyWrite, type MergeAnswer } from '../../src/results/merging.ts';
import type { MergerName } from '../../src/workflow/model.ts';

type Value = Plain | undefined;

const write = (value: Value, more: Partial<KeyWrite> = {}): KeyWrite => ({
  value,
  priority: 5,
  agent: 'b',
  op: 'op',
  ...more,
});
const ok = (value: Value): MergeAnswer => ({ value, dropped: null, conflict: false });
const lost = (value: Value, dropped: Plain): MergeAnswer => ({ value, dropped, conflict: true });

type Row = [what: string, base: Value, theirs: Value, mine: Value, answer: MergeAnswer];

/** Theirs is by agent b with priority 5, mine by agent m with the priority given: equal ones go to b. */
function table(rule: MergerName, rows: readonly Row[], minePriority = 5): void {
  describe(minePriority === 5 ? rule : `${rule}, mine with priority ${minePriority}`, () => {
    test.each(rows)('%s', (_what, base, theirs, mine, answer) => {
      const question = {
        rule,
        base,
        theirs: write(theirs),
        mine: write(mine, { agent: 'm', priority: minePriority }),
      };
      expect(mergeWrite(question)).toEqual(answer);
    });
  });
}

table('last_writer_wins', [
  ['mine replaces theirs, which is reported', 1, 2, 3, lost(3, 2)],
  ['equal writes do not collide', 1, 2, 2, ok(2)],
  ['nothing is lost when theirs changed nothing', 1, 1, 3, ok(3)],
  ['a deletion wins too', 1, 2, undefined, lost(undefined, 2)],
]);

table(
  'first_writer_wins',
  [
    [
      'edits of different parts are both kept',
      { a: 1, b: 1 },
      { a: 2, b: 1 },
      { a: 1, b: 2 },
      ok({ a: 2, b: 2 }),
    ],
    [
      'edits of one part: theirs stays whole, mine is reported whole',
      { a: 1 },
      { a: 2 },
      { a: 3, n: 1 },
      lost({ a: 2 }, { a: 3, n: 1 }),
    ],
    ['scalars: theirs stays', undefined, 'x', 'y', lost('x', 'y')],
    ['equal writes do not collide', 1, 2, 2, ok(2)],
  ],
  9,
);

table('three_way', [
  [
    'objects are merged key by key, at any depth',
    { o: { a: 1, b: 1 }, k: 0 },
    { o: { a: 2, b: 1 }, k: 0 },
    { o: { a: 1, b: 2, c: 3 }, k: 0 },
    ok({ o: { a: 2, b: 2, c: 3 }, k: 0 }),
  ],
  ['a deletion by one side is carried out', { a: 1, b: 1 }, { a: 1 }, { a: 2, b: 1 }, ok({ a: 2 })],
  [
    'at a tie of priorities the smaller agent id decides',
    { a: 1 },
    { a: 2 },
    { a: 3, c: 1 },
    lost({ a: 2, c: 1 }, { '/a': 3 }),
  ],
  [
    'lists are whole',
    { l: [1] },
    { l: [1, 2] },
    { l: [1, 3] },
    lost({ l: [1, 2] }, { '/l': [1, 3] }),
  ],
  [
    'bytes are whole',
    undefined,
    new Uint8Array([1]),
    new Uint8Array([2]),
    lost(new Uint8Array([1]), new Uint8Array([2])),
  ],
  [
    'deleting an object clashes with a change inside it',
    { o: { a: 1, b: 1 } },
    { o: { a: 2, b: 1 } },
    {},
    lost({ o: { a: 2, b: 1 } }, { '/o': null }),
  ],
  ['two objects made from nothing are merged', undefined, { a: 1 }, { b: 2 }, ok({ a: 1, b: 2 })],
  [
    'keys are escaped in pointers',
    { 'a/b~c': 1 },
    { 'a/b~c': 2 },
    { 'a/b~c': 3 },
    lost({ 'a/b~c': 2 }, { '/a~1b~0c': 3 }),
  ],
]);

table(
  'three_way',
  [
    [
      'the higher priority decides a clash and only the clash',
      { a: 1, b: 1 },
      { a: 2, b: 2 },
      { a: 3, b: 1 },
      lost({ a: 3, b: 2 }, { '/a': 2 }),
    ],
    ['a clash of whole values reports the value', 1, 2, 3, lost(3, 2)],
  ],
  9,
);

table(
  'priority_merge',
  [
    [
      'different leaves are both kept',
      {},
      { a: { x: 1 } },
      { a: { y: 2 } },
      ok({ a: { x: 1, y: 2 } }),
    ],
    [
      'the higher priority decides each clashing leaf',
      {},
      { a: { x: 1, z: 0 } },
      { a: { x: 9, y: 2 } },
      lost({ a: { x: 9, y: 2, z: 0 } }, { '/a/x': 1 }),
    ],
    [
      'a deletion clashes only with the leaf that changed',
      { o: { a: 1, b: 1 } },
      { o: { a: 2, b: 1 } },
      {},
      lost({}, { '/o/a': 2 }),
    ],
    [
      'a leaf that mine only repeats from the base is no write',
      { a: 1, b: 1 },
      { a: 2, b: 1 },
      { a: 1, b: 5 },
      ok({ a: 2, b: 5 }),
    ],
    [
      'a leaf added inside what mine deleted stays',
      { o: { a: 1 } },
      { o: { a: 1, n: 1 } },
      {},
      ok({ o: { n: 1 } }),
    ],
  ],
  9,
);

table(
  'priority_merge',
  [
    [
      'the lower priority cannot delete a leaf that changed',
      { o: { a: 1, b: 1 } },
      { o: { a: 2, b: 1 } },
      undefined,
      lost({ o: { a: 2 } }, { '/o/a': null }),
    ],
  ],
  1,
);

table('append', [
  ['theirs comes first, then what mine adds', [1], [1, 2], [1, 3], ok([1, 2, 3])],
  ['equal additions are both kept', [1], [1, 2], [1, 2], ok([1, 2, 2])],
  ['an addition equal to an item of the base is an addition', [1], [1], [1, 1], ok([1, 1])],
  ['values that are no lists count as one item', undefined, 'x', 'y', ok(['x', 'y'])],
  ['mine without additions leaves theirs as it is', 'x', 'y', 'x', ok('y')],
  [
    'a deletion against an addition is not carried out',
    [1],
    [1, 2],
    undefined,
    { value: [1, 2], dropped: null, conflict: true },
  ],
]);

table('union', [
  [
    'every item once, those of the base first',
    ['z'],
    ['z', 'c'],
    ['z', 'a', 'c'],
    ok(['z', 'a', 'c']),
  ],
  [
    'items are compared by content',
    undefined,
    [{ a: 1, b: 2 }],
    [{ b: 2, a: 1 }],
    ok([{ a: 1, b: 2 }]),
  ],
  [
    'a deletion is not carried out',
    [1],
    undefined,
    [1, 2],
    { value: [1, 2], dropped: null, conflict: true },
  ],
  ['two deletions are', [1], undefined, undefined, ok(undefined)],
]);

table(
  'max',
  [
    ['the larger number stays', 1, 5, 3, ok(5)],
    ['a missing value loses', undefined, undefined, 3, ok(3)],
    ['other values are decided by priority', 1, 'x', 3, lost(3, 'x')],
  ],
  9,
);

table('min', [
  ['the smaller number stays', 1, 5, 3, ok(3)],
  ['zero is a number', 1, 0, undefined, { value: 0, dropped: null, conflict: true }],
]);

table('sum', [
  ['both differences count', 10, 12, 15, ok(17)],
  ['equal differences count twice', 10, 11, 11, ok(12)],
  ['without a base both values count', undefined, 2, 3, ok(5)],
  [
    'what leaves the range of numbers is decided by priority',
    0,
    1e308,
    1.7e308,
    lost(1e308, 1.7e308),
  ],
  ['other values are decided by priority', 0, 'x', 3, lost('x', 3)],
]);

table('reject', [
  ['theirs stays and mine is reported', 1, 2, 3, lost(2, 3)],
  ['the same value from both is no conflict', 1, 2, 2, ok(2)],
]);

test('the operation id breaks the last tie', () => {
  const theirs = write(2, { op: 'op-b' });
  const mine = write(3, { op: 'op-a' });
  expect(mergeWrite({ rule: 'three_way', base: 1, theirs, mine })).toEqual(lost(3, 2));
});

test('keys called like properties of every object are keys like others', () => {
  const theirs = write(JSON.parse('{"__proto__": {"a": 1}, "constructor": 1}') as Plain);
  const mine = write(JSON.parse('{"__proto__": {"b": 2}, "toString": 2}') as Plain);
  const { value } = mergeWrite({ rule: 'three_way', base: {}, theirs, mine });
  expect(JSON.stringify(value)).toBe('{"__proto__":{"a":1,"b":2},"constructor":1,"toString":2}');
});
