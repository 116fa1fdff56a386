import { describe, expect, it } from 'vitest';
import { groupFacts } from '../../../src/cli/render/group-facts.ts';
import { emptyCensus } from '../../../src/core/outcome.ts';
import type { GroupReport } from '../../../src/runtime/report.ts';

function group(parts: Partial<GroupReport>): GroupReport {
  return {
    id: 'g',
    phase: 'ended',
    outcome: 'succeeded',
    reason: 'completed',
    census: emptyCensus(),
    late: [],
    merged: null,
    barrier_wait_ms: 0,
    ...parts,
  };
}

const running = { outcome: 'running', reason: 'in_progress' } as const;

describe('what a summary says of groups', () => {
  it('is nothing of those that have ended as they were to', () => {
    expect(groupFacts([group({})])).toEqual([]);
  });

  it('is the phase of those that run, and how much an async merge has', () => {
    const merged = { revision: 3, output: [] };
    expect(
      groupFacts([
        group({ ...running, phase: 'completion' }),
        group({ ...running, id: 'm', phase: 'monitoring', merged }),
      ]),
    ).toEqual(['group g: completion', 'group m: monitoring, revision 3']);
  });

  it('is how many late results have been merged', () => {
    expect(groupFacts([group({ late: ['a', 'b'] })])).toEqual([
      'group g: ended, 2 late results merged',
    ]);
  });

  it('is a count beyond eight groups', () => {
    const many = Array.from({ length: 10 }, (_, index) => group({ ...running, id: `g${index}` }));
    expect(groupFacts(many).at(-1)).toBe('and 2 more groups');
  });
});
