import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseInstant } from '../../src/core/instant.ts';

describe('parseInstant', () => {
  it('reads what dates write, to the millisecond', () => {
    const dates = fc.date({
      min: new Date('1600-01-01T00:00:00Z'),
      max: new Date('9999-12-31T23:59:59.999Z'),
      noInvalidDate: true,
    });
    fc.assert(
      fc.property(dates, (date) => {
        expect(parseInstant(date.toISOString())).toBe(date.getTime());
      }),
    );
  });

  it.each([
    ['2026-07-01T11:00+02:00', '2026-07-01T09:00:00Z'],
    ['2026-07-01 04:30:15.5-0430', '2026-07-01T09:00:15.500Z'],
    ['2024-02-29t00:00:00z', '2024-02-29T00:00:00Z'],
  ])('reads zones and short forms: %s', (text, same) => {
    expect(parseInstant(text)).toBe(Date.parse(same));
  });

  it.each([
    '2026-07-01T09:00:00',
    '2026-07-01',
    '2026-02-29T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-00-10T00:00:00Z',
    '2026-04-31T00:00:00Z',
    '2026-07-01T24:00:00Z',
    '2026-07-01T09:60:00Z',
    '2026-07-01T09:00:00+24:00',
    'tomorrow',
    '10m',
    '',
  ])('refuses what is no date with time and zone: %s', (text) => {
    expect(parseInstant(text)).toBeUndefined();
  });
});
