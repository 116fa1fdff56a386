import { describe, expect, it } from 'vitest';

import {
  deadLettersOf,
  keptLetter,
  maxDeadLetters,
  maxLetterBytes,
  maxSlice,
} from '../../src/journal/dead-letters.ts';
import type { JournalRecord, RecordBody } from '../../src/journal/record.ts';

function journal(...bodies: RecordBody[]): JournalRecord[] {
  return bodies.map((body, index) => ({ ...body, seq: index + 1, at: index }));
}

describe('dead letters', () => {
  it('are late results, refused writes, quarantined tasks and what the run says itself', () => {
    const error = { code: 'TRP_MEMORY_NOT_OWNER', message: 'no', errorClass: 'permanent' } as const;
    const letters = deadLettersOf(
      journal(
        { type: 'task.started', task: 'a', attempt: 1, iteration: 1 },
        { type: 'task.ended', task: 'a', outcome: 'failed', reason: 'write_refused', error },
        { type: 'result.late', task: 'a', attempt: 1, letter: 'too late' },
        { type: 'task.ended', task: 'b', outcome: 'failed', reason: 'quarantined' },
        { type: 'task.ended', task: 'c', outcome: 'failed', reason: 'attempts_exhausted' },
        { type: 'letter.dead', kind: 'overflow', reason: 'full', letter: { x: 1 } },
      ),
    );
    expect(letters.map(({ kind, task, letter }) => [kind, task, letter])).toEqual([
      ['refused', 'a', null],
      ['late_result', 'a', 'too late'],
      ['quarantined', 'b', null],
      ['overflow', null, { x: 1 }],
    ]);
    expect(letters[1]?.slice.map(({ seq }) => seq)).toEqual([1, 2, 3]);
  });

  it('are bounded, and so is what each comes with', () => {
    const late = { type: 'result.late', task: 'a', attempt: 1 } as const;
    const letters = deadLettersOf(journal(...Array.from({ length: 10_500 }, () => late)));
    expect(letters).toHaveLength(maxDeadLetters);
    expect(letters.at(-1)).toMatchObject({ seq: 10_500 });
    expect(letters.at(-1)?.slice).toHaveLength(maxSlice);
    expect(keptLetter('x'.repeat(maxLetterBytes))).toEqual({});
  });
});
