import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatDuration, parseDuration, parseDurationRange } from '../../src/core/duration.ts';

describe('parseDuration', () => {
  it.each([
    ['250ms', 250],
    ['5s', 5000],
    ['10m', 600_000],
    ['1h', 3_600_000],
    ['1h30m', 5_400_000],
    ['1h 30m', 5_400_000],
    ['10_minutes', 600_000],
    ['1_hour', 3_600_000],
    ['2 Days', 172_800_000],
    ['1.5h', 5_400_000],
    ['0s', 0],
    [1234, 1234],
    [0, 0],
  ])('reads %s as %d ms', (value, expected) => {
    expect(parseDuration(value)).toBe(expected);
  });

  it.each([
    '',
    ' ',
    '10',
    'm',
    '10 parsecs',
    '-5s',
    '5s!',
    '1h-2h',
    's5',
    '1e3s',
    '9'.repeat(100) + 'd',
    `${'1s'.repeat(5000)}`,
    -1,
    Number.NaN,
    Infinity,
  ])('refuses %s', (value) => {
    expect(parseDuration(value)).toBeUndefined();
  });

  it('reads back whatever formatDuration prints', () => {
    fc.assert(
      fc.property(fc.nat(10 ** 11), (ms) => {
        expect(parseDuration(formatDuration(ms))).toBe(ms);
      }),
    );
  });
});

describe('formatDuration', () => {
  it.each([
    [0, '0ms'],
    [250, '250ms'],
    [5_400_000, '1h30m'],
    [90_061_001, '1d1h1m1s1ms'],
  ])('prints %d ms as %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });
});

describe('parseDurationRange', () => {
  it.each([
    ['3-5_minutes', 240_000, 300_000],
    ['3m-5m', 240_000, 300_000],
    ['90s - 2m', 105_000, 120_000],
    ['8-12 minutes', 600_000, 720_000],
    ['5m', 300_000, 300_000],
    [1000, 1000, 1000],
  ])('reads %s as middle %d and high %d', (value, midMs, highMs) => {
    expect(parseDurationRange(value)).toEqual({ midMs, highMs });
  });

  it.each(['5-3m', '3-5', '1m-2m-3m', '-5m', 'a-b', ''])('refuses %s', (value) => {
    expect(parseDurationRange(value)).toBeUndefined();
  });
});
