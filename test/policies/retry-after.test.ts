import { describe, expect, it } from 'vitest';
import { announcedLimit, retryAfterMs } from '../../src/policies/retry-after.ts';

const now = 1_793_278_841_000;

describe('what a provider says about waiting', () => {
  it.each([
    [{ retryAfterMs: 250 }, 250],
    [{ retryAfter: 2 }, 2_000],
    [{ retryAfter: '2.5' }, 2_500],
    [{ headers: { 'retry-after': '7' } }, 7_000],
    [{ headers: { 'retry-after-ms': '30', 'retry-after': '7' } }, 30],
    [{ retryAfter: new Date(now + 9_000).toUTCString() }, 9_000],
    [{ headers: { 'retry-after': new Date(now - 9_000).toUTCString() } }, 0],
    [{ retryAfter: '2026-10-29T09:00:41Z' }, Date.UTC(2026, 9, 29, 9, 0, 41) - now],
  ])('%j is understood', (hint, ms) => {
    expect(retryAfterMs(hint, now)).toBe(Math.max(0, ms));
  });

  it.each([
    {},
    { retryAfter: 'soon' },
    { retryAfter: -1 },
    { retryAfterMs: NaN },
    { retryAfter: 'Sun, 99 Nov 2026 00:00:00 GMT' },
    { headers: { 'retry-after': '' } },
  ])('%j says nothing', (hint) => {
    expect(retryAfterMs(hint, now)).toBeUndefined();
  });

  it('names limits in two ways, and nonsense in a third', () => {
    expect(announcedLimit({ 'x-ratelimit-limit-requests': '60' }, 'requests')).toBe(60);
    expect(announcedLimit({ 'anthropic-ratelimit-tokens-limit': '9000' }, 'tokens')).toBe(9_000);
    expect(announcedLimit({ 'x-ratelimit-limit-requests': '-1' }, 'requests')).toBeUndefined();
    expect(announcedLimit(undefined, 'tokens')).toBeUndefined();
  });
});
