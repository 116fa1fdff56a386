import { describe, expect, it } from 'vitest';
import type { JournalRecord } from '../../src/journal/record.ts';
import { Dice } from '../../src/simulation/dice.ts';
import { withBarrierKeys } from './barrier-dressing.ts';
import { storyOf } from './chaos.ts';
import type { Story } from './chaos.ts';
import { Fuzz } from './fuzz.ts';
import { ignoreLateAcknowledgements } from './quiet.ts';

ignoreLateAcknowledgements();

function story(seed: number): Story {
  const bare = storyOf(seed);
  return { ...bare, document: withBarrierKeys(bare.document, new Dice(seed * 23 + 1)) };
}

function nameOf(record: JournalRecord): string {
  return record.type === 'barrier.armed' || record.type === 'barrier.extended'
    ? `${record.type} ${record.bound ?? 'timeout'}`
    : record.type;
}

const fuzz = new Fuzz({ file: 'barriers.fuzz.test.ts', story, nameOf });

describe('a run whose barriers ask for everything, killed and resumed at random', () => {
  it.each(fuzz.chunks)('keeps every law, seeds %i to %i', async (from, last) => {
    const { faults, lived } = await fuzz.chunk(from, last);
    expect(faults).toBe('');
    if (!fuzz.isSingle) expect(lived).toBeGreaterThan((last - from) / 2);
  });

  it('has reached everything that a barrier decides', () => {
    const all = [
      'barrier.armed soft',
      'barrier.armed hard',
      'barrier.extended soft',
      'barrier.softened',
      'contribution.late',
      'alert.raised',
    ];
    expect(fuzz.missing(all)).toEqual([]);
  });
});
