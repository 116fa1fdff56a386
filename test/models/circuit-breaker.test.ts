import { getShortestPaths, getSimplePaths } from '@xstate/graph';
import { describe, expect, it } from 'vitest';

import { circuitBreakerMachine } from '../../src/supervisors/circuit-breaker.ts';
import type { BreakerState } from '../../src/policies/breaker.ts';

const events = (['open', 'half_open', 'closed', 'stop'] as const).map((state) => ({
  type: `breaker.${state}` as const,
}));
const options = { input: { key: 'agent:a' }, events };

/** Where a breaker may go, as its policy has it. */
const legal: Readonly<Record<string, readonly string[]>> = {
  closed: ['open', 'stopped'],
  open: ['half_open', 'stopped'],
  half_open: ['open', 'closed', 'stopped'],
  stopped: [],
};

describe('the machine of a breaker', () => {
  it('takes only steps that its policy takes, on every path', () => {
    for (const path of getSimplePaths(circuitBreakerMachine, options)) {
      const values = path.steps.map(({ state }) => String(state.value));
      values.push(String(path.state.value));
      const moves = values.slice(1).map((to, index) => [values[index] ?? 'closed', to] as const);
      for (const [from, to] of moves) if (from !== to) expect(legal[from]).toContain(to);
    }
  });

  it('reaches every state of its policy', () => {
    const reached = new Set(
      getShortestPaths(circuitBreakerMachine, options).map(({ state }) => String(state.value)),
    );
    const states: readonly BreakerState[] = ['closed', 'open', 'half_open'];
    expect(reached).toEqual(new Set([...states, 'stopped']));
  });
});
