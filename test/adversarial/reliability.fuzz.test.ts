import { describe, expect, it } from 'vitest';
import type { JournalRecord } from '../../src/journal/record.ts';
import { Dice } from '../../src/simulation/dice.ts';
import { storyOf } from './chaos.ts';
import type { Story } from './chaos.ts';
import { Fuzz } from './fuzz.ts';
import { ignoreLateAcknowledgements } from './quiet.ts';
import { withReliabilityKeys } from './reliability-dressing.ts';

ignoreLateAcknowledgements();

function story(seed: number): Story {
  const bare = storyOf(seed);
  return { ...bare, document: withReliabilityKeys(bare.document, new Dice(seed * 41 + 11)) };
}

function nameOf(record: JournalRecord): string {
  if (record.type === 'breaker.decided') return `${record.type} ${record.decision}`;
  return record.type === 'hedge.ended' ? `${record.type} ${record.result}` : record.type;
}

const fuzz = new Fuzz({ file: 'reliability.fuzz.test.ts', story, nameOf });

describe('a run with breakers, hedges and health, killed and resumed at random', () => {
  it.each(fuzz.chunks)('keeps every law, seeds %i to %i', async (from, last) => {
    const { faults, lived } = await fuzz.chunk(from, last);
    expect(faults).toBe('');
    if (!fuzz.isSingle) expect(lived).toBeGreaterThan((last - from) / 2);
  });

  it('has seen hedges win, lose and fail, and tasks wait, go to a peer and fail', () => {
    const all = [
      ...['won', 'lost', 'failed'].map((result) => `hedge.ended ${result}`),
      ...['wait', 'redistribute', 'fail'].map((decision) => `breaker.decided ${decision}`),
    ];
    expect(fuzz.missing(all)).toEqual([]);
  });
});
