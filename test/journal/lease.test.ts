import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  defaultLeaseTerms,
  isExpired,
  nextTryMs,
  sighted,
  standing,
} from '../../src/journal/lease.ts';

const terms = fc
  .record({
    ttlMs: fc.integer({ min: 30, max: 60_000 }),
    part: fc.double({ min: 0.05, max: 0.4, noNaN: true }),
  })
  .map(({ ttlMs, part }) => ({ ttlMs, renewMs: ttlMs * part }));

describe('the rules of leases', () => {
  it('lets an owner doubt before anybody else may take over, whoever saw its sign when', () => {
    fc.assert(
      fc.property(terms, fc.nat(120_000), fc.nat(60_000), (rules, silentMs, wayMs) => {
        // The observer sees the last renewal after its way over the bus, never before it was sent.
        const seen = sighted(undefined, 'mark', wayMs);
        const isTaken = isExpired(rules, seen, silentMs);
        if (isTaken) expect(standing(rules, silentMs)).toBe('doubt');
      }),
    );
  });

  it('takes a mark that changes for life, and one that stays for its age', () => {
    const first = sighted(undefined, '1', 5);
    expect(sighted(first, '1', 900)).toBe(first);
    expect(sighted(first, '2', 900)).toEqual({ mark: '2', since: 900 });
    expect(isExpired(defaultLeaseTerms, first, 10_004)).toBe(false);
    expect(isExpired(defaultLeaseTerms, first, 10_005)).toBe(true);
  });

  it('leaves time for several renewals before there is a doubt', () => {
    expect(nextTryMs(defaultLeaseTerms, true)).toBe(3_000);
    expect(nextTryMs(defaultLeaseTerms, false)).toBe(500);
    expect(standing(defaultLeaseTerms, 6_666)).toBe('sure');
    expect(standing(defaultLeaseTerms, 6_667)).toBe('doubt');
  });
});
