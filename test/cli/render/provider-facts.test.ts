import { describe, expect, it } from 'vitest';
import { providerFacts } from '../../../src/cli/render/provider-facts.ts';

describe('what a summary says of providers', () => {
  it('is a line for each that refused or had calls wait', () => {
    expect(
      providerFacts({
        acme: { calls: 31, refused: 1, paused_ms: 1_000, wait_ms: 2_100 },
        busy: { calls: 1, refused: 0, paused_ms: 0, wait_ms: 400 },
      }),
    ).toEqual([
      'provider acme: 31 calls, 1 refused, calls waited 2.1s',
      'provider busy: 1 call, calls waited 0.4s',
    ]);
  });

  it('is nothing where every call went out at once', () => {
    expect(providerFacts({ acme: { calls: 9, refused: 0, paused_ms: 0, wait_ms: 0 } })).toEqual([]);
  });
});
