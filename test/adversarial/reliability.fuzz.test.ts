import { describe, expect, it } from 'vitest';

import type { JournalRecord } from '../../src/journal/record.ts';
import { Dice } from '../../src/simulation/dice.ts';
import { breachesOf } from '../../src/simulation/journal-laws.ts';

import { withReliabilityKeys } from './reliability-dressing.ts';
import { live, storyOf, workflowOf } from './chaos.ts';
import { endBreachesOf } from './process-laws.ts';
import { ignoreLateAcknowledgements } from './quiet.ts';
import { scriptedLaws } from './stale-results.ts';

ignoreLateAcknowledgements();

/** More stories: TROUPE_FUZZ_SEEDS. A failure names its seed, for TROUPE_FUZZ_SEED. */
const onlySeed = process.env['TROUPE_FUZZ_SEED'];
const first = Number(onlySeed ?? 0);
const count = onlySeed === undefined ? Number(process.env['TROUPE_FUZZ_SEEDS'] ?? 500) : 1;

/** Stories of one test: short enough for the timeout of a test on a slow machine. */
const chunkSize = 100;

const chunks = Array.from({ length: Math.ceil(count / chunkSize) }, (_, index) => {
  const from = first + index * chunkSize;
  return [from, Math.min(from + chunkSize, first + count) - 1] as const;
});

/** What of it the stories have reached, over all seeds. */
const reached = new Map<string, number>();

function tallyUp(records: readonly JournalRecord[]): void {
  for (const record of records) {
    const name =
      record.type === 'breaker.decided'
        ? `${record.type} ${record.decision}`
        : record.type === 'hedge.ended'
          ? `${record.type} ${record.result}`
          : record.type;
    reached.set(name, (reached.get(name) ?? 0) + 1);
  }
}

async function faultsOf(seed: number): Promise<readonly string[] | undefined> {
  const bare = storyOf(seed);
  const document = withReliabilityKeys(bare.document, new Dice(seed * 41 + 11));
  const story = { ...bare, document };
  const workflow = await workflowOf(story.document);
  if (!workflow) return undefined;
  const results = await live(story, workflow);
  const breaches = results.flatMap((result) => endBreachesOf(result, story));
  for (const { process, end } of results) if (end !== 'crashed') await process.stop();
  const records = results.at(-1)?.records ?? [];
  tallyUp(records);
  breaches.push(...breachesOf(records, scriptedLaws));
  return breaches.map(
    ({ law, detail }) =>
      `seed ${seed} breaks “${law}”: ${detail}\n` +
      `  TROUPE_FUZZ_SEED=${seed} npx vitest run test/adversarial/reliability.fuzz.test.ts`,
  );
}

describe('a run with breakers, hedges and health, killed and resumed at random', () => {
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

  it('has seen hedges win, lose and fail, and tasks wait, go to a peer and fail', () => {
    if (onlySeed !== undefined) return;
    const all = [
      ...['won', 'lost', 'failed'].map((result) => `hedge.ended ${result}`),
      ...['wait', 'redistribute', 'fail'].map((decision) => `breaker.decided ${decision}`),
    ];
    expect(all.filter((name) => !reached.has(name))).toEqual([]);
  });
});
