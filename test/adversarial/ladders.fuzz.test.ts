import { describe, expect, it } from 'vitest';

import type { JournalRecord } from '../../src/journal/record.ts';
import { Dice } from '../../src/simulation/dice.ts';
import { breachesOf } from '../../src/simulation/journal-laws.ts';

import { withLadders } from './ladder-dressing.ts';
import type { Blow } from './blows.ts';
import { live, storyOf, workflowOf } from './chaos.ts';
import type { Phase } from './chaos.ts';
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

/** What of recovery the stories have reached, over all seeds. */
const reached = new Map<string, number>();

function tallyUp(records: readonly JournalRecord[]): void {
  for (const record of records) {
    const name =
      record.type === 'escalation.opened' ? `${record.type} ${record.rung}` : record.type;
    reached.set(name, (reached.get(name) ?? 0) + 1);
  }
}

/** Whoever cancels a run leaves little to recover: most who would do it kill the process instead, and later. */
function lessHasty(phase: Phase, index: number): Phase {
  const blows = phase.blows.map(({ what, atMs }): Blow =>
    what === 'cancel' && index !== 1 ? { what: 'crash', atMs: 3 * atMs } : { what, atMs: 3 * atMs },
  );
  return { ...phase, blows };
}

async function faultsOf(seed: number): Promise<readonly string[] | undefined> {
  const bare = storyOf(seed);
  const { deadline: _, ...unbounded } = withLadders(bare.document, new Dice(seed * 29 + 3));
  const story = {
    ...bare,
    document: unbounded,
    isAttended: true,
    phases: bare.phases.map(lessHasty),
  };
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
      `  TROUPE_FUZZ_SEED=${seed} npx vitest run test/adversarial/ladders.fuzz.test.ts`,
  );
}

describe('a run with ladders, peers, questions and pauses, killed and resumed at random', () => {
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

  it('has reached every rung and every word of a person', () => {
    if (onlySeed !== undefined) return;
    const rungs = ['retry', 'other_worker', 'other_model', 'degrade', 'supervisor', 'person'];
    const all = [
      ...rungs.map((rung) => `escalation.opened ${rung}`),
      'escalation.answered',
      'escalation.expired',
      'task.parked',
      'task.retried',
      'run.paused',
      'run.resumed',
    ];
    if (process.env['SHOW']) console.log([...reached]);
    expect(all.filter((name) => !reached.has(name))).toEqual([]);
  });
});
