import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { roundTicks } from '../../../src/cli/render/ticks.ts';

const day = 86_400_000;

describe('round ticks', () => {
  it.each([
    [0, [0]],
    [95_000, [0, 30_000, 60_000, 90_000]],
    [190_000, [0, 60_000, 120_000, 180_000]],
    [500, [0, 100, 200, 300, 400, 500]],
    [9 * day, [0, 2 * day, 4 * day, 6 * day, 8 * day]],
  ])('are times that people count in, up to %d ms', (endMs, expected) => {
    expect(roundTicks(endMs, 6)).toEqual(expected);
  });

  it('are few and never behind the end', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e15, noNaN: true }), (endMs) => {
        const ticks = roundTicks(endMs, 6);
        expect(ticks.length).toBeLessThanOrEqual(7);
        expect(ticks.at(-1)).toBeLessThanOrEqual(endMs);
      }),
    );
  });
});
