import { describe, expect, it } from 'vitest';

import { contentHash } from '../../src/core/canonical.ts';
import { fold } from '../../src/journal/fold.ts';
import type { JournalRecord } from '../../src/journal/record.ts';
import { RunMemory } from '../../src/memory/run-memory.ts';
import { Dice } from '../../src/simulation/dice.ts';
import { drawFaults } from '../../src/simulation/fault-plan.ts';
import type { FaultClass } from '../../src/simulation/fault-plan.ts';
import { World } from '../../src/simulation/world.ts';
import { Meter, scriptedFunctions } from '../adversarial/bodies.ts';
import { calmDocument } from '../adversarial/calm-document.ts';
import { workflowOf } from '../adversarial/chaos.ts';
import { ignoreLateAcknowledgements } from '../adversarial/quiet.ts';

ignoreLateAcknowledgements();

const seeds = Array.from({ length: 80 }, (_, index) => index);

const faults: readonly FaultClass[] = [
  'bus',
  'slow_store',
  'lost_answer',
  'disk_full',
  'crash',
  'restart',
  'pause',
  'partition',
  'skew',
];

/** What the runs of a world came to, but for when, where and how often they were tried. */
async function endsOf(seed: number, allowed: readonly FaultClass[]): Promise<readonly object[]> {
  const workflow = await workflowOf(calmDocument(new Dice(seed * 103 + 1)));
  if (!workflow) return [];
  const world = new World({
    seed,
    plan: drawFaults(seed, { processes: 2, allowed }),
    processes: 2,
    runs: [{ workflow, input: {}, simulated: false }],
    concurrency: 100,
    patienceMs: 8 * 3_600_000,
    functions: ({ clock }) => scriptedFunctions(clock, new Meter()),
  });
  const end = await world.live();
  await world.stop();
  return [...(await world.journals()).values()].map((records) => ({ end, ...essence(records) }));
}

function essence(records: readonly JournalRecord[]): object {
  const { outcome, tasks } = fold(records);
  const memory = new RunMemory();
  for (const record of records) if (record.type === 'memory.committed') memory.apply(record);
  const view = memory.view();
  const contents = Object.fromEntries(view.keys().map((key) => [key, view.get(key) ?? null]));
  const outcomes = [...tasks.values()].map(({ id, outcome: own }) => `${id} ${own}`).toSorted();
  return { outcome, outcomes, memory: contentHash(contents) };
}

describe('a run of which chance and time decide nothing', () => {
  it('comes to the same in a world of faults as in one without', async () => {
    for (const seed of seeds) {
      const [sound] = await endsOf(seed, []);
      const disturbed = await endsOf(seed, faults);
      if (!sound) continue;
      expect(sound, `seed ${seed}`).toMatchObject({ end: 'ended', outcome: 'succeeded' });
      for (const one of disturbed) expect(one, `seed ${seed}`).toEqual(sound);
    }
  }, 300_000);
});
