import { describe, expect, it } from 'vitest';
import { spendFacts } from '../../../src/cli/render/spend-facts.ts';

const nothing = { input_tokens: 0, output_tokens: 0, cost: 0, by_agent: {}, exhausted: [] };

describe('what a run has used', () => {
  it('is not spoken of where nothing was reported', () => {
    expect(spendFacts(nothing)).toEqual([]);
  });

  it('stands in a line, and each cap that was reached in one more', () => {
    const exhausted = [
      { cap: 'cost', agent: null },
      { cap: 'tokens', agent: 'writer' },
    ] as const;
    expect(
      spendFacts({ ...nothing, input_tokens: 12, output_tokens: 3, cost: 0.1 + 0.2, exhausted }),
    ).toEqual([
      'used 12 tokens in, 3 out, cost 0.3',
      'the budget of cost is spent',
      'the budget of tokens of writer is spent',
    ]);
  });
});
