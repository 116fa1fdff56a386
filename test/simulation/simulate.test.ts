import { describe, expect, it } from 'vitest';

import { scriptedAgent, simulate } from '../../src/testing.ts';
import type { FaultClass, SimulatedHost } from '../../src/testing.ts';
import { ignoreLateAcknowledgements } from '../adversarial/quiet.ts';

ignoreLateAcknowledgements();

const agents = { writer: { uses: 'function' as const, module: 'host:writer' } };

const document = {
  version: 1 as const,
  name: 'report',
  agents,
  tasks: {
    draft: { agent: 'writer', timeout: '10s' },
    review: { agent: 'writer', needs: ['draft'], timeout: '10s' },
  },
};

function functions({ clock }: SimulatedHost) {
  return { writer: scriptedAgent(clock, [{ afterMs: 200, output: 'text' }]) };
}

describe('simulate', () => {
  it('carries a workflow out without faults when none are allowed', async () => {
    const { report, violations, faults, records } = await simulate(document, {
      functions,
      faults: [],
    });
    expect(report.status).toBe('succeeded');
    expect(report.outputs).toEqual({ review: 'text' });
    expect(violations).toEqual([]);
    expect(faults).toEqual([]);
    expect(records.at(-1)?.type).toBe('run.ended');
  });

  it('gives the same trace for the same seed, and another for another', async () => {
    const [one, again, other] = await Promise.all(
      [7, 7, 8].map((seed) => simulate(document, { functions, seed })),
    );
    expect(again?.hash).toBe(one?.hash);
    expect(again?.trace).toEqual(one?.trace);
    expect(other?.hash).not.toBe(one?.hash);
  });

  it('lets a run survive crashes, pauses and lost answers of every seed', async () => {
    for (let seed = 1; seed <= 40; seed++) {
      const faults = ['crash', 'pause', 'lost_answer', 'partition'] as const;
      const { report, violations } = await simulate(document, { functions, seed, faults });
      expect(violations, `seed ${seed}`).toEqual([]);
      expect(report.status, `seed ${seed}`).toBe('succeeded');
    }
  });

  it('plays every agent by its estimate when there are no functions', async () => {
    const { report, endedAtMs } = await simulate(
      { ...document, tasks: { draft: { agent: 'writer', estimate: '30s' } } },
      { faults: [] },
    );
    expect(report.status).toBe('succeeded');
    expect(endedAtMs).toBeGreaterThanOrEqual(30_000);
  });

  it('starts no programs and makes no folders: what would need one takes its estimate', async () => {
    const { report, endedAtMs } = await simulate(
      {
        ...document,
        agents: { ...agents, tool: { uses: 'command' as const, command: ['false'] } },
        tasks: { build: { agent: 'tool', estimate: '30s', workspace: {} } },
      },
      { functions, faults: [] },
    );
    expect(report.status).toBe('succeeded');
    expect(endedAtMs).toBeGreaterThanOrEqual(30_000);
  });

  it('ends with the record that somebody wanted to see', async () => {
    const { records } = await simulate(document, {
      functions,
      faults: [],
      until: ({ type }) => type === 'task.succeeded',
    });
    expect(records.filter(({ type }) => type === 'task.succeeded')).toHaveLength(1);
  });

  it('names the invariant that an agent without end breaks', async () => {
    const hung = { writer: () => new Promise(() => undefined) };
    const { timeout: _, ...draft } = document.tasks.draft;
    const { violations } = await simulate(
      { ...document, tasks: { draft } },
      { functions: hung, faults: [], patienceMs: 60_000 },
    );
    expect(violations.map(({ invariant }) => invariant)).toContain('I11');
  });

  it('refuses faults that there are not, and worlds without processes', async () => {
    const unknown = { faults: ['meteor' as FaultClass] };
    await expect(simulate(document, unknown)).rejects.toMatchObject({ code: 'TRP_OPTION_INVALID' });
    await expect(simulate(document, { processes: 0 })).rejects.toMatchObject({
      code: 'TRP_OPTION_INVALID',
    });
  });
});
