import fc from 'fast-check';
import { expect, it } from 'vitest';
import { matchesPattern } from '../../../src/actors/behaviours/context.mjs';
import { keyMatches } from '../../../src/core/key-pattern.ts';

it('matches keys as the rest of the system does', () => {
  const token = fc.constantFrom('a', 'b', '*', '>');
  const dotted = fc.array(token, { minLength: 1, maxLength: 4 }).map((tokens) => tokens.join('.'));
  fc.assert(
    fc.property(dotted, dotted, (pattern, key) => {
      expect(matchesPattern(pattern, key)).toBe(keyMatches(pattern, key));
    }),
    { numRuns: 2_000 },
  );
});

it.each([
  ['a.b', 'a.b', true],
  ['a.*', 'a.b.c', true],
  ['a.*', 'a', false],
  ['*', 'a', true],
  ['*', 'a.b', false],
  ['*.c', 'a.c', true],
  ['*.c', 'a.b.c', false],
  ['a.>', 'a.b.c', true],
  ['>', 'a.b', true],
])('reads %s against %s', (pattern, key, expected) => {
  expect(matchesPattern(pattern, key)).toBe(expected);
});
