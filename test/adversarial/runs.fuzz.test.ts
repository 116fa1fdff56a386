import { describe, expect, it } from 'vitest';

import { live, storyOf, workflowOf } from './chaos.ts';
import { breachesOf } from '../../src/simulation/journal-laws.ts';
import { endBreachesOf } from './process-laws.ts';
import { ignoreLateAcknowledgements } from './quiet.ts';
import { scriptedLaws } from './stale-results.ts';

ignoreLateAcknowledgements();

/** More stories: TROUPE_FUZZ_SEEDS. A failure names its seed, for TROUPE_FUZZ_SEED. */
const onlySeed = process.env['TROUPE_FUZZ_SEED'];
const first = Number(onlySeed ?? 0);
const count = onlySeed === undefined ? Number(process.env['TROUPE_FUZZ_SEEDS'] ?? 1500) : 1;

/** Stories of one test: short enough for the timeout of a test on a slow machine. */
const chunkSize = 150;

/** First and last seed of each test. */
const chunks = Array.from({ length: Math.ceil(count / chunkSize) }, (_, index) => {
  const from = first + index * chunkSize;
  return [from, Math.min(from + chunkSize, first + count) - 1] as const;
});

/** A line for every broken law, with how to see it again; undefined for a document that is refused. */
async function faultsOf(seed: number): Promise<readonly string[] | undefined> {
  const story = storyOf(seed);
  const workflow = await workflowOf(story.document);
  if (!workflow) return undefined;
  const results = await live(story, workflow);
  const breaches = results.flatMap((result) => endBreachesOf(result, story));
  for (const { process, end } of results) if (end !== 'crashed') await process.stop();
  breaches.push(...breachesOf(results.at(-1)?.records ?? [], scriptedLaws));
  return breaches.map(
    ({ law, detail }) =>
      `seed ${seed} breaks “${law}”: ${detail}\n` +
      `  TROUPE_FUZZ_SEED=${seed} npx vitest run test/adversarial/runs.fuzz.test.ts`,
  );
}

describe('a run that is cancelled, interrupted, killed and resumed at random', () => {
  it.each(chunks)('keeps every law, seeds %i to %i', async (from, last) => {
    const faults: string[] = [];
    let lived = 0;
    for (let seed = from; seed <= last; seed++) {
      const found = await faultsOf(seed);
      if (found) lived++;
      faults.push(...(found ?? []));
    }
    expect(faults.join('\n')).toBe('');
    if (onlySeed === undefined) expect(lived).toBeGreaterThan((last - from) / 2);
  });
});
