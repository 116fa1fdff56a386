import { describe, expect, it } from 'vitest';

import { contentHash } from '../../src/core/canonical.ts';
import type { RunReport } from '../../src/runtime/report.ts';
import { outcomes } from '../support/run-harness.ts';
import { calmDocument } from './calm-document.ts';
import { live, workflowOf } from './chaos.ts';
import type { Phase, PhaseResult, Story } from './chaos.ts';
import { Dice } from '../../src/simulation/dice.ts';
import { ignoreLateAcknowledgements } from './quiet.ts';

ignoreLateAcknowledgements();

/** First and last seed of each test. */
const chunks = [0, 30].map((from) => [from, from + 29] as const);

const undisturbed: Phase = { syncMs: 0, blows: [], keep: 0, reopen: false };

/** Processes that die or stop, and a last one that is left alone. */
function disturbances(dice: Dice): Phase[] {
  const phases = Array.from({ length: dice.between(1, 3) }, (): Phase => ({
    syncMs: dice.pick([0, 8, 30]),
    blows: [{ atMs: dice.between(0, 250), what: dice.pick(['crash', 'crash', 'interrupt']) }],
    keep: dice.share(),
    reopen: false,
  }));
  return [...phases, { ...undisturbed, syncMs: dice.pick([0, 8]) }];
}

/** What a run comes to, but for how long it took and how often it was tried. */
async function cameOf(story: Story): Promise<object | undefined> {
  const workflow = await workflowOf(story.document);
  if (!workflow) return undefined;
  const results = await live(story, workflow);
  const last = results.at(-1) as PhaseResult;
  for (const { process, end } of results) if (end !== 'crashed') await process.stop();
  const { report, core } = last.run;
  return { end: last.end, ...essence(report), memory: contentHash(contents(core.ledger.memory)) };
}

function essence(report: RunReport): object {
  return { status: report.status, outcomes: outcomes(report) };
}

type Memory = PhaseResult['run']['core']['ledger']['memory'];

function contents(memory: Memory): { readonly [key: string]: null } {
  const view = memory.view();
  return Object.fromEntries(view.keys().map((key) => [key, (view.get(key) ?? null) as null]));
}

describe('a run that was killed or stopped and resumed', () => {
  it.each(chunks)('comes to the same as one that was not, seeds %i to %i', async (from, last) => {
    for (let seed = from; seed <= last; seed++) {
      const dice = new Dice(seed * 101 + 7);
      const document = calmDocument(dice);
      const story = { seed, document, input: {} };
      const whole = await cameOf({ ...story, phases: [undisturbed] });
      const resumed = await cameOf({ ...story, phases: disturbances(dice) });
      expect(whole, `seed ${seed}`).toMatchObject({ end: 'ended', status: 'succeeded' });
      expect(resumed, `seed ${seed}`).toEqual(whole);
    }
  });
});
