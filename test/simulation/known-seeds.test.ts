import { describe, expect, it } from 'vitest';

import { ignoreLateAcknowledgements } from '../adversarial/quiet.ts';
import { knownSeeds } from './known-seeds.ts';
import { failuresOf } from './seed-suite.ts';

ignoreLateAcknowledgements();

describe('a world that has once found something', () => {
  it.each(knownSeeds)('keeps every invariant, seed $seed: $found', async ({ seed }) => {
    expect(await failuresOf([seed])).toBe('');
  });
});
