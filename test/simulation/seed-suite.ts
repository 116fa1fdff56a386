import { describe, expect, it } from 'vitest';

import { ignoreLateAcknowledgements } from '../adversarial/quiet.ts';
import { failureOf } from './seed-line.ts';
import { liveSeed } from './world-of-seed.ts';

/** One seed to look at again, and how many to go through: TROUPE_SIM_SEED, TROUPE_SIM_SEEDS. */
const onlySeed = process.env['TROUPE_SIM_SEED'];
const count = Number(process.env['TROUPE_SIM_SEEDS'] ?? 5_000);

/** Files that share the seeds, so that every core has some. */
const parts = 4;

/** Seeds of one test: short enough for the timeout of a test on a slow and busy machine. */
const chunkSize = 125;

/** A chunk takes three or four seconds of a core; other tests may have all of them. */
const timeoutMs = 300_000;

/** Tests one part of all seeds. @param part from 0 */
export function describeSeeds(part: number): void {
  ignoreLateAcknowledgements();
  describe('a world of processes, a store and a bus that fail by a seed', () => {
    it.each(chunksOf(part))(
      'keeps every invariant, seeds %i to %i',
      { timeout: timeoutMs },
      async (from, last) => {
        expect(await failuresOf(seedsFrom(from, last))).toBe('');
      },
    );
  });
}

/** What is to be said of seeds that break an invariant; empty when none does. */
export async function failuresOf(seeds: readonly number[]): Promise<string> {
  const failures: string[] = [];
  for (const seed of seeds) {
    const result = await liveSeed(seed);
    if (result && result.violations.length > 0) failures.push(await failureOf(result));
    if (failures.length >= 3) break;
  }
  return failures.join('\n');
}

function chunksOf(part: number): readonly (readonly [number, number])[] {
  if (onlySeed !== undefined) return part === 0 ? [[Number(onlySeed), Number(onlySeed)]] : [];
  const share = Math.ceil(count / parts);
  const first = part * share;
  const last = Math.min(count, first + share) - 1;
  const chunks: (readonly [number, number])[] = [];
  for (let from = first; from <= last; from += chunkSize)
    chunks.push([from, Math.min(last, from + chunkSize - 1)]);
  return chunks;
}

function seedsFrom(from: number, last: number): number[] {
  return Array.from({ length: last - from + 1 }, (_, index) => from + index);
}
