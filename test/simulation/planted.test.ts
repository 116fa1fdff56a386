import { describe, expect, it } from 'vitest';

import { patched, plantedBugs, scorePlanted, tableOf } from './planted-score.mjs';

/** Seeds that a bug may take until it is found. */
const seeds = 1_000;

describe('a bug that was planted in the source', () => {
  const bugs = plantedBugs();

  it('stands where its file says', () => {
    for (const bug of bugs) expect(patched(bug), bug.name).not.toBe('');
  });

  it(
    'is found, each of them, by an invariant that it is expected to break; sound source is not flagged',
    { timeout: 600_000 },
    async () => {
      const { scores, sound } = await scorePlanted({ bugs, seeds });
      process.stdout.write(`${tableOf(scores)}\n`);
      expect(sound).toBeUndefined();
      const missed = scores.filter(({ seed, expected }) => seed === undefined || !expected);
      expect(missed).toEqual([]);
    },
  );
});
