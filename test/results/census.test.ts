import { expect, test } from 'vitest';
import { countOutcomes } from '../../src/results/census.ts';

test('every outcome is counted under its own name', () => {
  const outcomes = [
    'succeeded',
    'failed',
    'succeeded',
    'timed_out',
    'cancelled',
    'skipped',
    'skipped',
  ] as const;
  expect(countOutcomes(outcomes)).toEqual({
    succeeded: 2,
    failed: 1,
    timed_out: 1,
    cancelled: 1,
    skipped: 2,
    late: 0,
  });
});

test('nothing gives a census of zeros', () => {
  expect(countOutcomes([])).toEqual({
    succeeded: 0,
    failed: 0,
    timed_out: 0,
    cancelled: 0,
    skipped: 0,
    late: 0,
  });
});
