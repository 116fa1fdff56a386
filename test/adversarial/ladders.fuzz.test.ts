import { describe, expect, it } from 'vitest';
import type { JournalRecord } from '../../src/journal/record.ts';
import { Dice } from '../../src/simulation/dice.ts';
import type { Blow } from './blows.ts';
import { storyOf } from './chaos.ts';
import type { Phase, Story } from './chaos.ts';
import { Fuzz } from './fuzz.ts';
import { withLadders } from './ladder-dressing.ts';
import { ignoreLateAcknowledgements } from './quiet.ts';

ignoreLateAcknowledgements();

/** Whoever cancels a run leaves little to recover: most who would do it kill the process instead, and later. */
function lessHasty(phase: Phase, index: number): Phase {
  const blows = phase.blows.map(({ what, atMs }): Blow =>
    what === 'cancel' && index !== 1 ? { what: 'crash', atMs: 3 * atMs } : { what, atMs: 3 * atMs },
  );
  return { ...phase, blows };
}

function story(seed: number): Story {
  const bare = storyOf(seed);
  const { deadline: _, ...unbounded } = withLadders(bare.document, new Dice(seed * 29 + 3));
  return {
    ...bare,
    document: unbounded,
    isAttended: true,
    phases: bare.phases.map(lessHasty),
  };
}

function nameOf(record: JournalRecord): string {
  return record.type === 'escalation.opened' ? `${record.type} ${record.rung}` : record.type;
}

const fuzz = new Fuzz({ file: 'ladders.fuzz.test.ts', story, nameOf });

describe('a run with ladders, peers, questions and pauses, killed and resumed at random', () => {
  it.each(fuzz.chunks)('keeps every law, seeds %i to %i', async (from, last) => {
    const { faults, lived } = await fuzz.chunk(from, last);
    expect(faults).toBe('');
    if (!fuzz.isSingle) expect(lived).toBeGreaterThan((last - from) / 2);
  });

  it('has reached every rung and every word of a person', () => {
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
    expect(fuzz.missing(all)).toEqual([]);
  });
});
