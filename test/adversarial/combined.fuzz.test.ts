import { describe, expect, it } from 'vitest';
import type { JournalRecord } from '../../src/journal/record.ts';
import { Dice } from '../../src/simulation/dice.ts';
import { breachesOf } from '../../src/simulation/journal-laws.ts';
import type { Blow } from './blows.ts';
import { live, storyOf, workflowOf } from './chaos.ts';
import type { Phase } from './chaos.ts';
import { withEverything } from './combined-dressing.ts';
import { endBreachesOf } from './process-laws.ts';
import { ignoreLateAcknowledgements } from './quiet.ts';
import { scriptedLaws } from './stale-results.ts';
import { isSingle, storyChunks } from './story-chunks.ts';

ignoreLateAcknowledgements();

/** What the stories have reached together, over all seeds. */
const reached = new Set<string>();

/** Blows come later than to bare documents, of which more is done by then. */
function lessHasty(phase: Phase, index: number): Phase {
  const blows = phase.blows.map(({ what, atMs }): Blow =>
    what === 'cancel' && index !== 1 ? { what: 'crash', atMs: 3 * atMs } : { what, atMs: 3 * atMs },
  );
  return { ...phase, blows };
}

async function faultsOf(seed: number): Promise<readonly string[] | undefined> {
  const bare = storyOf(seed);
  const story = {
    ...bare,
    document: withEverything(bare.document, new Dice(seed * 43 + 7)),
    isAttended: true,
    phases: bare.phases.map(lessHasty),
  };
  const workflow = await workflowOf(story.document);
  if (!workflow) return undefined;
  const results = await live(story, workflow);
  const breaches = results.flatMap((result) => endBreachesOf(result, story));
  for (const { process, end } of results) if (end !== 'crashed') await process.stop();
  const records: readonly JournalRecord[] = results.at(-1)?.records ?? [];
  for (const { type } of records) reached.add(type);
  breaches.push(...breachesOf(records, scriptedLaws));
  return breaches.map(
    ({ law, detail }) =>
      `seed ${seed} breaks “${law}”: ${detail}\n` +
      `  TROUPE_FUZZ_SEED=${seed} npx vitest run test/adversarial/combined.fuzz.test.ts`,
  );
}

describe('a run with barriers, ladders, hedges, breakers, restarts and pauses at once, killed at random', () => {
  it.each(storyChunks(500, 50))('keeps every law, seeds %i to %i', async (from, last) => {
    const faults: string[] = [];
    let lived = 0;
    for (let seed = from; seed <= last; seed++) {
      const found = await faultsOf(seed);
      if (found) lived++;
      faults.push(...(found ?? []));
    }
    expect(faults.join('\n')).toBe('');
    if (!isSingle) expect(lived).toBeGreaterThan((last - from) / 3);
  });

  it('has reached what each of them brings', () => {
    if (isSingle) return;
    const all = [
      ...(['barrier.softened', 'contribution.late', 'group.restarted'] as const),
      ...(['escalation.opened', 'escalation.answered', 'escalation.expired'] as const),
      ...(['task.parked', 'run.paused', 'run.resumed'] as const),
      ...(['hedge.started', 'hedge.ended', 'breaker.decided'] as const),
    ];
    expect(all.filter((name) => !reached.has(name))).toEqual([]);
  });
});
